"""SIGTERM, Ctrl-C and a closed terminal as polite requests: finish the batch, hand over, end."""

import signal
import threading
from types import FrameType

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def stop_on_signals() -> threading.Event:
    """Give an event that such a signal sets; a second signal ends the process at once."""
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 -- the signal module's
        for each in _STOP_SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        stop.set()

    for each in _STOP_SIGNALS:
        signal.signal(each, ask)
    return stop
