"""What each kind of fault does. Every one puts right at its end what it has put wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event
from time import sleep

from tests.campaign.fleet import Fleet, Member
from tests.campaign.schedule import Fault, Kind
from tests.campaign.stage import Stage
from tests.campaign.tail import cut_commands
from tests.integration.patience import eventually

Act = Callable[[Stage, Fleet, Fault], bool]

_STARTS_WITHIN_S = 60.0
_TRIES = 4
_PAUSE_S = 1.0
_WRITES_WITHIN_S = 10.0
_TAIL_S = 1.0  # with appendfsync everysec, at most so much is lost
_FULL_BYTES = "1"
_SEGMENTS = (3, 4, 5)
_NOWHERE = ("127.0.0.1", "1")
_SLOW_S = (0.02, 0.8)  # each way; from a nuisance to beyond Redis's time-out


def carry_out(stage: Stage, fleet: Fleet, fault: Fault) -> bool:
    """Do it, and tell whether it came to pass (a point may not be reached in time)."""
    return ACTS[fault.kind](stage, fleet, fault)


# --- workers and trainer --------------------------------------------------------------------------


def worker_killed(_stage: Stage, fleet: Fleet, fault: Fault) -> bool:
    """SIGKILL, whatever it is doing."""
    victim = fleet.wait_for_choice(fault.lot, _STARTS_WITHIN_S)
    fleet.kill(victim)
    return victim is not None


def worker_joins(_stage: Stage, fleet: Fleet, fault: Fault) -> bool:
    """One more; when there are too many, another one leaves."""
    fleet.join()
    return True


def worker_leaves(_stage: Stage, fleet: Fleet, fault: Fault) -> bool:
    """SIGTERM: it hands over."""
    victim = fleet.wait_for_choice(fault.lot, _STARTS_WITHIN_S)
    fleet.ask_to_leave(victim)
    return victim is not None


def worker_asleep(_stage: Stage, fleet: Fleet, fault: Fault) -> bool:
    """SIGSTOP past the session, then SIGCONT: it believes that it owns what others own now."""
    victim = fleet.wait_for_choice(fault.lot, _STARTS_WITHIN_S)
    if victim is None:
        return False
    victim.busy = True
    victim.process.pause()
    sleep(fault.lasts_s)
    victim.process.resume()
    victim.busy = False
    return True


def worker_killed_at_a_point(stage: Stage, fleet: Fleet, fault: Fault) -> bool:
    """A worker (or the trainer) that kills itself there; led to the point if need be."""
    name = fault.point.partition(":")[0]
    start = fleet.restart_trainer if "model" in name else fleet.join
    with fleet.few_at_a_time:
        return _die_at_point(stage, fleet, fault, name, start)


def _die_at_point(
    stage: Stage, fleet: Fleet, fault: Fault, name: str, start: Callable[[str], Member]
) -> bool:
    for _ in range(_TRIES):  # a service may be away when it starts
        member = start(fault.point)
        if name in _LEADING and fleet.wait_for_partitions(member):
            _LEADING[name](stage, fleet, member, fault)
        if fleet.wait_for_end(member):
            return True
        if member.process.running:
            return False  # it stays, and dies there whenever it comes there
        sleep(_PAUSE_S)
    return False


def worker_asleep_at_a_point(_stage: Stage, fleet: Fleet, fault: Fault) -> bool:
    """A worker that falls asleep there past its session: the zombie."""
    with fleet.few_at_a_time:
        return _sleep_at_point(fleet, fault)


def _sleep_at_point(fleet: Fleet, fault: Fault) -> bool:
    for _ in range(_TRIES):
        member = fleet.join(fault.point, sleepy=True)
        if fleet.wait_for_sleep(member):
            sleep(fault.lasts_s)
            member.process.resume()
            sleep(_PAUSE_S)  # it may do its worst
            fleet.ask_to_leave(member)
            return True
        if member.process.running:
            fleet.ask_to_leave(member)
            return False
        sleep(_PAUSE_S)
    return False


def trainer_killed(_stage: Stage, fleet: Fleet, fault: Fault) -> bool:
    """SIGKILL; another one is started."""
    fleet.restart_trainer()
    return True


def refit_ordered(_stage: Stage, fleet: Fleet, fault: Fault) -> bool:
    """A new major version, now and then with another number of segments."""
    wanted = () if fault.lot < 0.5 else ("--segments", str(_SEGMENTS[int(fault.lot * 100) % 3]))
    return any(fleet.call("model", "refit", "--yes", *wanted) for _ in range(_TRIES))


def rollback_ordered(_stage: Stage, fleet: Fleet, _fault: Fault) -> bool:
    """Back to the first release."""
    return any(fleet.call("model", "rollback", "--yes", "1.0") for _ in range(_TRIES))


# --- leading a worker to a point that it would not pass by itself ---------------------------------


def _revoke(_stage: Stage, fleet: Fleet, member: Member, _fault: Fault) -> None:
    fleet.ask_to_leave(member)


def _lose_tail(stage: Stage, fleet: Fleet, _member: Member, fault: Fault) -> None:
    redis_loses_its_tail(stage, fleet, fault)


def _empty(stage: Stage, fleet: Fleet, _member: Member, fault: Fault) -> None:
    redis_emptied(stage, fleet, fault)


_LEADING: dict[str, Callable[[Stage, Fleet, Member, Fault], None]] = {
    "during revoke": _revoke,
    "during catch-up": _lose_tail,
    "while taking again": _lose_tail,
    "while seeding": _empty,
    "after queueing everybody": _empty,
}


@contextmanager
def away(up: Event) -> Iterator[None]:
    """Say meanwhile that a service is not there."""
    up.clear()
    yield
    up.set()


# --- Redis ----------------------------------------------------------------------------------------


def redis_killed(stage: Stage, _fleet: Fleet, fault: Fault) -> bool:
    """SIGKILL and restart."""
    with stage.redis_lock, away(stage.redis_up):
        stage.redis_server.kill()
        sleep(fault.lasts_s)
        stage.redis_server.start()
    return True


def redis_loses_its_tail(stage: Stage, _fleet: Fleet, fault: Fault) -> bool:
    """Killed with the machine: what `everysec` had not written yet, in whole commands."""
    return any(_lost_bytes(stage, fault.lot) for _ in range(_TRIES))


def _lost_bytes(stage: Stage, lot: float) -> int:
    """Lose what was written within a second; give how much it was."""
    with stage.redis_lock:
        newest = stage.redis_server.append_only_files[-1]
        size_bytes = newest.stat().st_size
        with suppress(AssertionError):  # nobody writes at all: there is nothing to lose
            eventually(lambda: newest.stat().st_size > size_bytes, _WRITES_WITHIN_S, "a write")
        sleep(_TAIL_S * lot)
        stage.redis_server.kill()
        written_bytes = newest.stat().st_size - size_bytes
        lost_bytes = cut_commands(newest, size_bytes + int(lot**2 * written_bytes))
        stage.redis_server.start()
    return lost_bytes


def redis_emptied(stage: Stage, _fleet: Fleet, fault: Fault) -> bool:
    """All of it gone, as with a new server."""
    with stage.redis_lock, stage.redis_client() as client:
        client.flushall()
    return True


def redis_frozen(stage: Stage, _fleet: Fleet, fault: Fault) -> bool:
    """SIGSTOP and SIGCONT: what timed out is carried out later."""
    with stage.redis_lock:
        stage.redis_server.process.pause()
        sleep(fault.lasts_s)
        stage.redis_server.process.resume()
    return True


def redis_full(stage: Stage, _fleet: Fleet, fault: Fault) -> bool:
    """At `maxmemory`: writes are refused, reads answered."""
    with stage.redis_lock, stage.redis_client() as client:
        client.config_set("maxmemory", _FULL_BYTES)
        sleep(fault.lasts_s)
        client.config_set("maxmemory", "0")
    return True


def redis_read_only(stage: Stage, _fleet: Fleet, fault: Fault) -> bool:
    """A replica of nowhere, or a primary without its replicas."""
    with stage.redis_lock, stage.redis_client() as client:
        if fault.lot < 0.5:
            client.execute_command("REPLICAOF", *_NOWHERE)
            sleep(fault.lasts_s)
            client.execute_command("REPLICAOF", "NO", "ONE")
        else:
            client.config_set("min-replicas-to-write", "1")
            sleep(fault.lasts_s)
            client.config_set("min-replicas-to-write", "0")
    return True


def redis_slow(stage: Stage, _fleet: Fleet, fault: Fault) -> bool:
    """Every answer late; now and then later than anybody waits for."""
    stage.redis_proxy.delay_s = _between(_SLOW_S, fault.lot)
    sleep(fault.lasts_s)
    stage.redis_proxy.delay_s = 0.0
    return True


def redis_cut_off(stage: Stage, _fleet: Fleet, fault: Fault) -> bool:
    """Every connection closed: what was asked may be done, the answer is lost."""
    stage.redis_proxy.cut()
    return True


# --- the broker -----------------------------------------------------------------------------------


def broker_killed(stage: Stage, _fleet: Fleet, fault: Fault) -> bool:
    """SIGKILL and restart."""
    with stage.broker_lock, away(stage.broker_up):
        stage.kafka.kill()
        sleep(fault.lasts_s)
        stage.kafka.start()
    return True


def broker_frozen(stage: Stage, _fleet: Fleet, fault: Fault) -> bool:
    """SIGSTOP and SIGCONT: sessions and transactions may have run out meanwhile."""
    with stage.broker_lock, away(stage.broker_up):
        stage.kafka.process.pause()
        sleep(fault.lasts_s)
        stage.kafka.process.resume()
    return True


def broker_slow(stage: Stage, _fleet: Fleet, fault: Fault) -> bool:
    """Every answer late."""
    stage.kafka_proxy.delay_s = _between(_SLOW_S, fault.lot)
    sleep(fault.lasts_s)
    stage.kafka_proxy.delay_s = 0.0
    return True


def broker_cut_off(stage: Stage, _fleet: Fleet, fault: Fault) -> bool:
    """Every connection closed."""
    stage.kafka_proxy.cut()
    return True


def _between(bounds: tuple[float, float], lot: float) -> float:
    return bounds[0] + lot * (bounds[1] - bounds[0])


ACTS: dict[Kind, Act] = {
    "worker killed": worker_killed,
    "worker killed at a point": worker_killed_at_a_point,
    "worker asleep at a point": worker_asleep_at_a_point,
    "worker asleep": worker_asleep,
    "worker joins": worker_joins,
    "worker leaves": worker_leaves,
    "trainer killed": trainer_killed,
    "redis killed": redis_killed,
    "redis loses its tail": redis_loses_its_tail,
    "redis emptied": redis_emptied,
    "redis frozen": redis_frozen,
    "redis full": redis_full,
    "redis read-only": redis_read_only,
    "redis slow": redis_slow,
    "redis cut off": redis_cut_off,
    "broker killed": broker_killed,
    "broker frozen": broker_frozen,
    "broker slow": broker_slow,
    "broker cut off": broker_cut_off,
    "refit ordered": refit_ordered,
    "rollback ordered": rollback_ordered,
}
