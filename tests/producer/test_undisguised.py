"""Which exception comes out of a call of the Kafka client."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from producer.undisguised import undisguised


def test_what_a_log_line_has_turned_into_a_system_error_is_raised_as_it_was() -> None:
    meant = KafkaException(KafkaError(KafkaError._FENCED))
    with pytest.raises(KafkaException) as caught, undisguised():
        raise SystemError("LogRecord returned a result with an exception set") from meant
    assert caught.value is meant


def test_a_system_error_of_its_own_stays_one() -> None:
    with pytest.raises(SystemError, match="broken"), undisguised():
        raise SystemError("broken")


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="mine"), undisguised():
        raise ValueError("mine")
