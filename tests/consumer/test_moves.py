"""A preview of who would move says what the sweep then does."""

from consumer.live_users import LiveUsers
from consumer.moves import SAMPLE_USERS, MoveCount, Moves
from segments.model import CompiledModel
from tests.consumer.builders import FEW, MOST, NOON_MS, Bench, event, follows, model, profile, rules
from tests.consumer.test_new_major import next_major


def town() -> Bench:
    """Forty people who follow 0, 6, 12 … accounts, one who was nearer elsewhere once, one young."""
    bench = Bench()
    bench.batch(*[profile(6 * n, f"user-{n}") for n in range(40)], profile(0, "torn"))
    bench.batch(*follows(6, "torn"))
    bench.batch(event(user="young"))
    return bench


def preview(bench: Bench, after: CompiledModel, *, as_stored: bool = True) -> Moves:
    assert bench.model is not None
    count = MoveCount(bench.model, after, rules(), as_stored=as_stored)
    count.add(LiveUsers(bench.user_ids, bench.slab), NOON_MS)
    return count.result()


def test_the_preview_is_what_the_sweep_publishes() -> None:
    bench, after = town(), next_major()
    found = preview(bench, after)
    bench.model = after
    published = bench.sweep(NOON_MS, queued=bench.user_ids).changes
    assert found.users == 41
    assert found.moved == len(published) > 0
    assert found.share == found.moved / 41
    routes = {(r.source.id, r.target.id): r.users for r in found.matrix if r.source}
    for (source, target), users in routes.items():
        if source != target:
            same = [
                c
                for c in published
                if (c.previous and c.previous.id, c.current and c.current.id) == (source, target)
            ]
            assert len(same) == users
    assert sum(routes.values()) == 41
    changes = {c.user_id: c for c in published}
    for mover in found.samples:
        change = changes[mover.user_id]
        assert mover.reasons == change.reasons
        assert (mover.margin, mover.target) == (change.margin, change.current)


def test_a_preview_changes_nothing() -> None:
    bench = town()
    before = bench.slab.head.copy()
    preview(bench, next_major())
    assert (bench.slab.head == before).all()


def test_the_sample_is_the_same_in_whatever_batches_users_come() -> None:
    bench, after = town(), next_major()
    whole = preview(bench, after)
    assert bench.model is not None
    count = MoveCount(bench.model, after, rules())
    slots = list(range(len(bench.user_ids)))
    for part in (slots[25:], slots[:25]):
        users = Bench(slab=bench.slab.__class__(64))
        users.slab.head[: len(part)] = bench.slab.head[part]
        users.slab.cells[: len(part)] = bench.slab.cells[part]
        users.slab.words[: len(part)] = bench.slab.words[part]
        count.add(LiveUsers([bench.user_ids[slot] for slot in part], users.slab), NOON_MS)
    assert count.result() == whole
    assert len(whole.samples) <= SAMPLE_USERS


def test_a_user_without_a_segment_comes_from_nowhere() -> None:
    bench = Bench(model=None)
    bench.batch(profile(0), profile(60, "bob"))
    count = MoveCount(model(), model(), rules())
    count.add(LiveUsers(bench.user_ids, bench.slab), NOON_MS)
    found = count.result()
    assert {(r.source, r.target.id) for r in found.matrix} == {(None, FEW), (None, MOST)}
    assert found.moved == 2


def test_two_releases_are_compared_wherever_users_are_now() -> None:
    bench = town()
    bench.model = next_major()
    bench.sweep(NOON_MS, queued=bench.user_ids)
    assert preview(bench, next_major()).moved == 0
    bench.model = model()  # not the one in force: asked first
    there = preview(bench, next_major(), as_stored=False)
    assert there.moved == preview(town(), next_major()).moved


def test_nobody_gives_no_share() -> None:
    count = MoveCount(model(), model(), rules())
    assert count.result() == Moves(users=0, moved=0, share=0.0, matrix=[], samples=[])
