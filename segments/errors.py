"""What can go wrong in `segments`, each with its remedy."""


class SegmentsError(Exception):
    """Root of every error this package raises."""


class UnknownModelSchema(SegmentsError):
    """A model record was written by another release of Shoal."""

    def __init__(self, found: object, expected: int) -> None:
        """Keep both numbers.

        Args:
            found: The schema number in the record.
            expected: The schema number this code reads.
        """
        super().__init__(
            f"The model record has schema {found!r}, this release reads schema {expected}. "
            "Run the release of Shoal that wrote it, or start a new models topic."
        )
        self.found = found
        self.expected = expected


class UnknownFeature(SegmentsError):
    """A feature is named that the catalogue does not have."""

    def __init__(self, name: str) -> None:
        """Keep the name.

        Args:
            name: The feature that was asked for.
        """
        super().__init__(
            f"The catalogue has no feature {name!r}. Correct the list of model features, or run "
            "the release of Shoal whose catalogue has it."
        )
        self.name = name


class NotEnoughSamples(SegmentsError):
    """The collected vectors do not tell users apart yet: wait for more samples."""


class MalformedSample(SegmentsError):
    """A record of the samples topic cannot be read: skip it, its writer is not a Shoal worker."""


class MalformedOrder(SegmentsError):
    """A record of the samples topic has an order's key and is none: skip it, as a bad sample."""


class OrderRefused(SegmentsError):
    """An order cannot be obeyed; the message says why and what to do. Nothing has changed."""
