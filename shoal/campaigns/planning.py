"""`shoal campaigns plan`: the live state in, a plan for people or scripts out."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shoal.campaigns.plan import (
    Conditions,
    NothingToPlan,
    Plan,
    Range,
    SegmentPlan,
    SplitResult,
    make_plan,
)
from shoal.campaigns.prices import DEFAULT_CPM, read_prices
from shoal.campaigns.targets import Standout, targets
from shoal.errors import WrongUse
from shoal.report.live import read_state
from shoal.settings import load_settings

_NOT_USED = "Demographics: not looked at (--allow-demographics describes segments by them)."
_USED = (
    "Demographics: shown beside the plan because you asked for it; no figure and no part of the "
    "split follows from them. Targeting on them is restricted in many places."
)


def plan_campaign(
    *,
    budget: float,
    cpm: str | None,
    frequency_cap: int,
    min_share: float,
    fatigue: float,
    demographics: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Make a plan; see the command's help.

    Raises:
        WrongUse: Options make no sense for these segments, or there is nothing to plan.
    """
    _check_out(out)
    state = read_state(load_settings(), lambda _seen, _expected: None)
    people, model = state.people, state.model
    if model is None:
        raise WrongUse(
            "there are no segments yet: the trainer releases the first model when it has seen "
            "enough (docs/segmentation.md)"
        )
    prices = read_prices(cpm, model)
    audiences = targets(people, model, demographics=demographics)
    if min_share * len(audiences) > 1:
        raise WrongUse(
            f"--min-share {min_share:g} for each of {len(audiences)} segments is more than the "
            f"whole budget: give at most {1 / len(audiences):.3f}"
        )
    want = Conditions(
        budget=budget,
        cpm=prices,
        frequency_cap=frequency_cap,
        min_share=min_share,
        fatigue=fatigue,
    )
    try:
        made = make_plan(audiences, want, demographics=demographics)
    except NothingToPlan as nothing:
        raise WrongUse(str(nothing)) from nothing
    if as_json:
        typer.echo(encoded(made).decode())
    else:
        _show(made, assumed=cpm is None)
    if out is not None:
        as_csv = out.suffix == ".csv"
        _write(out, table_of(made) if as_csv else encoded(made).decode() + "\n")
        typer.echo(f"written: {out}", err=True)


def encoded(plan: Plan) -> bytes:
    """Give the JSON of a plan."""
    return msgspec.json.encode(plan)


def _check_out(path: Path | None) -> None:
    """Open the file to write, so that a wrong name is found before the work is done."""
    if path is None:
        return
    if path.suffix not in (".csv", ".json"):
        raise WrongUse(f"-o {path}: give a file that ends with .csv or .json")
    _write(path, "")


def _write(path: Path, text: str) -> None:
    """Write a file."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as failure:
        raise WrongUse(
            f"cannot write {path}: {failure.strerror}; give -o another file"
        ) from failure


def table_of(plan: Plan) -> str:
    """Give the plan as a table for a spreadsheet, one line per segment."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for one in plan.segments:
        writer.writerow(
            (
                one.id, one.name, one.reach, one.impressions, one.clicks, one.conversions,
                f"{one.frequency:.2f}", f"{one.cpm:g}",
                *_three(one.clicks_per_1000), *_three(one.conversions_per_1000),
                *_three(one.cost_per_conversion),
                one.device or "", one.time or "", _names(one.interests), _names(one.demographics),
                f"{one.spend:.2f}", one.buys, *_three(one.expected_conversions),
                f"{plan.equal.spend[one.id]:.2f}", f"{plan.proportional.spend[one.id]:.2f}",
            )
        )  # fmt: skip
    return text.getvalue()


_COLUMNS = (
    "segment_id", "segment", "reach", "impressions", "clicks", "conversions", "frequency", "cpm",
    "clicks_per_1000", "clicks_per_1000_low", "clicks_per_1000_high",
    "conversions_per_1000", "conversions_per_1000_low", "conversions_per_1000_high",
    "cost_per_conversion", "cost_per_conversion_low", "cost_per_conversion_high",
    "device", "time", "interests", "demographics", "spend", "buys",
    "expected_conversions", "expected_conversions_low", "expected_conversions_high",
    "spend_equal", "spend_proportional",
)  # fmt: skip


def _three(figure: Range) -> tuple[str, str, str]:
    """Write a figure and its interval for a spreadsheet."""
    high = "" if figure.high is None else f"{figure.high:.4f}"
    return f"{figure.expected:.4f}", f"{figure.low:.4f}", high


def _names(standouts: tuple[Standout, ...]) -> str:
    """List labels with their index."""
    return ", ".join(f"{one.label} ({one.index})" for one in standouts)


def _show(plan: Plan, *, assumed: bool) -> None:
    """Print a plan for people: figures in a table that fits 80 columns, words below it."""
    console = Console(highlight=False)
    table = Table("id", "users", "spend", "impressions", "conversions expected", "cost of one")
    for one in plan.segments:
        table.add_row(
            str(one.id),
            f"{one.reach:,}",
            f"{one.spend:,.2f}",
            f"{one.buys:,}",
            _shown(one.expected_conversions),
            _shown(one.cost_per_conversion),
        )
    console.print(table)
    for one in plan.segments:
        console.print(f"{one.id} [bold]{escape(one.name)}[/]")
        for line in _how_to_reach(one):
            console.print(f"    {escape(line)}")
    console.print()
    ways: tuple[tuple[str, SplitResult], ...] = (
        ("this split", plan.best),
        ("equal split", plan.equal),
        ("by size", plan.proportional),
    )
    for name, way in ways:
        lift = "" if way is plan.best else f"; this split: {_percent(way.lift)}"
        console.print(f"{name:12}{_shown(way.conversions)} conversions{lift}")
    console.print(f"\n{_summary(plan, assumed=assumed)}")


def _how_to_reach(one: SegmentPlan) -> list[str]:
    """Say what a segment brings, and where, when and with what it is reached."""
    clicks, conversions = _shown(one.clicks_per_1000), _shown(one.conversions_per_1000)
    so_far = f"; {one.frequency:.1f} per user so far" if one.impressions else ""
    lines = [f"per 1,000 impressions: {clicks} clicks, {conversions} conversions{so_far}"]
    lines += [line for line in (one.device, one.time) if line]
    if one.interests:
        lines.append(f"cares for {_names(one.interests)}")
    if one.demographics:
        lines.append(f"more often than others: {_names(one.demographics)}")
    return lines


def _summary(plan: Plan, *, assumed: bool) -> str:
    """Say what the plan rests on, and what it leaves out."""
    lines = []
    if plan.spent < plan.budget * (1 - 1e-9):
        lines.append(
            f"{plan.spent:,.2f} of {plan.budget:,.2f} can be spent: everybody then has "
            f"{plan.frequency_cap} impressions; a higher --frequency-cap leaves more room."
        )
    if assumed:
        lines.append(f"Prices: {DEFAULT_CPM:g} for 1,000 impressions is assumed; give --cpm.")
    lines += [f"{one.id} {one.name} is left out: {one.why} ({one.reach})." for one in plan.left_out]
    lines.append(f"Intervals: 95 %. Evidence: {plan.evidence}.")
    lines.append(_USED if plan.demographics_used else _NOT_USED)
    return escape("\n".join(lines))


def _shown(figure: Range) -> str:
    """Write a figure with its interval, short."""
    high = "…" if figure.high is None else _short(figure.high)
    return f"{_short(figure.expected)} ({_short(figure.low)}–{high})"


def _short(value: float) -> str:
    """Write a number with about three digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _percent(figure: Range) -> str:
    """Write a gain with its interval."""
    high = figure.high if figure.high is not None else figure.expected
    return f"{figure.expected:+.0%} ({figure.low:+.0%} to {high:+.0%})"
