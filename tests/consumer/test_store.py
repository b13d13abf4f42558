"""The scripts on a real Redis: who is looked at when, and who stays queued."""

import pytest

from consumer.keys import PartitionKeys
from consumer.redis_client import open_redis
from consumer.store import Commit, PartitionStore
from tests.services.deployment import fresh_deployment

pytestmark = pytest.mark.redis

META = b"nonce\n{}"


@pytest.fixture
def store(redis_server: str) -> PartitionStore:
    """Three users whose time comes at 100, 200 and 300."""
    name = fresh_deployment("", redis_server).namespace
    store = PartitionStore(open_redis(redis_server, timeout_s=5.0), PartitionKeys(name, 0))
    meta, _ = store.own("nonce")
    commit(store, meta, META, due=(b"100", b"a", b"200", b"b", b"300", b"c"))
    return store


def commit(store: PartitionStore, expected: bytes = META, new: bytes = b"", **what: object) -> None:
    store.commit(Commit(expected_meta=expected, new_meta=new or META, outbox=b"", **what))  # type: ignore[arg-type]


def test_the_earliest_come_first_and_the_next_one_is_named(store: PartitionStore) -> None:
    due = store.due(META, 250, 1, 10)
    assert (due.user_ids, due.scores_ms, due.next_ms, due.queued_left) == (["a"], [100], 200, 0)
    due = store.due(META, 250, 10, 10)
    assert (due.user_ids, due.next_ms) == (["a", "b"], 300)


def test_whose_time_has_come_goes_before_the_queued_and_these_are_bounded(
    store: PartitionStore,
) -> None:
    commit(store, new=b"nonce\n1", queue_everybody=True)
    commit(store, b"nonce\n1", due=(b"150", b"d"))
    due = store.due(META, 200, 10, 2)
    assert (due.user_ids, due.scores_ms) == (["d", "a", "b"], [150, 0, 0])
    assert (due.next_ms, due.queued_left) == (None, 1)
    assert store.due(META, 200, 1, 2).user_ids == ["d"]
    none = store.due(META, 100, 10, 0)
    assert (none.user_ids, none.next_ms, none.queued_left) == ([], 150, 3)


def test_an_event_leaves_a_queued_user_in_the_queue(store: PartitionStore) -> None:
    commit(store, new=b"nonce\n1", queue_everybody=True)
    later = (b"400", b"a", b"500", b"new")
    commit(store, b"nonce\n1", b"nonce\n2", due=later, keeps_queue=True)
    due = store.due(b"nonce\n2", 450, 10, 10)
    assert (due.user_ids, due.next_ms, due.queued_left) == (["a", "b", "c"], 500, 0)
    commit(store, b"nonce\n2", due=later)  # the sweep has looked at them
    assert store.due(META, 450, 10, 10).user_ids == ["a", "b", "c"]
    assert store.due(META, 450, 10, 0).user_ids == ["a"]


def test_fields_of_the_trend_are_set_dropped_and_started_anew(store: PartitionStore) -> None:
    fields = (b"h1", b"one", b"h2", b"two", b"d1", b"day")
    commit(store, new=b"nonce\n1", trend=fields)
    commit(store, b"nonce\n1", b"nonce\n2", trend=(b"h3", b"three"), trend_gone=(b"h1", b"h9"))
    assert store.trend(["h1", "h2", "h3"]) == {"h2": b"two", "h3": b"three"}
    restart = (store.keys.trend.encode(),)
    commit(store, b"nonce\n2", b"nonce\n3", deleted=restart, trend=(b"since", b"now"))
    assert store.trend(["h2", "since"]) == {"since": b"now"}
