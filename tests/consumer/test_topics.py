"""The six topics and the settings that keep the promises."""

from consumer.topics import TopicNames, TopicSpec, topic_specs

DAY_MS = 86_400_000


def specs(*, event_clock: bool = False, **over: int) -> dict[str, TopicSpec]:
    found = topic_specs(TopicNames(), 12, event_clock=event_clock, **over)
    return {spec.name: spec for spec in found}


def test_there_are_six_topics() -> None:
    assert list(specs()) == [
        "user-events",
        "segment-changes",
        "segment-memberships",
        "training-samples",
        "segment-models",
        "user-events-dead",
    ]


def test_a_user_has_the_same_partition_everywhere_and_training_has_one_order() -> None:
    counts = {name: spec.partitions for name, spec in specs().items()}
    assert counts == {
        "user-events": 12,
        "segment-changes": 12,
        "segment-memberships": 12,
        "training-samples": 1,
        "segment-models": 1,
        "user-events-dead": 12,
    }


def test_current_values_are_compacted_and_streams_deleted() -> None:
    policies = {name: spec.config["cleanup.policy"] for name, spec in specs().items()}
    assert {name for name, policy in policies.items() if policy == "compact"} == {
        "segment-memberships",
        "segment-models",
    }
    assert set(policies.values()) == {"compact", "delete"}


def test_retention() -> None:
    kept = {name: spec.config.get("retention.ms") for name, spec in specs().items()}
    assert kept == {
        "user-events": str(35 * DAY_MS),
        "segment-changes": str(7 * DAY_MS),
        "segment-memberships": None,
        "training-samples": str(2 * DAY_MS),
        "segment-models": None,
        "user-events-dead": str(14 * DAY_MS),
    }


def test_historical_events_are_kept_for_ever() -> None:
    assert specs(event_clock=True)["user-events"].config["retention.ms"] == "-1"


def test_a_dead_letter_fits_whatever_the_events_topic_takes() -> None:
    found = specs(event_bytes_max=5_000_000)
    assert found["user-events"].config["max.message.bytes"] == "5000000"
    assert found["user-events-dead"].config["max.message.bytes"] == str(5_000_000 + 64 * 1024)


def test_the_broker_refuses_record_timestamps_far_ahead() -> None:
    assert specs()["user-events"].config["message.timestamp.after.max.ms"] == "300000"


def test_every_name_can_be_another() -> None:
    names = TopicNames(events="e", changes="c", memberships="m", samples="s", models="o", dead="d")
    assert [spec.name for spec in topic_specs(names, 1, event_clock=False)] == list("ecmsod")
