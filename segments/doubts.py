"""Users whose vector has jumped: for some days nothing is learnt from them.

A vector covers 28 days and is compared with the same user's vector of about a day before, so
behaviour moves it little by little. What moves it at once by more than a deviation is a fault of
whoever measures, or a bot on a real account. When it jumps back, the fault is mended and the user
is learnt again at once; when it stays, it is how the user is.
"""

from collections.abc import Iterable, Sequence

from features.tiles import DAY_MS

DOUBT_DAYS = 7


class Doubts:
    """Who is doubted, and since which day.

    It cannot be told from the samples that a resumed learner reads again, so releases note it.
    """

    def __init__(self, since_day: Iterable[tuple[int, int]] = ()) -> None:
        """Begin with what a release notes.

        Args:
            since_day: User and day of stream time since 1970.
        """
        self._since_day = dict(since_day)

    def hear(
        self,
        user_hash: int,
        stream_ms: int,
        before: Sequence[float] | None,
        now: Sequence[float],
        jump_max: float,
    ) -> bool:
        """Take a user's next point and say whether to doubt it.

        Args:
            user_hash: Who.
            stream_ms: When.
            before: The point of the user's sample before, d coordinates; None for a stranger.
            now: The one now.
            jump_max: Deviations in one feature beyond which a point has jumped.

        Returns:
            Whether the user is doubted from here on.
        """
        day = stream_ms // DAY_MS
        since = self._since_day.get(user_hash)
        if since is not None and day - since >= DOUBT_DAYS:
            del self._since_day[user_hash]
            since = None
        if before is not None and max(abs(b - a) for a, b in zip(before, now, strict=True)) > (
            jump_max
        ):
            if since is None:
                self._since_day[user_hash] = day
            else:
                del self._since_day[user_hash]  # back to what it was
        return user_hash in self._since_day

    def places(self, users: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """Note who is doubted, as a release keeps it.

        Args:
            users: The users of the window, in its order.

        Returns:
            (place among them, day since when) of those who are doubted.
        """
        since = self._since_day
        return tuple((place, since[user]) for place, user in enumerate(users) if user in since)
