"""What can go wrong in this package, by who has to act."""


class FeaturesError(Exception):
    """Root of this package's errors."""


class MalformedEvent(FeaturesError):
    """The payload is not an event (the sender's fault: keep it as a dead letter and go on).

    Attributes:
        reason: "not_json", "not_an_object", "missing_field", "unknown_type" or "invalid_field".
        field: path of the first offending field such as ``profile.metrics.ctr``, "" when the
            payload as a whole is at fault.
        value: what stood there, shortened, as JSON; "" when there is nothing to show.
        sentence: one English sentence that names the field, the value and the remedy.
    """

    def __init__(self, reason: str, field: str, value: str, sentence: str) -> None:
        """Keep the parts; the text of the exception is the sentence."""
        super().__init__(sentence)
        self.reason = reason
        self.field = field
        self.value = value
        self.sentence = sentence

    def __reduce__(self) -> tuple[type["MalformedEvent"], tuple[str, str, str, str]]:
        """Make pickling work although the constructor takes more than the text."""
        return MalformedEvent, (self.reason, self.field, self.value, self.sentence)


class UnknownLayout(FeaturesError):
    """A stored user state was written with another layout (operator: run the matching release).

    Attributes:
        found: the layout number in the value.
        expected: the one that this release reads and writes.
    """

    def __init__(self, found: int, expected: int) -> None:
        """Keep both numbers."""
        super().__init__(
            f"the stored user state has layout {found}, this release reads layout {expected}: "
            "run the release that wrote it, or rebuild the state from the topic"
        )
        self.found = found
        self.expected = expected


class CorruptState(FeaturesError):
    """A stored user state is cut short or inconsistent (operator: rebuild it from the topic)."""

    def __init__(self, position: int, why: str) -> None:
        """Remember which of the values given is broken.

        Args:
            position: index of the value in the sequence that was to be decoded.
            why: what is wrong with it.
        """
        super().__init__(
            f"stored user state number {position} of the batch is damaged ({why}): "
            "rebuild the state from the topic"
        )
        self.position = position
        self.why = why
