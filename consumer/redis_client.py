"""Opening Redis: one server, TLS, or a cluster, with the time-outs the protocol relies on."""

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

CLUSTER_SCHEME = "redis+cluster://"

RedisClient = Any  # redis.Redis or redis.RedisCluster: redis-py has no common type for the two


def open_redis(url: str, *, timeout_s: float) -> RedisClient:
    """Give a client for the URL; nothing is connected yet on a single server.

    The library's own retries are off: whether a commit that timed out was carried out is a
    question the protocol answers, and a silent second try would hide it.
    """
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
    }
    if url.startswith(CLUSTER_SCHEME):
        plain = "redis://" + url.removeprefix(CLUSTER_SCHEME)
        return redis.RedisCluster.from_url(plain, **options)
    return redis.Redis.from_url(url, retry_on_error=[], **options)
