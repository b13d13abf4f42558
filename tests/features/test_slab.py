"""The slab: rows, their reset, and the names behind interest ids."""

import numpy as np

from features.slab import HEAD, WORD_COLUMNS, Interner, Slab
from tests.features.test_codec import assert_same_slabs


def test_a_cleared_row_is_as_if_never_seen() -> None:
    slab, fresh = Slab(3), Slab(3)
    slab.head["level"], slab.head["segment"] = 7, 2
    slab.cells[...], slab.words[...], slab.interest_ids[...] = 1, 1.0, 0
    slab.traits, slab.tails = [b"{}"] * 3, [b"x"] * 3
    slab.clear(np.array([2, 0]))
    assert slab.head["level"].tolist() == [0, 7, 0]
    slab.clear(np.array([1]))
    assert_same_slabs(fresh, slab)
    assert slab.tails == [None] * 3


def test_heads_are_copies_and_can_be_written_back() -> None:
    slab = Slab(3)
    heads = slab.heads(np.array([2, 1]))
    heads["level"] = [5, 6]
    assert slab.head["level"].tolist() == [0, 0, 0]
    slab.set_heads(np.array([2, 1]), heads)
    assert slab.head["level"].tolist() == [0, 6, 5]


def test_the_head_is_64_bytes_without_padding() -> None:
    assert HEAD.itemsize == 64
    assert sum(HEAD[name].itemsize for name in HEAD.names or ()) == 64
    assert WORD_COLUMNS == 144


def test_ids_are_given_once_per_name() -> None:
    interner = Interner()
    assert interner.ids_of(["b", "a", "b"]) == [0, 1, 0]
    assert interner.names == ["b", "a"]
    assert len(interner) == 2
