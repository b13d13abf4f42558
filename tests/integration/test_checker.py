"""Each figure of the checker rises when somebody tampers with what it looks at, and only then."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import redis

from producer.synthetic import TimedEvent
from tests.integration import releases, streams
from tests.integration.checker import Findings, Observed, check, count, count_releases, observe
from tests.integration.feed import Record
from tests.integration.scenario import Scenario
from tests.services.deployment import fresh_deployment

pytestmark = [pytest.mark.kafka, pytest.mark.redis]

Tamper = Callable[[Observed], Observed]


@pytest.fixture(scope="module")
def scenario(
    kafka: str, redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scenario]:
    """One partition with changes and a dead letter; untouched by the tests."""
    directory = tmp_path_factory.mktemp("checker")
    made = Scenario(fresh_deployment(kafka, redis_server), directory, {}, partitions=1)
    made.create_topics()
    events = streams.history(7, users=60, events=900)
    releases.publish(made.deployment, releases.first_release(events, 7))
    broken = replace_payload(events[10], b"not an event")
    streams.send(made.deployment, [*events[:500], broken, *events[500:]])
    made.work_until_idle()
    yield made
    made.end()


@pytest.fixture(scope="module")
def observed(scenario: Scenario) -> Observed:
    """What the checker sees of it."""
    (only,) = observe(scenario.deployment)
    assert count(only) == Findings(), count(only)
    return only


def replace_payload(timed: TimedEvent, payload: bytes) -> TimedEvent:
    return timed._replace(payload=payload)


def with_meta(observed: Observed, **values: Any) -> Observed:
    meta = deepcopy(observed.stored.meta) or {}
    return replace(observed, stored=replace(observed.stored, meta=meta | values))


def with_user(observed: Observed, **values: Any) -> Observed:
    """Change the stored state of one assigned user."""
    users = dict(observed.stored.users)
    user_id = min(name for name, user in users.items() if user.segment >= 0)
    users[user_id] = replace(users[user_id], **values)
    return replace(observed, stored=replace(observed.stored, users=users))


def edited(record: Record, **values: Any) -> Record:
    body = json.loads(record.value or b"{}") | values
    return replace(record, value=json.dumps(body).encode())


def swap_last_changes(observed: Observed) -> Observed:
    *before, one, other = observed.changes
    return replace(observed, changes=[*before, other, one])


def forge_key(observed: Observed) -> Observed:
    first, *others = observed.changes
    return replace(observed, changes=[replace(first, key=b"somebody"), *others])


def skip_a_version(observed: Observed) -> Observed:
    *before, last = observed.changes
    version = json.loads(last.value or b"{}")["user_version"]
    return replace(observed, changes=[*before, edited(last, user_version=version + 1)])


def drop_last_membership(observed: Observed) -> Observed:
    return replace(observed, memberships=observed.memberships[:-1])


def count_one_more(observed: Observed) -> Observed:
    outcomes = deepcopy((observed.stored.meta or {})["outcomes"])
    outcomes["applied"] += 1
    return with_meta(observed, outcomes=outcomes)


def alter_dead_letter(observed: Observed) -> Observed:
    return replace(observed, dead=[replace(observed.dead[0], value=b"something else")])


def fill_outbox(observed: Observed) -> Observed:
    outbox = {"changes": [{"sequence": 10**6}], "dead": []}
    return replace(observed, stored=replace(observed.stored, outbox=outbox))


def forget_due(observed: Observed) -> Observed:
    due = dict(observed.stored.due)
    due.popitem()
    return replace(observed, stored=replace(observed.stored, due=due))


def count_one_more_in_the_trend(observed: Observed) -> Observed:
    trend = deepcopy(observed.stored.trend)
    newest = max(name for name in trend if name.startswith("d") and name[1:].isdigit())
    trend[newest]["applied"] += 1
    return replace(observed, stored=replace(observed.stored, trend=trend))


def fall_back_to_an_older_model(observed: Observed) -> Observed:
    *before, last = observed.changes
    return replace(observed, changes=[*before, edited(last, model_version="0.1")])


TAMPERED: dict[str, Tamper] = {
    "records_unread": lambda o: with_meta(o, applied_offset=0),
    "sequences_missing": lambda o: replace(o, changes=o.changes[:5] + o.changes[6:]),
    "sequences_repeated": lambda o: replace(o, changes=[*o.changes, o.changes[-1]]),
    "changes_disordered": swap_last_changes,
    "changes_misplaced": forge_key,
    "user_versions_broken": skip_a_version,
    "memberships_differing": drop_last_membership,
    "states_differing": lambda o: with_user(o, user_version=99),
    "features_differing": lambda o: with_user(o, applied=1),
    "outcomes_differing": count_one_more,
    "dead_letters_missing": lambda o: replace(o, dead=[]),
    "dead_letters_repeated": lambda o: replace(o, dead=[*o.dead, *o.dead]),
    "dead_letters_altered": alter_dead_letter,
    "outbox_unpublished": fill_outbox,
    "user_counts_differing": lambda o: with_meta(o, unassigned=10**6),
    "due_differing": forget_due,
    "trend_differing": count_one_more_in_the_trend,
    "models_backwards": fall_back_to_an_older_model,
}


def test_every_figure_has_a_case() -> None:
    assert TAMPERED.keys() == Findings.__dataclass_fields__.keys()


@pytest.mark.parametrize("figure", TAMPERED)
def test_the_figure_rises_when_tampered_with(figure: str, observed: Observed) -> None:
    findings = count(TAMPERED[figure](observed))
    assert getattr(findings, figure) > 0, findings


def test_a_single_wrong_feature_is_found(observed: Observed) -> None:
    wrong = with_user(observed, features=dict.fromkeys(next(iter(features_of(observed))), 0.5))
    assert count(wrong) == Findings(features_differing=1)


def features_of(observed: Observed) -> Iterator[dict[str, float | None]]:
    return (user.features for user in observed.stored.users.values())


def test_a_state_taken_out_of_redis_is_missed(scenario: Scenario) -> None:
    deployment = scenario.deployment
    with redis.Redis.from_url(deployment.redis_url) as client:
        pattern = f"\\{{{deployment.namespace}.0}}:u:*"
        key = next(client.scan_iter(match=pattern))
        kept = client.get(key)
        assert isinstance(kept, bytes)
        client.delete(key)
        findings = check(deployment)
        client.set(key, kept)
    assert findings.features_differing == 1
    assert findings.user_counts_differing == 1
    assert findings.due_differing == 1
    assert check(deployment) == Findings()


def released(*versions: str) -> list[Record]:
    return [Record(n, 0, version.encode(), b"{}") for n, version in enumerate(versions)]


@pytest.mark.parametrize(
    ("models", "copied", "wrong"),
    [
        (released("1.0", "1.1", "answer-x", "2.0"), (2, 0), 0),
        (released("1.0", "1.1"), None, 0),
        (released("1.0", "1.1", "1.1"), (1, 1), 1),
        (released("2.0", "1.9", "2.1"), (2, 1), 1),
        (released("1.0", "1.1"), (1, 0), 1),
        (released(), (1, 0), 1),
    ],
)
def test_a_release_that_goes_back_is_found(
    models: list[Record], copied: tuple[int, int] | None, wrong: int
) -> None:
    assert count_releases(models, copied) == wrong
