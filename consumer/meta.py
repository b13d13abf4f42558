r"""What Redis keeps about a partition besides its users: one value, changed in every commit.

The stored value is `<nonce>\n<json>`. A commit is conditional on the whole value being byte for
byte what this worker wrote last: the nonce fences another owner, the rest fences a Redis that
went back in time. `commits` makes every value differ from the one before.
"""

import msgspec


class Outcomes(msgspec.Struct, kw_only=True):
    """Records by what became of them; every record read is in exactly one counter."""

    applied: int = 0
    duplicate: int = 0
    late: int = 0
    dead: dict[str, int] = {}

    @property
    def records(self) -> int:
        """All records read."""
        return self.applied + self.duplicate + self.late + sum(self.dead.values())


class PartitionMeta(msgspec.Struct, kw_only=True):
    """The counters of one partition.

    `applied_offset` is the next input offset whose effects are not in Redis yet; `sequence` the
    number of the last segment change; `stream_ms` the running maximum of record timestamps;
    `as_of_ms` the latest time users were looked at (never goes back). `users` counts the users per
    segment id, `unassigned` those without one. `model_major` is the major version for which
    everybody has been queued. `restoring`: users are being seeded from the memberships topic;
    `floor`: nothing at or below this input offset is decided, the feed has it already (-1: none).
    """

    applied_offset: int
    sequence: int = 0
    stream_ms: int = 0
    as_of_ms: int = 0
    users: dict[int, int] = {}
    unassigned: int = 0
    outcomes: Outcomes = msgspec.field(default_factory=Outcomes)
    model_major: int = 0
    commits: int = 0
    restoring: bool = False
    floor: int = -1

    @property
    def users_seen(self) -> int:
        """Users with a state, assigned or not."""
        return sum(self.users.values()) + self.unassigned

    def copy(self) -> "PartitionMeta":
        """Return an independent copy (the step never changes the meta it was given)."""
        return msgspec.convert(
            msgspec.to_builtins(self, str_keys=True), PartitionMeta, strict=False
        )

    def following(self) -> "PartitionMeta":
        """Give a copy for the next commit; whatever else it changes, its value is a new one."""
        after = self.copy()
        after.commits += 1
        return after


_decode = msgspec.json.Decoder(PartitionMeta).decode


def encode_meta(nonce: str, meta: PartitionMeta) -> bytes:
    """Give the stored form of `meta` for the owner with this nonce."""
    return nonce.encode() + b"\n" + msgspec.json.encode(meta)


def decode_meta(value: bytes) -> PartitionMeta | None:
    """Read a stored value; None when an owner has claimed the partition but written nothing yet."""
    body = value.partition(b"\n")[2]
    return _decode(body) if body else None
