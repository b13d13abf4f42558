"""Names that no other test uses, so that tests can share one broker and one Redis."""

from dataclasses import dataclass
from uuid import uuid4

from consumer.topics import TopicNames


@dataclass(frozen=True)
class Deployment:
    """One Shoal of its own on shared services.

    Attributes:
        kafka: bootstrap servers.
        redis_url: where its state goes.
        namespace: prefix of its Redis keys.
        group: consumer group, and prefix of the transactional ids.
        topics: its six topics; nobody has created them yet.
    """

    kafka: str
    redis_url: str
    namespace: str
    group: str
    topics: TopicNames

    def environment(self) -> dict[str, str]:
        """Give the SHOAL_ variables that make the command line use it."""
        return {
            "SHOAL_KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "SHOAL_REDIS_URL": self.redis_url,
            "SHOAL_NAMESPACE": self.namespace,
            "SHOAL_GROUP": self.group,
            "SHOAL_TOPIC_EVENTS": self.topics.events,
            "SHOAL_TOPIC_CHANGES": self.topics.changes,
            "SHOAL_TOPIC_MEMBERSHIPS": self.topics.memberships,
            "SHOAL_TOPIC_SAMPLES": self.topics.samples,
            "SHOAL_TOPIC_MODELS": self.topics.models,
            "SHOAL_TOPIC_DEAD": self.topics.dead,
        }


def fresh_deployment(kafka: str, redis_url: str) -> Deployment:
    """Name a deployment as nobody did before."""
    name = f"t{uuid4().hex[:10]}"
    return Deployment(
        kafka=kafka,
        redis_url=redis_url,
        namespace=name,
        group=name,
        topics=TopicNames(
            events=f"{name}-events",
            changes=f"{name}-changes",
            memberships=f"{name}-memberships",
            samples=f"{name}-samples",
            models=f"{name}-models",
            dead=f"{name}-dead",
        ),
    )
