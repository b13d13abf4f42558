"""What Redis says when it cannot serve for a while, and what to do about it.

All of it is the world's fault and worth another try later: the partitions wait, nothing is skipped.
Any other answer of Redis is a bug of ours and crashes loudly.
"""

import redis
from redis import exceptions

_IS_AWAY = (
    redis.ConnectionError,
    redis.TimeoutError,
    exceptions.ClusterError,
    exceptions.RedisClusterException,
)

# By the word that Redis's answer begins with. Inside a script the word stands anywhere in it
# (Redis 6), and redis-py turns some of the words into classes and cuts them off.
_SAID = {
    "OOM": "Redis is full: give it more maxmemory",
    "READONLY": "this Redis is a read-only replica: point SHOAL_REDIS_URL at the primary",
    "MISCONF": "Redis cannot write to its disk: its log says why",
    "LOADING": "Redis is loading its data",
    "MASTERDOWN": "this Redis is a replica that has lost its primary",
    "NOREPLICAS": "Redis has fewer replicas than it needs for a write (min-replicas-to-write)",
    "BUSY": "Redis is busy with another client's script",
    "CLUSTERDOWN": "the Redis Cluster does not serve all of its slots",
    "TRYAGAIN": "the Redis Cluster is moving slots",
}
_CLASSES = {
    exceptions.OutOfMemoryError: "OOM",
    exceptions.ReadOnlyError: "READONLY",
    exceptions.BusyLoadingError: "LOADING",
    exceptions.MasterDownError: "MASTERDOWN",
    exceptions.ClusterDownError: "CLUSTERDOWN",
    exceptions.TryAgainError: "TRYAGAIN",
}


def trouble(error: Exception) -> str | None:
    """Say in one sentence why Redis cannot serve now; None: that is not what the error means."""
    for kind, word in _CLASSES.items():
        if isinstance(error, kind):
            return _SAID[word]
    if isinstance(error, redis.ResponseError):
        words = [word.lstrip("-") for word in str(error).split()]
        return next((_SAID[word] for word in words if word in _SAID), None)
    return str(error) if isinstance(error, _IS_AWAY) else None
