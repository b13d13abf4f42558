from __future__ import annotations

from producer.pace import Pace


class HandClock:
    """A clock moved by waiting only."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        # Like a client that stops waiting when Kafka answers.
        seconds = max(seconds / 2, 0.001)
        self.waits.append(seconds)
        self.now_s += seconds


def test_events_leave_at_the_rate_on_average() -> None:
    clock = HandClock()
    pace = Pace(1000, clock, clock.wait)
    for _ in range(2000):
        pace.step()
    assert abs(clock.now_s - 102.0) < 0.01
    # Waiting for each of them would cost more than sending it.
    assert len(clock.waits) < 1000


def test_without_a_rate_nothing_waits() -> None:
    clock = HandClock()
    pace = Pace(None, clock, clock.wait)
    for _ in range(1000):
        pace.step()
    assert clock.waits == []


def test_time_lost_is_made_up_for_by_one_second_at_most() -> None:
    clock = HandClock()
    pace = Pace(10, clock, clock.wait)
    clock.now_s += 60
    for _ in range(20):
        pace.step()
    assert 0.8 < sum(clock.waits) < 1.2
