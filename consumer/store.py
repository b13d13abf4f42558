"""The Redis side of the protocol: own, read, commit. Every write is one conditional script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import redis
import structlog

from consumer.errors import Fenced, RedisAway, ServiceUnavailable
from consumer.keys import PartitionKeys
from consumer.redis_client import RedisClient
from consumer.redis_trouble import trouble

_log = structlog.get_logger(__name__)


def _packed(items: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Give a list as two script arguments, lengths (uint32) and bytes.

    Two large arguments instead of thousands of small ones: redis-py would spend more time writing
    those than Redis spends on the commit.
    """
    lengths = np.fromiter(map(len, items), "<u4", len(items))
    return lengths.tobytes(), b"".join(items)


@cache
def script(name: str) -> str:
    """Give the text of one of `scripts/`."""
    return resources.files("consumer").joinpath("scripts", f"{name}.lua").read_text()


def calling_redis(call: Callable[[], Any]) -> Any:
    """Call Redis, telling the world's faults (worth another try) from ours.

    Raises:
        RedisAway: Redis did not answer, or cannot at the moment.
    """
    try:
        return call()
    except (redis.RedisError, redis.exceptions.RedisClusterException) as error:
        why = trouble(error)
        if why is None:
            raise
        raise RedisAway(why) from error


def needing_redis(call: Callable[[], Any]) -> Any:
    """Call Redis where there is nothing to wait with: at a start, in a look-up.

    Raises:
        ServiceUnavailable: Redis did not answer.
    """
    try:
        return calling_redis(call)
    except RedisAway as error:
        msg = f"Redis cannot be reached ({error}): start it, or set SHOAL_REDIS_URL"
        raise ServiceUnavailable(msg) from error


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One atomic write of a partition, in the form in which it goes to Redis."""

    expected_meta: bytes
    new_meta: bytes
    outbox: bytes
    states: Sequence[bytes] = ()  # key, value, key, value, …
    deleted: Sequence[bytes] = ()  # keys
    due: Sequence[bytes] = ()  # ms, user, ms, user, …
    not_due: Sequence[bytes] = ()  # users
    queue_everybody: bool = False
    keeps_queue: bool = False  # a due entry only moves to an earlier time
    trend: Sequence[bytes] = ()  # field, value, field, value, …
    trend_gone: Sequence[bytes] = ()  # fields


@dataclass(frozen=True)
class DueUsers:
    """Users to look at, when each was due, and who is left.

    Attributes:
        user_ids: whose time has come, then those queued by a new model.
        scores_ms: when each was due; 0 for the queued ones.
        next_ms: when the next one's time comes; None: nobody's.
        queued_left: how many stay queued.
    """

    user_ids: list[str] = field(default_factory=list)
    scores_ms: list[float] = field(default_factory=list)
    next_ms: float | None = None
    queued_left: int = 0


class PartitionStore:
    """Redis as one partition sees it."""

    def __init__(self, client: RedisClient, keys: PartitionKeys) -> None:
        """Bind the scripts to the partition's keys."""
        self._client = client
        self.keys = keys
        self._scripts = {
            name: client.register_script(script(name)) for name in ("own", "read", "due", "commit")
        }

    def check_writable(self) -> None:
        """Ask for a sign of life, and whether writes are taken: a full Redis still answers.

        SET … XX of a key that nobody has changes nothing, and is refused like any write.

        Raises:
            RedisAway: there was none, or they are not.
        """
        calling_redis(lambda: self._client.set(self.keys.probe, b"", xx=True))

    def own(self, nonce: str) -> tuple[bytes, bytes]:
        """Fence the previous owner; give the stored meta as it is now, and the outbox."""
        meta, outbox = self._call("own", [self.keys.meta, self.keys.outbox], [nonce])
        return meta, outbox

    def read(self, expected_meta: bytes, user_keys: Sequence[bytes]) -> list[bytes | None]:
        """Give the states under these keys.

        Raises:
            Fenced: the partition is not as this worker wrote it last.
        """
        if not user_keys:
            return []
        values = self._call("read", [self.keys.meta], [expected_meta, *_packed(user_keys)])
        if values is None:
            raise Fenced(self.keys.partition, "Redis holds another state than this worker wrote")
        return list(values)

    def due(self, expected_meta: bytes, as_of_ms: int, limit: int, queued_max: int) -> DueUsers:
        """Give at most `limit` users due at or before `as_of_ms`, the earliest first.

        At most `queued_max` of them, and after the others, are users whom a new model queued.

        Raises:
            Fenced: the partition is not as this worker wrote it last.
        """
        answer = self._call(
            "due",
            [self.keys.meta, self.keys.due],
            [expected_meta, as_of_ms, limit, queued_max],
        )
        if answer is None:
            raise Fenced(self.keys.partition, "Redis holds another state than this worker wrote")
        *pairs, following, queued_left = answer
        return DueUsers(
            user_ids=[user.decode() for user in pairs[::2]],
            scores_ms=[float(score) for score in pairs[1::2]],
            next_ms=float(following) if following else None,
            queued_left=int(queued_left),
        )

    def commit(self, commit: Commit) -> None:
        """Write a batch, once, whatever the network does.

        A call whose outcome is unknown is asked again with the same arguments: the script answers
        "already" when the first one was carried out.

        Raises:
            Fenced: another worker owns the partition, or Redis went back in time.
            RedisAway: the outcome is unknown; taking ownership again settles it.
        """
        arguments = [
            commit.expected_meta,
            commit.new_meta,
            commit.outbox,
            b"1" if commit.queue_everybody else b"2" if commit.keeps_queue else b"0",
            *_packed(commit.states),
            *_packed(commit.deleted),
            *_packed(commit.due),
            *_packed(commit.not_due),
            *_packed(commit.trend),
            *_packed(commit.trend_gone),
        ]
        keys = [self.keys.meta, self.keys.outbox, self.keys.due, self.keys.trend]
        try:
            answer = self._call("commit", keys, arguments)
        except RedisAway:
            answer = self._call("commit", keys, arguments)
        if answer == b"fenced":
            _log.warning(
                "refused by Redis: another worker owns it now", partition=self.keys.partition
            )
            raise Fenced(
                self.keys.partition, "the commit was refused: another worker has taken over"
            )

    def trend(self, fields: Sequence[str]) -> dict[str, bytes]:
        """Give those of these fields of the trend that there are."""
        values = calling_redis(lambda: self._client.hmget(self.keys.trend, fields))
        return {
            name: value for name, value in zip(fields, values, strict=True) if value is not None
        }

    def meta(self) -> bytes | None:
        """Give the stored meta (to see whether Redis still holds what was written last)."""
        stored: bytes | None = calling_redis(lambda: self._client.get(self.keys.meta))
        return stored

    def _call(self, script: str, keys: list[str], arguments: list[Any]) -> Any:
        return calling_redis(lambda: self._scripts[script](keys=keys, args=arguments))
