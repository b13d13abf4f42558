"""The one place where an error becomes an exit code: by who has to act."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from confluent_kafka import KafkaError, KafkaException

from consumer.errors import Away, NotSetUp, ProtectsData, ServiceUnavailable
from features.errors import CorruptState, MalformedEvent, UnknownLayout
from producer.errors import (
    DeliveryFailed,
    FlushTimedOut,
    KafkaUnreachable,
    TopicMissing,
    UnreadableFile,
    UnusableSettings,
)
from segments.errors import OrderRefused, UnknownFeature, UnknownModelSchema
from shoal.errors import ChecksFailed, ProcessFailed, SettingsError, WrongUse
from shoal.server_process import ServerFailed


class ExitCode(IntEnum):
    """What scripts may rely on."""

    DONE = 0
    DIFFERENCES = 1
    WRONG_USE = 2
    UNREACHABLE = 3
    REFUSED = 4


_BLAME: dict[type[Exception], ExitCode] = {
    # A check found differences.
    ChecksFailed: ExitCode.DIFFERENCES,
    # The caller or the operator corrects it.
    MalformedEvent: ExitCode.WRONG_USE,
    NotSetUp: ExitCode.WRONG_USE,
    SettingsError: ExitCode.WRONG_USE,
    TopicMissing: ExitCode.WRONG_USE,
    UnknownFeature: ExitCode.WRONG_USE,
    UnreadableFile: ExitCode.WRONG_USE,
    UnusableSettings: ExitCode.WRONG_USE,
    WrongUse: ExitCode.WRONG_USE,
    # The world: wait, or start the service.
    Away: ExitCode.UNREACHABLE,
    DeliveryFailed: ExitCode.UNREACHABLE,
    FlushTimedOut: ExitCode.UNREACHABLE,
    KafkaUnreachable: ExitCode.UNREACHABLE,
    ServerFailed: ExitCode.UNREACHABLE,
    ServiceUnavailable: ExitCode.UNREACHABLE,
    # Going on would damage data, or make a model that nobody should build on.
    CorruptState: ExitCode.REFUSED,
    OrderRefused: ExitCode.REFUSED,
    ProtectsData: ExitCode.REFUSED,
    UnknownLayout: ExitCode.REFUSED,
    UnknownModelSchema: ExitCode.REFUSED,
}

EXPLAINED: tuple[type[Exception], ...] = (*_BLAME, ProcessFailed)
"""Errors that are told as a sentence; any other is our bug and shows its traceback."""


def exit_code(error: Exception) -> int:
    """Give the exit code of an error that is told as a sentence."""
    if isinstance(error, ProcessFailed):
        return error.code
    return next(code for kind, code in _BLAME.items() if isinstance(error, kind))


@contextmanager
def explained() -> Iterator[None]:
    """End the process with a sentence and the exit code that says who has to act."""
    try:
        yield
    except KafkaException as error:
        if error.args[0].code() != KafkaError._INVALID_ARG:  # noqa: SLF001 -- its only name
            raise
        print(f"shoal: SHOAL_KAFKA_CONFIG: {error.args[0].str()}", file=sys.stderr)  # noqa: T201
        sys.exit(ExitCode.WRONG_USE)
    except EXPLAINED as error:
        print(f"shoal: {error}", file=sys.stderr)  # noqa: T201 -- the one place that tells errors
        sys.exit(exit_code(error))
