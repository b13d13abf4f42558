"""What a commit decided: its stored form, what is left to publish, and memberships."""

from consumer.outbox import Outbox, decode_outbox, encode_outbox, membership_of
from segments.changes import Reason
from tests.consumer.builders import change, dead_letter


def test_what_is_stored_is_read_back_byte_for_byte() -> None:
    outbox = Outbox(
        [
            change(
                margin=0.1 + 0.2, reasons=[Reason(feature="ctr", value=None, contribution=1e-300)]
            )
        ],
        [dead_letter(key=None, value=b"\x00\xff", headers=[("a", None), ("b", b"\xfe")])],
    )
    assert decode_outbox(encode_outbox(outbox)) == outbox


def test_a_tombstone_among_the_dead_letters_is_kept() -> None:
    outbox = Outbox([], [dead_letter(value=None)])
    assert decode_outbox(encode_outbox(outbox)).dead[0].value is None


def test_nothing_to_publish_is_stored_as_nothing() -> None:
    assert encode_outbox(Outbox()) == b""
    assert decode_outbox(b"") == Outbox()


def test_changes_or_dead_letters_are_something_to_publish() -> None:
    assert not Outbox()
    assert Outbox([change()], [])
    assert Outbox([], [dead_letter()])


def test_what_lies_behind_the_published_is_left() -> None:
    outbox = Outbox(
        [change(sequence=n) for n in (4, 5, 6)], [dead_letter(offset=n) for n in (10, 20, 30)]
    )
    left = outbox.after(5, 10)
    assert [one.sequence for one in left.changes] == [6]
    assert [one.offset for one in left.dead] == [20, 30]
    assert outbox.after(3, -1) == outbox
    assert not outbox.after(6, 30)


def test_a_change_leads_to_a_membership() -> None:
    moved = change(user_version=3, sequence=8, event_time="2026-11-24T11:00:00.000Z")
    membership = membership_of(moved)
    assert membership is not None
    assert membership.user_id == moved.user_id
    assert membership.segment == moved.current
    assert (membership.user_version, membership.sequence) == (3, 8)
    assert membership.model_version == moved.model_version
    assert membership.since == moved.event_time


def test_without_an_event_the_membership_dates_from_the_decision() -> None:
    moved = change(cause="expiry", event_time=None)
    membership = membership_of(moved)
    assert membership is not None
    assert membership.since == moved.changed_at


def test_who_left_gets_a_tombstone() -> None:
    assert membership_of(change(current=None)) is None
