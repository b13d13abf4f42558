"""All releases, and the choice of one by its version."""

from dataclasses import dataclass

from consumer.errors import NotSetUp
from consumer.models import read_releases
from consumer.setup import check_topics
from segments.model import SegmentModel
from shoal.errors import WrongUse
from shoal.settings import Settings
from shoal.wiring import kafka_connection, worker_config


@dataclass(frozen=True)
class Releases:
    """Every release that the models topic has, the oldest version first; never empty."""

    models: list[SegmentModel]

    @property
    def newest(self) -> SegmentModel:
        """The one in force."""
        return self.models[-1]

    def find(self, version: str) -> SegmentModel:
        """Give the release with this version.

        Raises:
            WrongUse: there is none.
        """
        for model in self.models:
            if model.version == version:
                return model
        msg = (
            f"there is no release '{version}': versions run from {self.models[0].version} to "
            f"{self.newest.version}, see `shoal model list --all`"
        )
        raise WrongUse(msg)


def read(settings: Settings) -> Releases:
    """Read all releases.

    Raises:
        NotSetUp: there is none yet, or the topic is missing.
        ServiceUnavailable, ProtectsData: the topic cannot be read.
    """
    check_topics(worker_config(settings))
    models = read_releases(kafka_connection(settings), settings.topic_models)
    if not models:
        msg = (
            "there is no model yet: `shoal trainer` makes the first one once it has enough samples "
            "(docs/segmentation.md)"
        )
        raise NotSetUp(msg)
    return Releases(models)
