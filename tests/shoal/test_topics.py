import json

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from consumer.topics import BROKER_MESSAGE_BYTES_MAX, DEAD_LETTER_HEADROOM_BYTES
from tests.services.deployment import Deployment
from tests.shoal.running import run_shoal

pytestmark = [pytest.mark.kafka, pytest.mark.redis]


def create(deployment: Deployment, **settings: str) -> dict[str, dict[str, object]]:
    """Run `topics create`; give the outcomes by topic."""
    environment = deployment.environment() | settings
    done = run_shoal("topics", "create", "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    return {outcome["name"]: outcome for outcome in json.loads(done.stdout)["topics"]}


def configs(deployment: Deployment, topic: str) -> dict[str, str]:
    """Read a topic's settings."""
    admin = AdminClient({"bootstrap.servers": deployment.kafka})
    (answer,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return {name: entry.value for name, entry in answer.result(10).items()}


def alter(deployment: Deployment, topic: str, setting: str, value: str) -> None:
    """Change one setting behind Shoal's back."""
    entry = ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
    admin = AdminClient({"bootstrap.servers": deployment.kafka})
    changed = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for answer in admin.incremental_alter_configs([changed]).values():
        answer.result(10)


def test_six_topics_are_created_as_the_design_says(deployment: Deployment) -> None:
    outcomes = create(deployment, SHOAL_PARTITIONS="3")
    names = deployment.topics
    assert {outcome["action"] for outcome in outcomes.values()} == {"created"}
    assert {name: outcome["partitions"] for name, outcome in outcomes.items()} == {
        names.events: 3,
        names.changes: 3,
        names.memberships: 3,
        names.dead: 3,
        names.samples: 1,
        names.models: 1,
    }
    events, dead = configs(deployment, names.events), configs(deployment, names.dead)
    assert events["message.timestamp.after.max.ms"] == "300000"
    assert int(events["retention.ms"]) >= 35 * 86_400_000
    assert int(dead["max.message.bytes"]) == BROKER_MESSAGE_BYTES_MAX + DEAD_LETTER_HEADROOM_BYTES
    assert configs(deployment, names.memberships)["cleanup.policy"] == "compact"


def test_asked_again_nothing_changes(deployment: Deployment) -> None:
    create(deployment, SHOAL_PARTITIONS="2")
    again = create(deployment, SHOAL_PARTITIONS="2")
    assert len(again) == 6
    assert {outcome["action"] for outcome in again.values()} == {"unchanged"}


def test_a_deleted_topic_is_made_again(deployment: Deployment) -> None:
    create(deployment, SHOAL_PARTITIONS="2")
    admin = AdminClient({"bootstrap.servers": deployment.kafka})
    for answer in admin.delete_topics([deployment.topics.models]).values():
        answer.result(10)
    again = create(deployment, SHOAL_PARTITIONS="2")
    created = [name for name, outcome in again.items() if outcome["action"] == "created"]
    assert created == [deployment.topics.models]


def test_a_drifted_setting_is_corrected_and_told(deployment: Deployment) -> None:
    create(deployment, SHOAL_PARTITIONS="1")
    memberships = deployment.topics.memberships
    alter(deployment, memberships, "cleanup.policy", "delete")
    doctor = run_shoal("doctor", environment=deployment.environment() | {"SHOAL_PARTITIONS": "1"})
    assert doctor.returncode == 0
    assert f"{memberships}: cleanup.policy is delete, not compact" in doctor.stdout

    outcome = create(deployment, SHOAL_PARTITIONS="1")[memberships]
    assert outcome["action"] == "changed"
    assert outcome["changes"] == [
        {"setting": "cleanup.policy", "found": "delete", "wanted": "compact"}
    ]
    assert configs(deployment, memberships)["cleanup.policy"] == "compact"


def test_a_longer_retention_is_never_shortened(deployment: Deployment) -> None:
    create(deployment, SHOAL_PARTITIONS="1", SHOAL_CLOCK="event")
    assert configs(deployment, deployment.topics.events)["retention.ms"] == "-1"
    outcome = create(deployment, SHOAL_PARTITIONS="1", SHOAL_CLOCK="wall")
    assert outcome[deployment.topics.events]["action"] == "unchanged"
    assert configs(deployment, deployment.topics.events)["retention.ms"] == "-1"


def test_another_partition_count_is_refused_with_4(deployment: Deployment) -> None:
    create(deployment, SHOAL_PARTITIONS="2")
    done = run_shoal(
        "topics", "create", environment=deployment.environment() | {"SHOAL_PARTITIONS": "5"}
    )
    assert done.returncode == 4
    assert "exists with 2 partitions, wanted are 5" in done.stderr
    assert "SHOAL_PARTITIONS=2" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["worker", "trainer", "run", "watch", "doctor"])
def test_missing_topics_are_told_with_the_remedy(deployment: Deployment, command: str) -> None:
    done = run_shoal(command, environment=deployment.environment())
    assert done.returncode == (1 if command == "doctor" else 2)
    assert "shoal topics create" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
