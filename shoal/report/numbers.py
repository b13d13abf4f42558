"""How numbers are written for people."""

from shoal.report.document import Rate
from shoal.report.proportions import Proportion

_SHARES = frozenset({"share"})


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share; a dash when it is not known."""
    return "–" if share is None else f"{100 * share:.{digits}f}%"


def amount(value: float | None, unit: str = "") -> str:
    """Write a value in its unit with three significant digits."""
    if value is None:
        return "–"
    if unit in _SHARES:
        return percent(value)
    if abs(value) >= 1000:
        number = f"{value:,.0f}"
    elif abs(value) >= 100:
        number = f"{value:.0f}"
    else:
        number = f"{value:.2g}" if abs(value) < 1 else f"{value:.3g}"
    shown = unit if unit in ("s", "h/day") else ""
    return f"{number} {shown}".rstrip()


def whole(value: int | None) -> str:
    """Write a count; what is suppressed says so."""
    return "under 20" if value is None else f"{value:,}"


def effect(value: float) -> str:
    """Write an effect size with its sign."""
    return f"{value:+.2f}".replace("-", "−")


def bounds(found: Proportion) -> str:
    """Write an interval."""
    return f"{100 * found.low:.1f}–{percent(found.high)}"


def rate(value: Rate | None) -> str:
    """Write a rate with its interval, or where it comes from, or that nothing is known."""
    if value is None:
        return "–"
    if value.observed is not None:
        found = value.observed
        return f"{percent(found.share)} ({bounds(found)})"
    if value.from_profiles is not None:
        return f"{percent(value.from_profiles)} from profiles, no interval"
    return "not enough evidence"
