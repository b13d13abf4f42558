"""Major versions: who keeps an id, and what is said about the others."""

import msgspec
import numpy as np
import pytest

from features.catalogue import feature_index
from segments.assignment import nearest_rows
from segments.bootstrap import bootstrap
from segments.errors import OrderRefused
from segments.learner import Learner, LearnerSettings
from segments.lineage import trace
from segments.model import CompiledModel, SegmentModel, decode_model, encode_model
from segments.orders import Order
from segments.overlap import Overlap
from segments.refit import refit
from tests.segments.population import PERSONAS, population, stream

WANTED = tuple(PERSONAS)


def overlap(table: list[list[int]]) -> Overlap:
    return Overlap(np.array(table))


def fates(table: list[list[int]], before: dict[int, str], after: dict[int, str]) -> dict[int, str]:
    return {line.id: line.kind for line in trace(overlap(table), before, after)}


def test_a_segment_is_the_one_that_holds_the_same_people() -> None:
    assert overlap([[0, 90, 10], [80, 0, 0], [5, 5, 70]]).matches() == {1: 0, 0: 1, 2: 2}


def test_a_split_leaves_the_id_with_the_larger_part() -> None:
    table = [[100, 0, 0], [0, 60, 40]]
    assert overlap(table).matches() == {0: 0, 1: 1}
    assert fates(table, {1: "a", 2: "b"}, {1: "a", 2: "c", 7: "d"}) == {
        1: "kept",
        2: "renamed",
        7: "split_from",
    }


def test_a_merger_keeps_the_larger_ones_id() -> None:
    table = [[100, 0], [0, 70], [0, 30]]
    assert overlap(table).matches() == {0: 0, 1: 1}
    found = trace(overlap(table), {1: "a", 2: "b", 3: "c"}, {1: "a", 2: "b"})
    assert [(line.id, line.kind, line.into_ids) for line in found if line.id == 3] == [
        (3, "merged_into", (2,))
    ]


def test_what_shares_less_than_a_third_is_another_segment() -> None:
    table = [[30, 30, 40], [32, 32, 36], [31, 33, 36], [34, 30, 36]]
    assert overlap(table).matches() == {}
    before = {1: "a", 2: "b", 3: "c", 4: "d"}
    assert fates(table, before, {5: "x", 6: "y", 7: "z"}) == {
        1: "retired", 2: "retired", 3: "retired", 4: "retired", 5: "new", 6: "new", 7: "new"
    }  # fmt: skip


def first_model(seed: int, users: int = 500) -> tuple[SegmentModel, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values, evidence, _ = population(users, rng)
    return bootstrap(values, evidence, 4, rng, WANTED), values, evidence


def rows(model: SegmentModel, values: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    compiled = CompiledModel(model)
    return compiled.ids[
        nearest_rows(compiled.scaling.project(values, evidence), compiled.centroids)
    ]


@pytest.mark.parametrize("seed", range(10))
def test_users_keep_their_ids_through_a_refit_in_another_scaling(seed: int) -> None:
    model, values, evidence = first_model(seed)
    later = values.copy()
    later[:, feature_index("page_views_per_day")] *= 4.0  # a year on, everybody reads more
    rng = np.random.default_rng(seed)
    version = refit(model, later, evidence, 4, rng, WANTED)
    assert (version.version, version.release, version.next_id) == ("2.0", "refit", 5)
    assert version.ids == model.ids
    assert version.mean != model.mean
    assert version.id_map == {i: i for i in model.ids}
    assert {line.kind for line in version.lineage} <= {"kept", "renamed"}
    same = rows(model, values, evidence) == rows(version, later, evidence)
    assert same.mean() > 0.99, seed


@pytest.mark.parametrize("k", [3, 6])
def test_another_number_of_segments_keeps_what_it_can_and_reuses_no_id(k: int) -> None:
    model, values, evidence = first_model(1)
    retired = msgspec.structs.replace(model, next_id=9)  # 5 to 8 have been and are gone
    version = refit(retired, values, evidence, k, np.random.default_rng(0), WANTED)
    fresh = [i for i in version.ids if i not in model.ids]
    assert len(version.ids) == k
    assert fresh == list(range(9, 9 + len(fresh)))
    assert version.next_id == 9 + len(fresh)
    kinds = {line.id: line.kind for line in version.lineage}
    if k == 3:
        (gone,) = set(model.ids) - set(version.ids)
        assert kinds[gone] == "merged_into"
        assert version.id_map[gone] in version.ids
    else:
        assert [kinds[i] for i in fresh] == ["split_from", "split_from"]
    assert decode_model(encode_model(version)) == version


def test_an_operators_name_stays_with_its_segment() -> None:
    model, values, evidence = first_model(2)
    named = msgspec.structs.replace(model, renamed={3: "Night owls"})
    version = refit(named, values, evidence, 6, np.random.default_rng(0), WANTED)
    assert version.name_of(3) == "Night owls"
    assert sum(version.name_of(i) == "Night owls" for i in version.ids) == 1


SETTINGS = LearnerSettings(
    segments=4, features=WANTED, bootstrap_users=150, release_samples=100, slot_ms=0
)


def learner(samples: int = 1200) -> tuple[Learner, list[SegmentModel]]:
    fresh = Learner.fresh(SETTINGS)
    released: list[SegmentModel] = []
    for offset, sample in enumerate(stream(200, samples, seed=8)):
        released += fresh.learn(sample, offset)
    return fresh, released


def order(kind: str, **what: object) -> Order:
    return msgspec.convert({"id": "o1", "kind": kind, "issued_ms": 1, **what}, Order)


def test_an_order_is_obeyed_in_one_release_that_names_it_and_learning_goes_on() -> None:
    one, _ = learner()
    assert one.model is not None
    newest = one.model
    preview = one.preview(order("refit", segments=5))
    assert one.model == newest
    (version,) = one.obey(order("refit", segments=5), 1200)
    assert (version.version, version.order_id, len(version.ids)) == ("2.0", "o1", 5)
    assert preview.centroids == version.centroids
    assert version.sample_offset == 1201
    more = list(stream(200, 1600, seed=8))[1200:]
    released = [m for at, s in enumerate(more) for m in one.learn(s, 1201 + at)]
    assert released[0].version == "2.1"
    assert released[0].order_id is None
    assert released[0].lineage == ()


def test_a_rollback_within_a_major_version_is_the_next_minor_one() -> None:
    one, released = learner()
    assert one.model is not None
    newest, target = one.model, released[1]
    (version,) = one.obey(msgspec.structs.replace(order("rollback"), model=target), 1200)
    assert version.order == (1, newest.minor + 1)
    assert version.centroids == target.centroids
    assert (version.release, version.restored) == ("rollback", target.version)
    assert version.sample_offset == 1201


def test_a_rollback_across_major_versions_brings_the_old_ids_back_and_reuses_none() -> None:
    one, released = learner()
    old = released[-1]
    one.obey(order("refit", segments=6), 1200)
    assert one.model is not None
    refitted = one.model
    (version,) = one.obey(msgspec.structs.replace(order("rollback"), model=old), 1201)
    assert version.version == "3.0"
    assert (version.ids, version.mean) == (old.ids, old.mean)
    assert version.next_id == refitted.next_id == 7
    kinds = {line.id: line.kind for line in version.lineage}
    assert kinds == {1: "kept", 2: "kept", 3: "kept", 4: "kept", 5: "retired", 6: "retired"}
    (again,) = one.obey(msgspec.structs.replace(order("rollback"), model=refitted), 1202)
    assert again.version == "4.0"
    assert {line.kind for line in again.lineage if line.id in {5, 6}} == {"restored"}


def test_a_rename_is_a_minor_version_and_can_be_taken_back() -> None:
    one, _ = learner()
    assert one.model is not None
    automatic = one.model.name_of(2)
    (named,) = one.obey(order("rename", segment_id=2, name=" Owls "), 1200)
    assert (named.name_of(2), named.release) == ("Owls", "rename")
    assert [(line.id, line.kind) for line in named.lineage] == [(2, "renamed")]
    (back,) = one.obey(order("rename", segment_id=2), 1201)
    assert back.name_of(2) == automatic


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"kind": "rename", "segment_id": 9, "name": "x"}, "has no segment 9; it has 1, 2, 3, 4"),
        ({"kind": "rename", "segment_id": 1, "name": "  "}, "1 to 64 printable"),
        ({"kind": "rename", "segment_id": 1, "name": "a\tb"}, "1 to 64 printable"),
        ({"kind": "rename"}, "does not say what to do"),
        ({"kind": "rollback"}, "does not say what to do"),
        ({"kind": "refit", "segments": 1}, "choose 2 to 100"),
        ({"kind": "refit", "segments": 50}, "1000 users; 176 have been seen"),
        ({"kind": "refit", "segments": "auto"}, "up to 12 segments needs the vectors of 240 users"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_and_changes_nothing(
    what: dict[str, object], why: str
) -> None:
    one, _ = learner(400)
    newest = one.model
    with pytest.raises(OrderRefused, match=why):
        one.obey(order(**what), 400)  # type: ignore[arg-type]
    assert one.model == newest


def test_rollbacks_that_lead_nowhere_are_refused() -> None:
    one, released = learner()
    strange = msgspec.structs.replace(released[0], catalogue="another")
    for target, why in ((strange, "another feature catalogue"), (released[-1], "not older")):
        with pytest.raises(OrderRefused, match=why):
            one.obey(msgspec.structs.replace(order("rollback"), model=target), 1200)


def test_before_the_first_model_there_is_nothing_to_order() -> None:
    with pytest.raises(OrderRefused, match="There is no model yet, so nothing to refit: 0 users"):
        Learner.fresh(SETTINGS).obey(order("refit"), 0)
