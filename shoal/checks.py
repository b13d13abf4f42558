"""One thing that `shoal doctor` looks at, and what it found."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "failed", "unreachable"]


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    Attributes:
        name: what was looked at, the same in every run.
        status: warning = works, but not as safely as it could; failed = workers refuse or data is
            at risk; unreachable = the service did not answer, so nothing behind it was checked.
        detail: what was found; for anything but ok, with the remedy.
    """

    name: str
    status: Status
    detail: str
