"""The counters of a partition and their stored form."""

from consumer.meta import Outcomes, PartitionMeta, decode_meta, encode_meta


def full() -> PartitionMeta:
    return PartitionMeta(
        applied_offset=7,
        sequence=3,
        stream_ms=2**50,
        as_of_ms=2**50 + 1,
        users={1: 2, 12: 1},
        unassigned=4,
        outcomes=Outcomes(applied=5, duplicate=2, late=1, dead={"future": 3, "not_json": 1}),
        model_major=2,
        commits=9,
        restoring=True,
    )


def test_what_is_stored_is_read_back() -> None:
    assert decode_meta(encode_meta("nonce", full())) == full()


def test_the_stored_form_is_the_nonce_and_json() -> None:
    stored = encode_meta("0f", PartitionMeta(applied_offset=7, users={12: 1}))
    assert stored.startswith(b'0f\n{"applied_offset":7,')
    assert b'"users":{"12":1}' in stored


def test_an_owner_who_has_written_nothing_has_no_meta() -> None:
    assert decode_meta(b"0f\n") is None
    assert decode_meta(b"") is None


def test_the_nonce_and_each_counter_make_another_value() -> None:
    once = encode_meta("a", PartitionMeta(applied_offset=0))
    assert encode_meta("b", PartitionMeta(applied_offset=0)) != once
    assert encode_meta("a", PartitionMeta(applied_offset=0, commits=1)) != once


def test_the_same_counters_make_the_same_value() -> None:
    assert encode_meta("a", full()) == encode_meta("a", full().copy())


def test_fields_of_a_later_release_are_ignored() -> None:
    assert decode_meta(b'a\n{"applied_offset":7,"moved_to":"elsewhere"}') == PartitionMeta(
        applied_offset=7
    )


def test_a_copy_is_equal_and_independent() -> None:
    meta, copy = full(), full().copy()
    assert copy == meta
    copy.users[1] += 1
    copy.outcomes.dead["future"] += 1
    copy.outcomes.applied += 1
    assert meta == full()


def test_every_record_is_in_one_outcome() -> None:
    assert full().outcomes.records == 5 + 2 + 1 + 3 + 1


def test_users_seen_are_the_assigned_and_the_unassigned() -> None:
    assert full().users_seen == 2 + 1 + 4


def test_fresh_counters_are_not_shared() -> None:
    one, other = PartitionMeta(applied_offset=0), PartitionMeta(applied_offset=0)
    one.users[1] = 1
    one.outcomes.dead["future"] = 1
    assert other == PartitionMeta(applied_offset=0)
