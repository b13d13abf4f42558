from pathlib import Path

import pytest

from shoal.errors import SettingsError
from shoal.settings import Settings, load_settings
from shoal.settings_errors import SECRET, variable
from shoal.wiring import kafka_connection, worker_config


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("SHOAL_CLOCK", "lunar", "'wall' or 'event'"),
        ("SHOAL_SEGMENTS", "1", "from 2 to 50, or auto"),
        ("SHOAL_SEGMENTS", "many", "from 2 to 50, or auto"),
        ("SHOAL_MODEL_FEATURES", "ctr,age", "features that exist: weekday_hours"),
        ("SHOAL_MODEL_FEATURES", "ctr,ctr", "at least two features, each once"),
        ("SHOAL_NAMESPACE", "a{b}", "letters, digits"),
        ("SHOAL_PARTITIONS", "0", "greater than or equal to 1"),
        ("SHOAL_BATCH_RECORDS", "ten", "valid integer"),
        ("SHOAL_REMOVAL_DAYS", "28", "more than the rolling window's 28 days"),
        ("SHOAL_CACHE_USERS", "11999", "SHOAL_BATCH_RECORDS + SHOAL_SWEEP_USERS = 12000"),
        ("SHOAL_OUTAGE_LIMIT_S", "14", "one try may take"),
        ("SHOAL_EVENT_BYTES_MAX", "100000000", "for dead letters below"),
        ("SHOAL_TOPIC_DEAD", "user-events", "give each topic its own name"),
    ],
)
def test_a_wrong_value_is_one_sentence_with_variable_value_and_remedy(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, remedy: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as told:
        load_settings()
    sentence = str(told.value)
    assert remedy in sentence
    assert "\n" not in sentence
    assert name in sentence
    assert value in sentence


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("SHOAL_SEGMENT", "SHOAL_SEGMENTS"),
        ("SHOAL_REDIS_TIMEOUT_MS", "SHOAL_REDIS_TIMEOUT_S"),
        ("shoal_bootstrap_day", "SHOAL_BOOTSTRAP_DAYS"),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_misspelt_name_is_refused_and_told_which_was_meant(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str, meant: str, place: str
) -> None:
    if place == "environment":
        monkeypatch.setenv(given, "7")
    else:
        (tmp_path / ".env").write_text(f"{given}=7\n")
    with pytest.raises(SettingsError, match=f"{given.upper()} is no setting; {meant} is"):
        load_settings()


def test_a_name_that_is_like_no_setting_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOAL_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("SHOAL_REDIS_PORT", "tcp://10.0.0.1:6379")
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHOAL_REDIS_URL", "http://someone:hunter2@example"),
        ("SHOAL_KAFKA_CONFIG", '{"sasl.password": "hunter2"'),
        ("SHOAL_KAFKA_CONFIG", '{"sasl.password": ["hunter2"]}'),
    ],
)
def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as told:
        load_settings()
    assert name in str(told.value)
    assert "hunter2" not in str(told.value)
    assert told.value.__cause__ is None


def test_settings_and_what_is_made_of_them_do_not_show_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOAL_REDIS_URL", "redis://:hunter2@localhost:6379/0")
    monkeypatch.setenv("SHOAL_KAFKA_CONFIG", '{"sasl.password": "hunter2"}')
    settings = load_settings()
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in repr(kafka_connection(settings))
    assert {"kafka_config", "redis_url"} == SECRET


def test_an_environment_variable_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("SHOAL_NAMESPACE=file\nSHOAL_GROUP=file\nOTHER=1\n")
    monkeypatch.setenv("SHOAL_NAMESPACE", "environment")
    settings = load_settings()
    assert (settings.namespace, settings.group) == ("environment", "file")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOAL_REPLICATION_FACTOR", "")
    assert load_settings().replication_factor is None


def test_every_setting_is_described_and_reaches_its_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
    monkeypatch.setenv("SHOAL_SEGMENTS", "auto")
    monkeypatch.setenv("SHOAL_MODEL_FEATURES", "ctr, ad_seconds")
    monkeypatch.setenv("SHOAL_KAFKA_CONFIG", '{"security.protocol": "SSL"}')
    config = worker_config(load_settings())
    assert config.segments is None
    assert config.model_features == ("ctr", "ad_seconds")
    assert config.kafka.config == {"security.protocol": "SSL"}


def test_the_defaults_of_the_settings_are_those_of_the_design() -> None:
    settings = load_settings()
    assert settings.partitions == 12
    assert settings.segments == 6
    assert settings.clock == "wall"
    assert settings.topic_events == "user-events"
    assert (settings.min_events, settings.removal_days) == (5, 90)
