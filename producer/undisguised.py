"""An error of the Kafka client as what it is.

The client serves its log while an exception waits to be raised (a producer that was fenced, or
what a callback of ours raised); Python then raises a SystemError in its place, with that one as
its cause (confluent-kafka-python issues 729 and 1708).
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisguised() -> Iterator[None]:
    """Raise the exception that was meant; put around calls that serve the client's events."""
    try:
        yield
    except SystemError as error:
        if isinstance(error.__cause__, Exception):
            raise error.__cause__ from None
        raise
