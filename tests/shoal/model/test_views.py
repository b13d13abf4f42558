"""What the commands about releases tell, without any service."""

import pytest

from segments.lineage import Lineage
from segments.model import SegmentModel
from shoal.errors import WrongUse
from shoal.model.difference import difference
from shoal.model.lineage_view import sentence
from shoal.model.listing import listing, summary
from shoal.model.record import record
from shoal.model.releases import Releases
from tests.segments.models import model_with

LINEAGE = (
    Lineage(id=1, name="few", kind="kept", from_ids=(1,), into_ids=(1,), share=0.9),
    Lineage(id=4, name="many", kind="split_from", from_ids=(2,), into_ids=(4,), share=0.8),
    Lineage(id=2, name="old", kind="merged_into", from_ids=(2,), into_ids=(1,), share=0.7),
)


def release(major: int, minor: int, **over: object) -> SegmentModel:
    return model_with([[0.0, 1.0], [2.0, -1.0]], major=major, minor=minor, **over)


def history() -> Releases:
    refinements = [release(1, minor) for minor in range(1, 30)]
    return Releases(
        [
            release(1, 0, release="bootstrap"),
            *refinements,
            release(2, 0, release="refit", lineage=LINEAGE),
            release(2, 1),
        ]
    )


def test_the_list_shows_what_is_more_than_a_refinement_and_the_newest() -> None:
    found = listing(history(), last=3)
    assert [one.version for one in found.releases] == ["1.0", "1.29", "2.0", "2.1"]
    assert (found.newest, found.total) == ("2.1", 32)
    assert len(listing(history(), last=None).releases) == 32
    assert [one.version for one in listing(history(), last=0).releases] == ["1.0", "2.0"]


def test_an_unknown_version_is_told_with_those_that_there_are() -> None:
    with pytest.raises(WrongUse, match=r"no release '3\.0': versions run from 1\.0 to 2\.1"):
        history().find("3.0")
    assert history().find("1.10").minor == 10


def test_lineage_is_told_in_words() -> None:
    assert summary(LINEAGE) == "1 kept, 1 split from, 1 merged into"
    assert [sentence(one) for one in LINEAGE] == [
        "kept: 1 · few — 90% of its people stay",
        "split from: 4 · many — 80% of its people were in 2",
        "merged into: 2 · old — 70% of its people are in 1 now",
    ]


def test_a_centroid_that_has_not_moved_lies_where_it_was_in_another_scaling_too() -> None:
    # The same points, in a scaling twice as wide with its middle at 1.
    before = release(1, 0)
    after = model_with(
        [[-0.5, 0.0], [0.5, -1.0]],
        major=2,
        mean=(1.0, 1.0),
        deviation=(2.0, 2.0),
    )
    found = difference(before, after, None)
    assert [one.distance for one in found.displacements] == [0.0, 0.0]
    assert [scale.mean for scale in found.scales] == [(0.0, 1.0)] * 2
    assert [scale.deviation for scale in found.scales] == [(1.0, 2.0)] * 2


def test_a_difference_names_what_is_gone_new_renamed_and_moved() -> None:
    before = release(1, 0)
    after = model_with(
        [[0.0, 1.0], [3.0, -1.0]], major=2, ids=(1, 3), renamed={1: "Ours"}, lineage=LINEAGE
    )
    found = difference(before, after, None)
    assert found.only_before == {2: "name 2"}
    assert found.only_after == {3: "name 2"}
    assert found.renamed == {1: ("name 1", "Ours")}
    assert [one.id for one in found.displacements] == [1]
    assert found.scales == []
    moved = difference(before, model_with([[0.0, 1.0], [2.0, 2.0]], minor=1), None).displacements
    assert [(one.id, one.distance) for one in moved] == [(2, 3.0), (1, 0.0)]
    assert list(moved[0].features.values()) == [0.0, 3.0]


def test_a_feature_that_only_one_release_uses_is_told() -> None:
    after = model_with([[0.0], [2.0]], major=2)
    [scale] = difference(release(1, 0), after, None).scales
    assert (scale.mean, scale.deviation) == ((0.0, None), (1.0, None))


def test_a_record_has_sizes_of_now_and_centroids_in_the_features_own_units() -> None:
    model = model_with([[0.0], [2.0]], features=("page_views_per_day",))
    found = record(model, model, {2: 7}, None)
    assert found.in_force
    assert [(one.id, one.size) for one in found.segments] == [(1, 0), (2, 7)]
    [low, high] = [one.centroid["page_views_per_day"] for one in found.segments]
    assert low == 0.0
    assert high == pytest.approx(6.389, abs=1e-3)
    assert [one.size for one in record(model, release(9, 9), None, None).segments] == [None, None]
