from consumer.allowance import SAVED_UP_S, Allowance


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_over_time_no_more_than_the_rate_is_allowed() -> None:
    clock, done = Clock(), 0
    allowance = Allowance(1_000, clock)
    for _ in range(1_000):
        clock.now_s += 0.01
        amount = min(300, allowance.left or 0)
        allowance.take(amount)
        done += amount
    assert abs(done - 10_000) <= 1_000 * SAVED_UP_S


def test_what_was_not_used_for_long_is_not_made_up_for() -> None:
    clock = Clock()
    allowance = Allowance(1_000, clock)
    clock.now_s += 3_600
    assert allowance.left == 1_000 * SAVED_UP_S


def test_a_low_rate_still_allows_one_at_a_time() -> None:
    clock = Clock()
    allowance = Allowance(1, clock)
    assert allowance.left == 1
    allowance.take(1)
    assert allowance.left == 0
    clock.now_s += 1
    assert allowance.left == 1


def test_without_a_rate_any_amount_is_allowed() -> None:
    allowance = Allowance(None, Clock())
    allowance.take(10**9)
    assert allowance.left is None
