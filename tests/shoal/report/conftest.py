import pytest

from producer.synthetic import SyntheticSettings
from tests.shoal.report.synthetic import SyntheticState, synthetic_state


@pytest.fixture(scope="session")
def state() -> SyntheticState:
    """1,200 synthetic people after 27 days."""
    return synthetic_state(SyntheticSettings(users=1_200, events=60_000, seed=1, days=27))
