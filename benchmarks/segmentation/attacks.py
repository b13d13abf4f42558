"""Bots, a feature × 10, a burst: how many OTHER users move because of it? It must be nobody.

    python -m benchmarks.segmentation.attacks [--write]

The users stand still, so nothing but the model can move them. Each attack is on its own copy of the
same world, ordinary samples go on after it for some days, and releases with them. The attacks
are put to the learner directly: the workers' limit of a sample per user and ten minutes, which
would stop most of them, is left out.
"""

import argparse
import sys
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.segmentation import document
from benchmarks.segmentation.populations import PopulationSpec
from benchmarks.segmentation.still import ACTIVITY, Still, still
from benchmarks.segmentation.stream import Floats
from features.catalogue import MODEL_FEATURES, feature_index
from producer.truth import user_id
from segments.model import CompiledModel
from segments.scaling import CLIP

SEED = 32
USERS = 1000
DAYS = 28
WARM_SAMPLES = 4000
AFTER_SAMPLES = 3000
BOT_EVENTS = 50
BURST_EVENTS = 1000
TEN_MINUTES_MS = 600_000
CERTAIN = 1e6  # evidence
TENTH = 10

Attack = Callable[[Still], None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="into docs/segmentation.md")
    options = parser.parse_args()
    spec = PopulationSpec(name="attacked", seed=SEED, users=USERS, days=DAYS, switchers=0.0)
    world, _ = still(spec, SEED)
    world.live(WARM_SAMPLES)
    world.forget_moves()
    lines = [
        "| attack | users moved | only because of it | releases meanwhile |",
        "|---|---|---|---|",
    ]
    worst = 0
    # Users at a border move now and then without any attack: those of the longer quiet time.
    quiet = world.copy()
    quiet.live(3 * USERS + AFTER_SAMPLES)
    for name, attack in attacks(world):
        tried = world.copy()
        before = len(tried.releases)
        attack(tried)
        tried.live(AFTER_SAMPLES)
        moved = int(tried.moved.sum())
        caused = int((tried.moved & ~quiet.moved).sum())
        worst = max(worst, caused)
        lines.append(f"| {name} | {moved} of {USERS} | {caused} | {len(tried.releases) - before} |")
        print(lines[-1], flush=True)
    if options.write:
        about = (
            f"{USERS} users as they are after {DAYS} days, seed {SEED}; {AFTER_SAMPLES} samples of "
            "ordinary users after each attack."
        )
        document.write("attacks", "\n".join([about, "", *lines]))
    return worst > 0


def attacks(world: Still) -> Iterator[tuple[str, Attack]]:
    """Each attack with its name."""
    yield "none", lambda _: None
    yield "none, three days longer", times_ten(MODEL_FEATURES[0], nobody)
    yield f"one bot, {BOT_EVENTS} samples, everything at its highest", one_bot
    yield f"{BOT_EVENTS} bots, a sample each, everything at its highest", many_bots
    yield f"a burst of {BURST_EVENTS} samples of one user", burst
    yield "all features of one user × 10", one_user_times_ten
    for name in world.releases[-1].features:
        yield f"{name} × 10 in every sample, for three days", times_ten(name, everybody)
    for name in world.releases[-1].features:
        yield f"{name} × 10 for a tenth of the users, for three days", times_ten(name, a_tenth)


def one_bot(world: Still) -> None:
    for _ in range(BOT_EVENTS):
        world.now_ms += TEN_MINUTES_MS
        world.tell("bot", *highest(world))


def many_bots(world: Still) -> None:
    for number in range(BOT_EVENTS):
        world.now_ms += TEN_MINUTES_MS
        world.tell(f"bot {number}", *highest(world))


def highest(world: Still) -> tuple[Floats, Floats]:
    """A vector at the upper end of every feature that the model uses, beyond all doubt."""
    scaling = CompiledModel(world.releases[-1]).scaling
    values = np.zeros(world.values.shape[1])
    values[scaling.columns] = scaling.values_at(np.full((1, len(scaling.columns)), CLIP))[0]
    values[ACTIVITY] = 1.0
    return values, np.full(len(values), CERTAIN)


def burst(world: Still) -> None:
    """A user at the edge of a segment says the same a thousand times."""
    model = CompiledModel(world.releases[-1])
    z = model.scaling.project(world.values, world.evidence)
    far = np.square(z[:, None] - model.centroids).sum(axis=2).min(axis=1)
    user = int(np.argsort(far)[int(0.95 * USERS)])
    for _ in range(BURST_EVENTS):
        world.now_ms += 1000
        world.tell(user_id(user), world.values[user], world.evidence[user])


def one_user_times_ten(world: Still) -> None:
    columns = [feature_index(name) for name in MODEL_FEATURES]
    values = world.values[0].copy()
    values[columns] *= 10
    for _ in range(BOT_EVENTS):
        world.now_ms += TEN_MINUTES_MS
        world.tell(user_id(0), values, world.evidence[0])


def nobody(_: int) -> bool:
    return False


def everybody(_: int) -> bool:
    return True


def a_tenth(user: int) -> bool:
    return user % TENTH == 0


def times_ten(name: str, affected: Callable[[int], bool]) -> Attack:
    column = feature_index(name)

    def bug(user: int, values: Floats) -> Floats:
        if affected(user):
            values[column] *= 10
        return values

    def attack(world: Still) -> None:
        world.live(3 * USERS, bug)

    return attack


if __name__ == "__main__":
    sys.exit(main())
