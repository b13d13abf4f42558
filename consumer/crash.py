"""Named points of the protocol at which a test may kill the process.

Production code only names the points. `SHOAL_CRASH_AT="<point>"` makes the process kill itself
there, as hard as a power cut; `SHOAL_CRASH_AT="<point>:<n>"` at the n-th passage.
"""

import os
import signal

_WANTED, _, _COUNT = os.environ.get("SHOAL_CRASH_AT", "").partition(":")
_left = int(_COUNT or 1)


def point(name: str) -> None:
    """Pass a named point; the process ends here if a test asked for it."""
    if name != _WANTED:
        return
    global _left  # noqa: PLW0603 -- counts passages of the whole process
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
