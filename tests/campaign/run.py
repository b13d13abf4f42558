"""One run: start everything, let faults rain while events come in, heal, drain, check."""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import redis

from tests.campaign.faults import carry_out
from tests.campaign.fleet import Fleet
from tests.campaign.load import Load, stream
from tests.campaign.mutant import MUTATIONS
from tests.campaign.outcome import Outcome, told
from tests.campaign.schedule import Fault, schedule
from tests.campaign.stage import EVENT_BYTES_MAX, OVERSIZED_BYTES, PARTITIONS, Stage, staged
from tests.integration.checker import check, observe
from tests.integration.patience import eventually
from tests.integration.processes import COMMAND, SLEEPY_COMMAND

PER_S = 150.0  # what two cores fold with room to spare, with workers starting all the time
SECONDS_PER_DAY = 2.5  # of the run, for a day of the stream: a midnight's sweep that often
_LONGER = 3.0  # than asked for: events go on coming until the last fault is over
_FIRST_CHANGES_WITHIN_S = 60.0
_IDLE_S = "1"
_DRAINED_WITHIN_S = 90.0
_MUTANT_DRAINED_WITHIN_S = 60.0  # some never come to rest
_DRAINS_MAX = 3  # a worker may give up once (exit 3): it is started again, like any other
_LOOK_S = 0.2
_BEHIND_MAX = 1_500  # records
_RECORDS_BETWEEN = 60  # two faults
_STANDSTILL_S_MAX = 6.0  # then the next one comes all the same
_QUIET_S = 0.5  # sequence of healing: connections come back by themselves


@dataclass(frozen=True)
class Plan:
    """What one run is to be.

    Attributes:
        seed: of the stream and the schedule.
        seconds: how long events come in, at least.
        faults: what goes wrong.
        first_points: one worker each at the start; named points that they die at, or "".
        worker_command: `shoal`, or a mutant of it.
        sleepy_command: the same, falling asleep at a point.
        drained_within_s: how long it may take until nothing is left to do.
        directory: where logs and data go; kept. None: a temporary one, kept after a failure.
    """

    seed: int
    seconds: float
    faults: Sequence[Fault]
    first_points: Sequence[str] = ("", "", "")
    worker_command: Sequence[str] = COMMAND
    sleepy_command: Sequence[str] = SLEEPY_COMMAND
    drained_within_s: float = _DRAINED_WITHIN_S
    directory: Path | None = None


def plan(seed: int, seconds: float) -> Plan:
    """Plan a run with every kind of fault."""
    return Plan(seed, seconds, schedule(seed, seconds))


def plan_mutant(seed: int, seconds: float, name: str) -> Plan:
    """Plan a run of workers with one rule off, with the faults that bear on it."""
    mutation, command = MUTATIONS[name], (sys.executable, "-m", "tests.campaign.mutant")
    return Plan(
        seed,
        seconds,
        schedule(seed, seconds, mutation.kinds, mutation.points, mutation.sleeping_points),
        first_points=("", "", ""),
        worker_command=(*command, name),
        sleepy_command=(*command, f"{name}+asleep"),
        drained_within_s=_MUTANT_DRAINED_WITHIN_S,
    )


def run(planned: Plan) -> Outcome:
    """Carry a plan out."""
    directory = planned.directory or Path(tempfile.mkdtemp(prefix="shoal-campaign-"))
    directory.mkdir(parents=True, exist_ok=True)
    started_s = monotonic()
    # A process dies with the thread that has started it: these outlast the run.
    with ThreadPoolExecutor(len(planned.faults) + 1) as threads, staged(directory, {}) as stage:
        outcome = Outcome()
        fleet = Fleet(stage.scenario, stage.is_up, planned.worker_command, planned.sleepy_command)
        _attack(stage, fleet, planned, outcome, threads)
        outcome.crashes, outcome.gave_up = fleet.crashes, fleet.gave_up
        outcome.undrained = _drain(stage, planned)
        _check(stage, outcome)
    outcome.seconds = monotonic() - started_s
    for crash in outcome.crashes:
        print(f"crash: {crash}", file=sys.stderr)  # noqa: T201 -- shown with the line
    if outcome.missed:
        print(f"did not come to pass: {told(outcome.missed)}", file=sys.stderr)  # noqa: T201
    if outcome.undrained:
        print(f"never came to rest: {outcome.undrained}", file=sys.stderr)  # noqa: T201
    if planned.directory is None:
        if outcome.is_clean:
            shutil.rmtree(directory)
        else:
            print(f"logs: {directory}", file=sys.stderr)  # noqa: T201 -- shown with the line
    return outcome


def _attack(stage: Stage, fleet: Fleet, planned: Plan, outcome: Outcome, threads: Executor) -> None:
    """Send events and carry the faults out, each in a thread of its own."""
    longest_s = planned.seconds * _LONGER
    events = stream(planned.seed, int(longest_s * PER_S), int(longest_s / SECONDS_PER_DAY))
    load = Load(
        stage.scenario.deployment,
        events,
        PER_S,
        seed=planned.seed,
        partitions=PARTITIONS,
        oversized_bytes=OVERSIZED_BYTES,
    )
    try:
        fleet.start(threads, *planned.first_points)
        load.start()
        _let_faults_happen(Pace(stage, load), stage, fleet, planned, outcome, threads)
        load.end()
        sleep(_QUIET_S)
        fleet.end()
    finally:  # or they would go on for ever
        load.stop.set()
        fleet.stop()
    _count_points(fleet, planned, outcome)


def _let_faults_happen(
    pace: "Pace", stage: Stage, fleet: Fleet, planned: Plan, outcome: Outcome, threads: Executor
) -> None:
    """Begin each fault at its time, and wait until they are over and the time is up."""
    with suppress(AssertionError):  # an outcome with few changes says it
        eventually(pace.has_begun, _FIRST_CHANGES_WITHIN_S, "changes")
    started_s, acting = monotonic(), dict[Fault, Future[bool]]()
    for fault in planned.faults:
        pace.wait_until(started_s + fault.at_s)
        acting[fault] = threads.submit(carry_out, stage, fleet, fault)
    for fault, done in acting.items():
        while not done.done():
            pace.look()
            sleep(_LOOK_S)
        if not fault.point:
            counted = outcome.faults if done.result() else outcome.missed
            counted[fault.kind] += 1
        done.result()
    pace.wait_until(started_s + planned.seconds)


def _count_points(fleet: Fleet, planned: Plan, outcome: Outcome) -> None:
    """Count who died or slept where, in time or later on."""
    outcome.reached = fleet.reached
    for fault in planned.faults:
        if fault.point:
            name = fault.point.partition(":")[0]
            place = f"asleep {name}" if "asleep" in fault.kind else name
            outcome.faults[fault.kind] += fleet.reached[place] > 0
            if not fleet.reached[place]:
                outcome.missed[f"{fault.kind}: {name}"] += 1
    outcome.faults = +outcome.faults


class Pace:
    """Keeps load and faults in step with what the workers get done, however busy the machine is."""

    def __init__(self, stage: Stage, load: Load) -> None:
        """Begin."""
        self._stage, self._load = stage, load
        self._before = 0

    def has_begun(self) -> bool:
        """Tell whether there are changes already, so that there is something to lose."""
        self.look()
        return self._sum("sequence") > 0

    def look(self) -> int:
        """Hold the load when the workers are far behind it; give the records applied so far."""
        applied = self._sum("applied_offset")
        self._load.held = self._load.sent - applied > _BEHIND_MAX
        return applied

    def wait_until(self, at_s: float) -> None:
        """Wait for a time, and for some work to be done: who stands still cannot stumble."""
        deadline_s = at_s + _STANDSTILL_S_MAX
        while (now_s := monotonic()) < deadline_s:
            applied = self.look()
            worked = not 0 <= applied - self._before < _RECORDS_BETWEEN  # less: Redis was emptied
            if now_s >= at_s and worked:
                break
            sleep(_LOOK_S)
        self._before = self.look()

    def _sum(self, counter: str) -> int:
        try:
            return sum(meta[counter] for meta in self._stage.metas())
        except redis.RedisError:
            return self._before  # away: nothing has been done


def _drain(stage: Stage, planned: Plan) -> str:
    """Let fresh processes finish whatever is left; say why not, if they cannot."""
    deadline_s, said = monotonic() + planned.drained_within_s, ""
    for _ in range(_DRAINS_MAX):
        command = [*planned.worker_command]
        process = stage.scenario.start("run", "--until-idle", _IDLE_S, command=command)
        try:
            code = process.wait(max(1.0, deadline_s - monotonic()))
        except AssertionError as error:
            process.kill()
            return str(error)
        if code == 0:
            return ""
        said = f"exit code {code}: {process.tail()}"
    return said


def _check(stage: Stage, outcome: Outcome) -> None:
    """Hold topics and Redis against everything that is promised."""
    everything = list(observe(stage.scenario.deployment))
    deployment = stage.scenario.deployment
    outcome.findings = check(deployment, everything, event_bytes_max=EVENT_BYTES_MAX)
    outcome.records = sum(len(one.events) for one in everything)
    outcome.changes = sum(len(one.changes) for one in everything)
    outcome.releases = len(everything[0].models)
