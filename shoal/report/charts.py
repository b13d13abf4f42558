"""Charts as inline SVG: small, printable, the same bytes every time, readable without colour.

Drawn here instead of by a library: the page needs four simple shapes, and a bundled plotting
library would add 4 MB of script to it that neither prints nor repeats itself to the byte. What a
chart shows stands in a table or a sentence beside it as well.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup

RADAR_EDGE = 2.0
"""Standard deviations at the edge of a radar; what lies further out is drawn there."""

_RADIUS, _CENTRE_X, _CENTRE_Y = 100.0, 210.0, 140.0
_SPARK_WIDTH, _SPARK_HEIGHT = 240.0, 56.0


def radar(axes: Sequence[tuple[str, float | None]], description: str) -> Markup:
    """Draw a segment against the population.

    Args:
        axes: label and deviation in standard deviations (None: not known), clockwise from the top.
        description: what a reader who cannot see it is told.
    """
    count = len(axes)
    spokes, labels, outline = [], [], []
    for number, (label, deviation) in enumerate(axes):
        angle = 2 * math.pi * number / count - math.pi / 2
        x, y = _CENTRE_X + _RADIUS * math.cos(angle), _CENTRE_Y + _RADIUS * math.sin(angle)
        spokes.append(f'<line x1="{_CENTRE_X}" y1="{_CENTRE_Y}" x2="{x:.1f}" y2="{y:.1f}"/>')
        labels.append(_radar_label(label, angle))
        cut = min(RADAR_EDGE, max(-RADAR_EDGE, deviation or 0.0))
        reach = _RADIUS * (cut + RADAR_EDGE) / (2 * RADAR_EDGE)
        outline.append((_CENTRE_X + reach * math.cos(angle), _CENTRE_Y + reach * math.sin(angle)))
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in outline)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2"/>'
        for (x, y), (_, deviation) in zip(outline, axes, strict=True)
        if deviation is not None
    )
    rings = "".join(
        f'<circle cx="{_CENTRE_X}" cy="{_CENTRE_Y}" r="{_RADIUS * share}"/>'
        for share in (0.25, 0.75, 1.0)
    )
    return _figure(
        "radar",
        (420, 280),
        description,
        f'<g class="grid">{rings}{"".join(spokes)}</g>'
        f'<circle class="population" cx="{_CENTRE_X}" cy="{_CENTRE_Y}" r="{_RADIUS / 2}"/>'
        f'<polygon class="shape" points="{points}"/><g class="dots">{dots}</g>'
        f"<g>{''.join(labels)}</g>",
    )


def _radar_label(label: str, angle: float) -> str:
    x = _CENTRE_X + (_RADIUS + 10) * math.cos(angle)
    y = _CENTRE_Y + (_RADIUS + 12) * math.sin(angle) + 4
    side = math.cos(angle)
    anchor = "middle" if abs(side) < 0.2 else "start" if side > 0 else "end"
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{Markup.escape(label)}</text>'


def sparkline(values: Sequence[float | None], description: str) -> Markup:
    """Draw a value by day, from 0 up; days without one are gaps."""
    top = max((value for value in values if value is not None), default=0.0) or 1.0
    step = (_SPARK_WIDTH - 12) / max(1, len(values) - 1)
    runs: list[list[str]] = [[]]
    last = (6.0, _SPARK_HEIGHT - 4)
    for number, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        last = (6 + number * step, 6 + (_SPARK_HEIGHT - 10) * (1 - value / top))
        runs[-1].append(f"{last[0]:.1f},{last[1]:.1f}")
    lines = "".join(f'<polyline points="{" ".join(run)}"/>' for run in runs if len(run) > 1)
    dot = f'<circle cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="3.5"/>' if any(runs) else ""
    base = f'<line class="base" x1="6" y1="{_SPARK_HEIGHT - 4}" x2="{_SPARK_WIDTH - 6}" '
    base += f'y2="{_SPARK_HEIGHT - 4}"/>'
    return _figure("spark", (_SPARK_WIDTH, _SPARK_HEIGHT), description, f"{base}{lines}{dot}")


def hours(shares: Sequence[float], description: str) -> Markup:
    """Draw the day's rhythm: 24 bars and the hours below them."""
    top = max(shares) or 1.0
    bars = "".join(
        f'<rect x="{8 + hour * 13:.1f}" y="{8 + 70 * (1 - share / top):.1f}" width="10" '
        f'height="{70 * share / top:.1f}"/>'
        for hour, share in enumerate(shares)
    )
    ticks = "".join(
        f'<text x="{8 + hour * 13}" y="94">{hour:02d}</text>' for hour in (0, 6, 12, 18)
    )
    base = '<line class="base" x1="6" y1="78" x2="320" y2="78"/>'
    return _figure("hours", (326, 98), description, f"{base}<g>{bars}</g><g>{ticks}</g>")


def interval(share: float, low: float, high: float, population: float | None, top: float) -> Markup:
    """Draw an estimate with its interval, and a tick where the population is; decoration only."""
    width = 110.0

    def at(value: float) -> float:
        return 5 + (width - 10) * min(1.0, value / top)

    tick = ""
    if population is not None:
        tick = f'<line class="tick" x1="{at(population):.1f}" y1="1" x2="{at(population):.1f}" '
        tick += 'y2="17"/>'
    return Markup(  # noqa: S704 -- numbers only
        f'<svg class="interval" viewBox="0 0 {width:g} 18" width="{width:g}" height="18" '
        f'aria-hidden="true"><line class="base" x1="5" y1="9" x2="{width - 5}" y2="9"/>{tick}'
        f'<line class="whisker" x1="{at(low):.1f}" y1="9" x2="{at(high):.1f}" y2="9"/>'
        f'<circle cx="{at(share):.1f}" cy="9" r="4"/></svg>'
    )


def index_bar(index: int) -> Markup:
    """Draw an index around 100: to the right above, hatched to the left below; decoration only."""
    middle, span = 50.0, 46.0
    reach = span * min(1.0, abs(index - 100) / 100)
    x = middle if index >= 100 else middle - reach
    kind = "over" if index >= 100 else "under"
    return Markup(  # noqa: S704 -- numbers only
        '<svg class="index" viewBox="0 0 100 12" width="72" height="12" '
        'preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{kind}" x="{x:.1f}" y="2" width="{reach:.1f}" height="8"/>'
        f'<line class="tick" x1="{middle}" y1="0" x2="{middle}" y2="12"/></svg>'
    )


def _figure(kind: str, size: tuple[float, float], description: str, inside: str) -> Markup:
    return Markup(  # noqa: S704 -- numbers, and text that is escaped
        f'<svg class="{kind}" viewBox="0 0 {size[0]:g} {size[1]:g}" role="img" '
        f'aria-label="{Markup.escape(description)}">{inside}</svg>'
    )
