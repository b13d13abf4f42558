"""What came of a run, in one line."""

from collections import Counter
from dataclasses import dataclass, field, fields

from tests.integration.findings import Findings

CHANGES_MIN = 200
"""A run in which less was decided proves nothing."""


@dataclass
class Outcome:
    """One run.

    Attributes:
        findings: the checker's counters.
        records: input records that the group had to read.
        changes: segment changes published.
        releases: models published.
        crashes: processes that ended as nobody wanted, or with a traceback; what they said.
        undrained: why nothing came to rest after everything was healed; empty when it did.
        gave_up: exits with code 3, which an orchestrator answers by a restart.
        faults: faults by kind, each carried out.
        missed: faults that did not come to pass: a point not reached in time, nothing to lose.
        reached: deaths and sleeps by named point.
        seconds: of the whole run, start and check included.
    """

    findings: Findings = field(default_factory=Findings)
    records: int = 0
    changes: int = 0
    releases: int = 0
    crashes: list[str] = field(default_factory=list)
    undrained: str = ""
    gave_up: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def wrong(self) -> dict[str, int]:
        """Every counter that is not 0."""
        found = {one.name: getattr(self.findings, one.name) for one in fields(self.findings)}
        found |= {"crashes": len(self.crashes), "undrained": int(bool(self.undrained))}
        return {name: number for name, number in found.items() if number}

    @property
    def counters(self) -> int:
        """How many counters there are."""
        return len(fields(self.findings)) + 2

    @property
    def proves_nothing(self) -> bool:
        """Whether too little went on for faults to do any damage."""
        return self.changes < CHANGES_MIN

    @property
    def is_clean(self) -> bool:
        """Whether everything promised held, and was put to the test."""
        return not self.wrong and not self.proves_nothing

    def line(self) -> str:
        """Tell all of it in one line."""
        verdict = f"all {self.counters} counters 0"
        if self.wrong:
            verdict = "BROKEN " + ", ".join(f"{name} {n}" for name, n in self.wrong.items())
        elif self.proves_nothing:
            verdict = f"PROVES NOTHING: fewer than {CHANGES_MIN} changes"
        missed = f"; {sum(self.missed.values())} did not come to pass" if self.missed else ""
        return (
            f"{verdict} · {self.records:,} records, {self.changes:,} changes, "
            f"{self.releases} releases in {self.seconds:.0f} s · "
            f"{sum(self.faults.values())} faults ({told(self.faults)}{missed}), "
            f"{len(self.reached)} points reached, {self.gave_up} exits with code 3"
        )


def told(counts: Counter[str]) -> str:
    """List counts by name."""
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))
