"""Stored states: small, bit-exact, and refused when damaged."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.codec import LAYOUT_VERSION, decode, encode
from features.errors import CorruptState, FeaturesError, UnknownLayout
from features.slab import Slab
from tests.features.streams import DAY_MS, STARTS_MS, USERS, Folder, Record, folded, streams

FIXED_BYTES = 111


def assert_same_slabs(one: Slab, other: Slab) -> None:
    """Equal to the last bit; interests by name, since each slab numbers them its own way."""
    for name in one.head.dtype.names or ():
        assert one.head[name].tolist() == other.head[name].tolist(), name
    assert np.array_equal(one.cells, other.cells)
    assert np.array_equal(one.words.view(np.uint64), other.words.view(np.uint64))
    assert one.traits == other.traits
    assert names_of(one) == names_of(other)


def names_of(slab: Slab) -> list[list[str | None]]:
    return [
        [slab.interests.names[i] if i >= 0 else None for i in row]
        for row in slab.interest_ids.tolist()
    ]


@settings(max_examples=100, deadline=None)
@given(streams())
def test_a_stored_state_comes_back_to_the_last_bit(records: list[Record]) -> None:
    folder = folded(records)
    before, values = folder.slab, folder.encoded()
    folder.move_to_another_slab()
    assert_same_slabs(before, folder.slab)
    assert values == folder.encoded()


@settings(max_examples=50, deadline=None)
@given(streams(), st.data())
def test_a_value_cut_anywhere_is_refused_and_changes_nothing(
    records: list[Record], data: st.DataObject
) -> None:
    folder = folded(records)
    values = folder.encoded()
    victim = data.draw(st.integers(0, len(values) - 1))
    cut = data.draw(st.integers(0, len(values[victim]) - 1))
    damaged = [*values]
    damaged[victim] = values[victim][:cut]
    target = Slab(len(USERS))
    with pytest.raises(CorruptState) as caught:
        decode(target, folder.slots, damaged)
    assert victim == caught.value.position
    assert_same_slabs(Slab(len(USERS)), target)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_or_a_state(garbage: bytes) -> None:
    slab = Slab(1)
    try:
        decode(slab, np.array([0]), [bytes([LAYOUT_VERSION]) + garbage])
    except FeaturesError:
        assert_same_slabs(Slab(1), slab)


@pytest.mark.parametrize("layout", [0, 2, 255])
def test_another_layout_is_named(layout: int) -> None:
    value = encode(Slab(1), np.array([0]))[0]
    with pytest.raises(UnknownLayout) as caught:
        decode(Slab(1), np.array([0]), [bytes([layout]) + value[1:]])
    assert (layout, LAYOUT_VERSION) == (caught.value.found, caught.value.expected)


def test_trailing_bytes_are_refused() -> None:
    value = encode(Slab(1), np.array([0]))[0]
    with pytest.raises(CorruptState, match="unexpected"):
        decode(Slab(1), np.array([0]), [value + b"\x00"])


def test_counts_above_255_and_known_zeros_survive() -> None:
    folder = Folder()
    folder.slab.cells[0, 3], folder.slab.cells[0, 9] = 256, 2**32 - 1
    folder.slab.cells[1, 3], folder.slab.cells[1, 227] = 255, 1
    folder.slab.cells[2, 0], folder.slab.cells[2, 1] = 65_535, 256
    folder.slab.head["known_mask"][1] = 0b100
    before = folder.slab
    assert [len(value) - FIXED_BYTES for value in folder.encoded()] == [8, 2, 4]
    folder.move_to_another_slab()
    assert_same_slabs(before, folder.slab)


def test_nothing_is_nothing() -> None:
    slab = Slab(1)
    assert encode(slab, np.empty(0, np.int64)) == []
    decode(slab, np.empty(0, np.int64), [])


def test_a_user_never_seen_has_the_smallest_value() -> None:
    assert len(encode(Slab(1), np.array([0]))[0]) == FIXED_BYTES


def test_rows_may_be_written_in_any_order_and_over_others() -> None:
    values = [encode(with_applied(i), np.array([0]))[0] for i in range(4)]
    slab = Slab(6)
    slots = np.array([5, 0, 3, 2])
    decode(slab, slots, values[::-1])
    decode(slab, slots, values)
    assert slab.head["applied"].tolist() == [1, 0, 3, 2, 0, 0]
    assert encode(slab, slots) == values


def with_applied(count: int) -> Slab:
    slab = Slab(1)
    slab.head["applied"] = count
    slab.head["last_ms"] = STARTS_MS[0] + count * DAY_MS
    return slab


def test_a_value_cut_before_the_traits_is_refused() -> None:
    slab = Slab(1)
    slab.traits[0] = b'{"age":"25-34"}'
    value = encode(slab, np.array([0]))[0]
    with pytest.raises(CorruptState, match="cut"):
        decode(Slab(1), np.array([0]), [value[:FIXED_BYTES]])
