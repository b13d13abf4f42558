from __future__ import annotations

from producer.kafka import KafkaConnection

SECRET = KafkaConnection("broker:9092", {"sasl.password": "hunter2", "client.id": "mine"})


def test_values_of_extra_options_never_show() -> None:
    assert "hunter2" not in repr(SECRET)
    assert "hunter2" not in f"{SECRET}"
    assert "sasl.password" in repr(SECRET)


def test_every_client_gets_the_address_and_the_extra_options() -> None:
    for config in (
        SECRET.producer_config(),
        SECRET.consumer_config(),
        SECRET.admin_config(),
    ):
        assert config["bootstrap.servers"] == "broker:9092"
        assert config["sasl.password"] == "hunter2"
        assert config["client.id"] == "mine"


def test_caller_wins_over_operator_and_operator_over_defaults() -> None:
    connection = KafkaConnection(
        "broker:9092", {"auto.offset.reset": "latest", "enable.auto.commit": True}
    )
    config = connection.consumer_config(enable_auto_commit=False)
    assert config["auto.offset.reset"] == "latest"
    assert config["enable.auto.commit"] is False


def test_consumers_commit_nothing_by_themselves() -> None:
    config = KafkaConnection("broker:9092").consumer_config()
    assert config["enable.auto.commit"] is False
    assert config["enable.auto.offset.store"] is False


def test_callbacks_keep_their_names() -> None:
    def stats(_: str) -> None: ...

    config = KafkaConnection("broker:9092").producer_config(stats_cb=stats, linger_ms=5)
    assert config["stats_cb"] is stats
    assert config["linger.ms"] == 5
