"""Every system on one population."""

import time
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.segmentation.ceiling import Ceiling
from benchmarks.segmentation.pipeline import Shoal
from benchmarks.segmentation.rivals import System, rivals
from benchmarks.segmentation.score import Score, Tally, score
from benchmarks.segmentation.stream import Trace
from features.tiles import DAY_MS
from segments.learner import LearnerSettings
from segments.model import CompiledModel


def follow(system: System, trace: Trace) -> tuple[Tally, float]:
    """Show a system the stream.

    Returns:
        Its labels, and the seconds of processor time it took.
    """
    tally = Tally(*trace.persona.shape)
    seconds = 0.0
    for looks in trace.looks:
        start = time.process_time()
        labels = system.look(looks)
        seconds += time.process_time() - start
        tally.note(looks, labels)
    return tally, seconds


def judged(
    trace: Trace, settings: LearnerSettings | None = None, *, only_shoal: bool = False
) -> Iterator[tuple[str, Score]]:
    """Run every system over a population, one after the other.

    Args:
        trace: The population.
        settings: Shoal's; its defaults and the true number of segments unless given.
        only_shoal: Leave the rivals out.

    Yields:
        Name and score.
    """
    k = trace.spec.personas
    shoal = Shoal(trace.persona.shape[1], settings or LearnerSettings(segments=k))
    tally, seconds = follow(shoal, trace)
    first = CompiledModel(shoal.releases[0])
    started_ms = first.model.released_ms - trace.spec.settings().start_ms
    first_day = started_ms // DAY_MS + 1
    yield shoal.name, replace(score(tally, trace, first_day), seconds=seconds)
    others: list[System] = [Ceiling(trace.everybody(), first.model.features, k)]
    if not only_shoal:
        others += rivals(k, first.scaling)
    for system in others:
        tally, seconds = follow(system, trace)
        yield system.name, replace(score(tally, trace, first_day), seconds=seconds)
