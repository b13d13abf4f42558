from consumer.health import ALIVE_WITHIN_S, RESUMED_WITHIN_S, TOLD_EVERY_S, Health


def test_an_outage_is_told_once_then_every_half_minute_and_at_its_end_with_its_length() -> None:
    health = Health(blocked=None)
    told = [health.away("Redis", 3, "no answer", float(second)) for second in range(121)]
    assert [second for second, is_told in enumerate(told) if is_told] == [0, 30, 60, 90, 120]
    assert health.heard("Redis", 3, 121.0) == 121.0
    assert health.outages_total == {"Kafka": 0, "Redis": 1}


def test_an_outage_lasts_as_long_as_it_holds_anything_up() -> None:
    health = Health(blocked=None)
    health.away("Redis", 1, "no answer", 0.0)
    health.away("Redis", 2, "no answer", 5.0)
    assert health.heard("Redis", 2, 6.0) is None
    assert health.not_ready(8.0) == "Redis has been away for 8 s (no answer)"
    assert health.away_s("Redis", 8.0) == 8.0
    assert health.heard("Redis", 1, 9.0) == 9.0
    assert health.not_ready(9.0) is None
    assert health.away_s("Redis", 9.0) == 0.0


def test_a_service_that_comes_and_goes_every_second_is_one_outage_told_every_half_minute() -> None:
    health = Health(blocked=None)
    told, ends = 0, 0
    for second in range(120):
        told += health.away("Redis", 1, "Redis is full", float(second))
        ends += health.heard("Redis", 1, second + 0.5) is not None
    assert told + ends <= 2 + 120 / TOLD_EVERY_S
    assert health.outages_total["Redis"] == 1
    assert health.away("Redis", 1, "Redis is full", 120 + RESUMED_WITHIN_S)
    assert health.outages_total["Redis"] == 2, "the first one was over"


def test_both_services_can_be_away_and_each_comes_back_by_itself() -> None:
    health = Health(blocked=None)
    health.away("Kafka", "client", "no broker", 0.0)
    health.away("Redis", 1, "no answer", 1.0)
    assert set(health.waits_for()) == {"Kafka", "Redis"}
    health.heard("Kafka", "client", 2.0)
    assert health.waits_for() == {"Redis": (1.0, "no answer")}


def test_a_loop_that_hangs_is_not_alive() -> None:
    health = Health()
    assert health.not_alive(1e6) is None, "it has not begun yet"
    health.turned_s = 0.0
    assert health.not_alive(ALIVE_WITHIN_S) is None
    assert health.not_alive(ALIVE_WITHIN_S + 1) == "the loop has not turned for 301 s"
