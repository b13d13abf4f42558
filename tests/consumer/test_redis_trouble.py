import pytest
import redis
from redis import exceptions

from consumer.redis_trouble import trouble


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
            "full",
        ),
        (redis.ResponseError("ERR Error running script: -OOM command not allowed"), "full"),
        (exceptions.ReadOnlyError("You can't write against a read only replica."), "replica"),
        (redis.ResponseError("MISCONF Redis is configured to save RDB snapshots"), "disk"),
        (redis.ResponseError("NOREPLICAS Not enough good replicas to write."), "replicas"),
        (redis.ResponseError("BUSY Redis is busy running a script."), "busy"),
        (exceptions.BusyLoadingError("Redis is loading the dataset in memory"), "loading"),
        (exceptions.MasterDownError("Link with MASTER is down"), "lost its primary"),
        (exceptions.ClusterDownError("CLUSTERDOWN The cluster is down"), "slots"),
        (redis.TimeoutError("Timeout reading from socket"), "Timeout"),
        (redis.ConnectionError("Error 111 connecting"), "111"),
    ],
)
def test_what_redis_cannot_do_for_a_while_is_told_in_words(error: Exception, said: str) -> None:
    assert said in (trouble(error) or "")


@pytest.mark.parametrize(
    "error",
    [
        redis.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
        redis.ResponseError("ERR unknown command 'FROBNICATE'"),
        redis.DataError("Invalid input of type: 'NoneType'"),
    ],
)
def test_a_bug_of_ours_is_not_taken_for_an_outage(error: Exception) -> None:
    assert trouble(error) is None
