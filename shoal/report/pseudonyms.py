"""Names for people whose ids shall not be read."""

import hashlib

_BYTES = 5


def pseudonym(user_id: str, *, shown: bool) -> str:
    """Give a stable short hash of a user id, or the id itself if it may be shown.

    Whoever has a list of all ids can find the one behind a hash: it keeps ids off paper and
    screens, it does not make people anonymous.
    """
    if shown:
        return user_id
    return hashlib.blake2b(user_id.encode(), digest_size=_BYTES, person=b"shoal-report").hexdigest()
