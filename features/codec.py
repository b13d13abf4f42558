"""The stored form of a user's state: one packed value, only what is not zero.

    offset  bytes  what (all numbers little-endian)
    0       64     head, see `features.slab.HEAD`; byte 0 is the layout number, and in
                   ``flags`` bits 1-2 say how wide the cells are (0, 1, 2: 1, 2, 4 bytes each),
                   bit 3 that names or traits follow
    64      29     bit map of the 228 cells, first cell = highest bit of the first byte
    93      18     bit map of the 144 words, likewise
    111     c to 4c  the c non-zero cells in order: unsigned integers
    …       8w     the w non-zero words in order: float64, or 64-bit hashes in the id ring
    …       rest   nothing, or MessagePack [[interest name, …], traits as canonical JSON or nil];
                   the names in the order of the interest weights

The cell and word columns are those of `features.tiles` and `features.slab`. A known metric of
value 0 is a zero word, told from "not given" by ``known_mask``. Decoding what was encoded gives the
same bits, and encoding it again the same bytes.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.errors import CorruptState, UnknownLayout
from features.profile import decode_traits
from features.slab import (
    FORGOTTEN,
    HEAD,
    INTERESTS_MAX,
    KNOWN_METRICS,
    RING_IDS,
    WORD_COLUMNS,
    Slab,
)
from features.tiles import CELL_COLUMNS

LAYOUT_VERSION: Final = 1
"""Changes whenever older releases could not read the values any more."""

_WIDTH_SHIFT: Final = 1
_WIDTH_MASK: Final = 0b11
_TAILED: Final = 8
_CELL_TYPES: Final = ("u1", "<u2", "<u4")
"""Of the cells of one user, by width code; nearly all users need the first."""
_CELL_MAP_BYTES: Final = -(-CELL_COLUMNS // 8)
_WORD_MAP_BYTES: Final = WORD_COLUMNS // 8
_CELL_MAP: Final = slice(HEAD.itemsize, HEAD.itemsize + _CELL_MAP_BYTES)
_WORD_MAP: Final = slice(_CELL_MAP.stop, _CELL_MAP.stop + _WORD_MAP_BYTES)
_FIXED_BYTES: Final = _WORD_MAP.stop
_WORD_BYTES: Final = 8

_encode_tail: Final = msgspec.msgpack.Encoder().encode
_decode_tail: Final = msgspec.msgpack.Decoder(tuple[list[str], bytes | None]).decode


def encode(slab: Slab, slots: NDArray[np.int64]) -> list[bytes]:
    """Pack the states of users.

    Args:
        slab: the numbers are not changed; tails made here are kept for the next time.
        slots: i8[n].

    Returns:
        One value per slot.
    """
    n = len(slots)
    cells, floats = slab.borrow(slots)
    words = floats.view(np.uint64)
    cell_mask, word_mask = cells != 0, words != 0
    greatest = cells.max(axis=1, initial=0)
    width = (greatest > 0xFF).astype(np.uint8) + (greatest > 0xFFFF)
    tails = [slab.tails[slot] or _make_tail(slab, slot) for slot in slots.tolist()]
    tailed = np.array([tail != b"" for tail in tails], np.bool_)

    head = slab.heads(slots)
    head["layout"] = LAYOUT_VERSION
    head["flags"] |= (width << _WIDTH_SHIFT) | np.where(tailed, np.uint8(_TAILED), np.uint8(0))
    fixed = np.empty((n, _FIXED_BYTES), np.uint8)
    fixed[:, : HEAD.itemsize] = head.view(np.uint8).reshape(n, HEAD.itemsize)
    fixed[:, _CELL_MAP] = np.packbits(cell_mask, axis=1)
    fixed[:, _WORD_MAP] = np.packbits(word_mask, axis=1)

    fixed_bytes = fixed.tobytes()
    starts = range(0, n * _FIXED_BYTES, _FIXED_BYTES)
    cell_parts = _cell_parts(_chosen(cells, cell_mask), _counts(cell_mask), width)
    word_parts = _slices(_chosen(words, word_mask).tobytes(), _counts(word_mask) * _WORD_BYTES)
    return [
        fixed_bytes[start : start + _FIXED_BYTES] + cell + word + tail
        for start, cell, word, tail in zip(starts, cell_parts, word_parts, tails, strict=True)
    ]


def _counts(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count what is true in each row (at most 255)."""
    counts = np.add.reduce(mask.view(np.uint8), axis=1, dtype=np.uint8)
    return np.asarray(counts, np.int64)


def _chosen(values: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Give values[mask], three times as fast."""
    return values.reshape(-1).take(np.flatnonzero(mask))


def _slices(joined: bytes, lengths: NDArray[np.int64]) -> list[bytes]:
    """Cut bytes into consecutive pieces."""
    ends = np.cumsum(lengths).tolist()
    return [joined[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def _cell_parts(
    values: NDArray[np.uint32], counts: NDArray[np.int64], width: NDArray[np.uint8]
) -> list[bytes]:
    """Pack each user's non-zero cells as narrowly as the greatest of them allows."""
    parts = _slices(values.astype(np.uint8).tobytes(), counts)
    ends = np.cumsum(counts)
    for i in np.flatnonzero(width).tolist():
        cells = values[ends[i] - counts[i] : ends[i]]
        parts[i] = cells.astype(_CELL_TYPES[width[i]]).tobytes()
    return parts


def _make_tail(slab: Slab, slot: int) -> bytes:
    """Pack a user's interest names and traits and keep the result."""
    count = int(slab.head["interest_count"][slot])
    traits = slab.traits[slot]
    if count == 0 and traits is None:
        return b""
    names = slab.interests.names
    tail = _encode_tail(([names[i] for i in slab.interest_ids[slot, :count].tolist()], traits))
    slab.tails[slot] = tail
    return tail


def decode(slab: Slab, slots: NDArray[np.int64], values: Sequence[bytes]) -> None:
    """Unpack stored states into rows of the slab, whatever these held before.

    Args:
        slab: changed in place, only when all values are sound.
        slots: i8[n], distinct.
        values: n values that `encode` gave.

    Raises:
        UnknownLayout: a value has another layout.
        CorruptState: a value is cut short or inconsistent.
    """
    lengths = np.array([len(value) for value in values], np.int64)
    _check_layouts(values, lengths)
    n = len(values)
    fixed = np.frombuffer(b"".join([value[:_FIXED_BYTES] for value in values]), np.uint8)
    fixed = fixed.reshape(n, _FIXED_BYTES)
    head = fixed[:, : HEAD.itemsize].copy().view(HEAD)[:, 0]
    cell_mask = np.unpackbits(fixed[:, _CELL_MAP], axis=1, count=CELL_COLUMNS).view(np.bool_)
    word_mask = np.unpackbits(fixed[:, _WORD_MAP], axis=1, count=WORD_COLUMNS).view(np.bool_)
    width = ((head["flags"] >> _WIDTH_SHIFT) & _WIDTH_MASK).astype(np.uint8)
    word_starts = _FIXED_BYTES + (_counts(cell_mask) << width)
    tail_starts = word_starts + _counts(word_mask) * _WORD_BYTES
    _check_heads(head, lengths, tail_starts)
    starts, ends = word_starts.tolist(), tail_starts.tolist()
    tails = [value[end:] for value, end in zip(values, ends, strict=True)]
    interest_ids, traits = _read_tails(slab, tails, head["interest_count"].tolist())

    cells, words = slab.borrow_blank(n)
    cell_parts = [value[_FIXED_BYTES:start] for value, start in zip(values, starts, strict=True)]
    cells.reshape(-1)[np.flatnonzero(cell_mask)] = _read_cells(cell_parts, width)
    word_parts = [v[start:end] for v, start, end in zip(values, starts, ends, strict=True)]
    words.reshape(-1)[np.flatnonzero(word_mask)] = np.frombuffer(b"".join(word_parts), "<f8")
    head["layout"] = 0
    head["flags"] &= FORGOTTEN
    slab.set_heads(slots, head)
    slab.cells[slots] = cells
    slab.words[slots] = words
    slab.interest_ids[slots] = interest_ids
    for slot, tail, trait in zip(slots.tolist(), tails, traits, strict=True):
        slab.tails[slot] = tail or None
        slab.traits[slot] = trait


def _check_layouts(values: Sequence[bytes], lengths: NDArray[np.int64]) -> None:
    """Refuse values of another layout, and those too short to have a head and maps."""
    found = {value[:1] for value in values} - {bytes([LAYOUT_VERSION]), b""}
    if found:
        raise UnknownLayout(min(found)[0], LAYOUT_VERSION)
    short = np.flatnonzero(lengths < _FIXED_BYTES)
    if len(short):
        position = int(short[0])
        raise CorruptState(position, f"{lengths[position]} bytes, at least {_FIXED_BYTES} expected")


def _check_heads(head: Any, lengths: NDArray[np.int64], tail_starts: NDArray[np.int64]) -> None:
    """Refuse values whose head contradicts itself or their length."""
    for broken, why in (
        (lengths < tail_starts, "cut short"),
        ((lengths > tail_starts) != ((head["flags"] & _TAILED) != 0), "names cut or unexpected"),
        (head["flags"] >= 2 * _TAILED, "unknown flags"),
        ((head["flags"] >> _WIDTH_SHIFT) & _WIDTH_MASK >= len(_CELL_TYPES), "unknown width"),
        (head["ring_next"] >= RING_IDS, "impossible place in the id ring"),
        (head["interest_count"] > INTERESTS_MAX, "too many interests"),
        (head["known_mask"] >= 1 << KNOWN_METRICS, "unknown metrics"),
    ):
        if broken.any():
            raise CorruptState(int(np.argmax(broken)), why)


def _read_cells(parts: list[bytes], width: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Read the non-zero cells of all users."""
    if not width.any():
        return np.frombuffer(b"".join(parts), np.uint8).astype(np.uint32)
    return np.concatenate(
        [
            np.frombuffer(part, _CELL_TYPES[code]).astype(np.uint32)
            for part, code in zip(parts, width.tolist(), strict=True)
        ]
    )


def _read_tails(
    slab: Slab, tails: list[bytes], counts: list[int]
) -> tuple[NDArray[np.int32], list[bytes | None]]:
    """Read interest names and traits.

    Returns:
        i4[n, 32] of interest ids, and the traits of each user.
    """
    interest_ids = np.full((len(tails), INTERESTS_MAX), -1, np.int32)
    all_traits: list[bytes | None] = [None] * len(tails)
    flat: list[str] = []
    for position, (tail, count) in enumerate(zip(tails, counts, strict=True)):
        if not tail and not count:
            continue
        try:
            names, traits = _decode_tail(tail)
            if traits is not None:
                decode_traits(traits)
        except (msgspec.MsgspecError, UnicodeDecodeError) as failure:
            raise CorruptState(position, f"unreadable names or traits: {failure}") from None
        if len(names) != count:
            raise CorruptState(position, f"{len(names)} interest names for {count} weights")
        flat += names
        all_traits[position] = traits
    held = np.arange(INTERESTS_MAX) < np.array(counts, np.int64)[:, None]
    interest_ids[held] = slab.interests.ids_of(flat)
    return interest_ids, all_traits
