"""What `shoal doctor` asks Redis."""

import time
from typing import Any

from consumer.errors import ProtectsData, RedisAway, ServiceUnavailable
from consumer.keys import topology_key
from consumer.redis_client import RedisClient, open_redis
from consumer.setup import partition_counts, redis_setting
from consumer.store import calling_redis
from consumer.topology import Topology, check_topology, current_topology, decode_topology
from shoal.checks import Check, Status
from shoal.settings import Settings
from shoal.wiring import worker_config

ANSWERS_WITHIN_S = 5.0
VERSION_MIN = (6, 2)
# Windows, expiry and the check for future events follow the workers' clocks; Redis's is the one
# other clock that can be asked. Five minutes is where future-dated events become dead letters.
SKEW_WARNING_S = 5.0
SKEW_FAILED_S = 300.0


def check_redis_server(settings: Settings) -> list[Check]:
    """Is it there, does it keep what it is given, and is the state in it ours to use?"""
    timeout_s = min(settings.redis_timeout_s, ANSWERS_WITHIN_S)
    try:
        # A cluster client connects at once.
        client = calling_redis(lambda: open_redis(settings.redis_url, timeout_s=timeout_s))
        started_s = time.time()
        redis_s = _server_time_s(client)
        passed_s = time.time() - started_s
    except RedisAway as error:
        detail = f"Redis cannot be reached ({error}): start it, or set SHOAL_REDIS_URL"
        return [Check("redis", "unreachable", detail)]
    return [
        _check_version(client),
        _check_eviction(client),
        _check_append_only(client),
        _check_topology(client, settings),
        _check_clock(redis_s - started_s, passed_s),
    ]


def _server_time_s(client: RedisClient) -> float:
    seconds, micros = calling_redis(client.time)
    return float(seconds + micros / 1e6)


def _check_version(client: RedisClient) -> Check:
    info: dict[str, Any] = calling_redis(lambda: client.info("server"))
    # Valkey tells the Redis version that it is compatible with, and its own beside it.
    version = str(info.get("redis_version", ""))
    own = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {version}"
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if numbers < VERSION_MIN:
        needed = ".".join(map(str, VERSION_MIN))
        return Check("redis", "failed", f"{own} is too old: install {needed} or newer")
    return Check("redis", "ok", own)


def _check_eviction(client: RedisClient) -> Check:
    policy = redis_setting(client, "maxmemory-policy")
    if policy is None:
        return Check("redis eviction", "warning", _untold("maxmemory-policy", "noeviction"))
    if policy != "noeviction":
        detail = (
            f"maxmemory-policy is {policy}: when memory runs out users would be thrown away "
            "unnoticed, so workers refuse to start; run `redis-cli CONFIG SET maxmemory-policy "
            "noeviction` and put it into redis.conf"
        )
        return Check("redis eviction", "failed", detail)
    return Check("redis eviction", "ok", policy)


def _check_append_only(client: RedisClient) -> Check:
    name = "redis persistence"
    appendonly = redis_setting(client, "appendonly")
    fsync = redis_setting(client, "appendfsync")
    if appendonly is None:
        return Check(name, "warning", _untold("appendonly", "yes"))
    if appendonly != "yes":
        detail = (
            "the append-only file is off: after a restart everything is rebuilt from the topic; "
            "run `redis-cli CONFIG SET appendonly yes` and put it into redis.conf"
        )
        return Check(name, "warning", detail)
    if fsync == "no":
        detail = (
            "appendfsync is no: a crash of the machine loses up to half a minute, to be read "
            "again; run `redis-cli CONFIG SET appendfsync everysec` and put it into redis.conf"
        )
        return Check(name, "warning", detail)
    return Check(name, "ok", f"append-only file, fsync {fsync}")


def _check_topology(client: RedisClient, settings: Settings) -> Check:
    """Compare the stored shape with this release's; a new namespace has none yet."""
    name = "stored state"
    stored = calling_redis(lambda: client.get(topology_key(settings.namespace)))
    if stored is None:
        detail = f"nothing in namespace '{settings.namespace}' yet"
        return Check(name, "ok", detail)
    found: Topology = decode_topology(stored)
    try:
        ours = current_topology(_topic_partitions(settings) or found.partitions)
        check_topology(found, ours, settings.namespace)
    except ProtectsData as error:
        return Check(name, "failed", str(error))
    detail = f"namespace '{settings.namespace}', {found.partitions} partitions"
    return Check(name, "ok", f"{detail}, layout {found.layout}")


def _check_clock(ahead_s: float, uncertain_s: float) -> Check:
    """Judge how far Redis's clock is ahead, given that the answer took `uncertain_s`."""
    skew_s = max(0.0, abs(ahead_s) - uncertain_s)
    if skew_s < SKEW_WARNING_S:
        return Check("clock", "ok", "within 5 s of Redis's")
    status: Status = "failed" if skew_s >= SKEW_FAILED_S else "warning"
    detail = f"{skew_s:.0f} s apart from Redis's clock: set both by NTP"
    return Check("clock", status, detail)


def _untold(setting: str, wanted: str) -> str:
    return f"Redis does not tell {setting} (a managed service?): make sure that it is {wanted}"


def _topic_partitions(settings: Settings) -> int | None:
    """Give what the topic has, whatever the setting says; None when Kafka does not tell."""
    try:
        return partition_counts(worker_config(settings)).get(settings.topic_events)
    except ServiceUnavailable:
        return None
