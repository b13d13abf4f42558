"""One partition's Redis, and a client of it: the scripts of `consumer/scripts` in Python.

`tests/integration` and the fault campaign run the real scripts; here they have to be cheap.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import redis

from consumer.meta import PartitionMeta, decode_meta
from consumer.store import script
from tests.consumer.simulated.faults import Faults

Keys = Sequence[str]
Arguments = Sequence[Any]

_SCRIPTS = {script(name): name for name in ("own", "read", "due", "commit")}


@dataclass
class MemoryRedis:
    """The server: every write is remembered, so that the last ones can be lost."""

    values: dict[bytes, bytes] = field(default_factory=dict)
    due: dict[bytes, float] = field(default_factory=dict)
    history: list[tuple[dict[bytes, bytes], dict[bytes, float]]] = field(
        default_factory=lambda: [({}, {})]
    )

    def written(self) -> None:
        self.history.append((dict(self.values), dict(self.due)))

    def lose(self, writes: int) -> None:
        """Lose the last writes; all of them: Redis was emptied."""
        self.history = self.history[: max(1, len(self.history) - writes)]
        values, due = self.history[-1]
        self.values, self.due = dict(values), dict(due)

    # --- the scripts ----------------------------------------------------------------------------

    def own(self, keys: Keys, arguments: Arguments) -> list[bytes]:
        meta, outbox = keys[0].encode(), keys[1].encode()
        body = self.values.get(meta, b"").partition(b"\n")[2]
        self.values[meta] = arguments[0].encode() + b"\n" + body
        self.written()
        return [self.values[meta], self.values.get(outbox, b"")]

    def read(self, keys: Keys, arguments: Arguments) -> list[bytes | None] | None:
        if self.values.get(keys[0].encode()) != arguments[0]:
            return None
        return [self.values.get(key) for key in _unpacked(*arguments[1:])]

    def due_users(self, keys: Keys, arguments: Arguments) -> list[bytes | int] | None:
        expected, as_of_ms, limit, queued_max = arguments
        if self.values.get(keys[0].encode()) != expected:
            return None
        entries = sorted((ms, user) for user, ms in self.due.items())
        queued = [entry for entry in entries if entry[0] <= 0]
        found = [entry for entry in entries if 0 < entry[0] <= as_of_ms][:limit]
        following = entries[len(queued) + len(found) :]
        taken = max(0, min(len(queued), limit - len(found), queued_max))
        answer: list[bytes | int] = [
            part for ms, user in found + queued[:taken] for part in (user, b"%.0f" % ms)
        ]
        return [*answer, b"%.0f" % following[0][0] if following else b"", len(queued) - taken]

    def commit(self, keys: Keys, arguments: Arguments) -> bytes:
        meta, outbox = keys[0].encode(), keys[1].encode()
        current = self.values.get(meta)
        if current == arguments[1]:
            return b"already"
        if current != arguments[0]:
            return b"fenced"
        states = list(_unpacked(*arguments[4:6]))
        self.values.update(zip(states[::2], states[1::2], strict=True))
        deleted = list(_unpacked(*arguments[6:8]))
        for key in deleted:
            self.values.pop(key, None)
        # A hash, field by field beside the plain values.
        trend = keys[3].encode()
        for key in [key for key in self.values if trend in deleted and trend in key]:
            del self.values[key]
        fields = list(_unpacked(*arguments[12:14]))
        for name, value in zip(fields[::2], fields[1::2], strict=True):
            self.values[trend + name] = value
        for name in _unpacked(*arguments[14:16]):
            self.values.pop(trend + name, None)
        due = list(_unpacked(*arguments[8:10]))
        for ms, user in zip(due[::2], due[1::2], strict=True):
            at_ms = float(ms)
            # '2': whoever is queued stays in the queue, an entry only moves to an earlier time.
            is_later = arguments[3] == b"2" and self.due.get(user, at_ms) < at_ms
            self.due[user] = self.due[user] if is_later else at_ms
        for user in _unpacked(*arguments[10:12]):
            self.due.pop(user, None)
        if arguments[3] == b"1":
            self.due = dict.fromkeys(self.due, 0.0)
        self.values[outbox] = arguments[2]
        self.values[meta] = arguments[1]
        self.written()
        return b"done"


def _unpacked(lengths: bytes, joined: bytes) -> Iterator[bytes]:
    at = 0
    for length in np.frombuffer(lengths, "<u4").tolist():
        yield joined[at : at + length]
        at += length


def kind_of(arguments: Arguments) -> str:
    """Tell what a commit is about (`faults.COMMITS`) from what it is given."""
    if arguments[3] == b"1":
        return "commit of a queueing"
    before, after = decode_meta(arguments[0]), decode_meta(arguments[1])
    assert after is not None
    if before is None or before.restoring or after.restoring:
        return "commit of a seeding"
    if _is_catching_up(before, after, arguments[2]):
        return "commit of a catch-up"
    if after.outcomes.records > before.outcomes.records:
        return "commit of a batch"
    moved = (after.as_of_ms, after.sequence) != (before.as_of_ms, before.sequence)
    return "commit of a sweep" if moved or arguments[8] else "commit of a tidying"


def _is_catching_up(before: PartitionMeta, after: PartitionMeta, outbox: bytes) -> bool:
    taken_over = after.sequence > before.sequence and not outbox
    return taken_over or before.applied_offset <= before.floor


class MemoryRedisClient:
    """What redis-py gives a worker, as far as it is used."""

    def __init__(self, server: MemoryRedis, faults: Faults) -> None:
        self._server, self._faults = server, faults

    def get(self, key: str) -> bytes | None:
        def look() -> bytes | None:
            return self._server.values.get(key.encode())

        return self._faults.passing("compare meta", look, redis.TimeoutError)

    def hmget(self, key: str, fields: Sequence[str]) -> list[bytes | None]:
        def look() -> list[bytes | None]:
            return [self._server.values.get((key + name).encode()) for name in fields]

        return self._faults.passing("read trend", look, redis.TimeoutError)

    def set(self, _key: str, _value: bytes, *, nx: bool = False, xx: bool = False) -> None:
        """Take the topology (nobody here asks for it), or say whether writes are taken."""
        if xx:
            self._faults.passing("ping", lambda: None, redis.TimeoutError)

    def eval(self, _script: str, _keys: int, *_arguments: Any) -> int:
        """Take the copy of the model; nobody here asks for it."""
        return 1

    def register_script(self, text: str) -> Callable[..., Any]:
        return partial(getattr(self, f"_{_SCRIPTS[text]}"))

    def _own(self, *, keys: Keys, args: Arguments) -> Any:
        return self._passing("own", lambda: self._server.own(keys, args))

    def _read(self, *, keys: Keys, args: Arguments) -> Any:
        return self._passing("read users", lambda: self._server.read(keys, args))

    def _due(self, *, keys: Keys, args: Arguments) -> Any:
        return self._passing("read due", lambda: self._server.due_users(keys, args))

    def _commit(self, *, keys: Keys, args: Arguments) -> Any:
        return self._passing(kind_of(args), lambda: self._server.commit(keys, args))

    def _passing(self, effect: str, call: Callable[[], Any]) -> Any:
        return self._faults.passing(effect, call, redis.TimeoutError)
