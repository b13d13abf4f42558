"""Redis key names: everything of a partition in one slot of a Redis Cluster."""

from redis.crc import key_slot

from consumer.keys import PartitionKeys, model_key, topology_key

KEYS = PartitionKeys("shoal", 7)


def test_the_names() -> None:
    assert KEYS.meta == "{shoal.7}:meta"
    assert KEYS.outbox == "{shoal.7}:outbox"
    assert KEYS.due == "{shoal.7}:due"
    assert KEYS.user("ä") == "{shoal.7}:u:ä".encode()
    assert KEYS.user("x") == KEYS.user_prefix + b"x"
    assert (topology_key("shoal"), model_key("shoal")) == ("shoal:topology", "shoal:model")


def test_all_keys_of_a_partition_are_in_one_slot_whatever_the_user_id() -> None:
    names = [KEYS.meta.encode(), KEYS.outbox.encode(), KEYS.due.encode(), KEYS.user("}{odd}:meta")]
    assert len({key_slot(name) for name in names}) == 1


def test_partitions_and_namespaces_do_not_share_keys() -> None:
    others = [PartitionKeys("shoal", 70), PartitionKeys("shoal.7", 7), PartitionKeys("s", 7)]
    assert len({keys.meta for keys in (KEYS, *others)}) == 4
