"""Carrying `shoal report` out: read, describe, write."""

from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from shoal.campaigns.plan import Conditions, NothingToPlan, Plan, make_plan
from shoal.campaigns.prices import read_prices
from shoal.campaigns.targets import targets
from shoal.errors import WrongUse
from shoal.report.document import Report
from shoal.report.live import LiveState, read_state
from shoal.report.page import render
from shoal.report.profiling import make_report
from shoal.settings import load_settings

FREQUENCY_CAP = 10
MIN_SHARE = 0.05
STDOUT = Path("-")


def write_report(
    out: Path | None,
    json_out: Path | None,
    *,
    show_ids: bool,
    budget: float | None,
    cpm: str | None,
) -> None:
    """Make a report; see the command's help.

    Raises:
        WrongUse: nothing was asked for, or a file cannot be written.
    """
    if out is None and json_out is None:
        raise WrongUse("nowhere to write to: give -o report.html, --json report.json, or both")
    for path in (out, json_out):
        if path not in (None, STDOUT):
            _write(path, b"")  # a wrong name is found before the work is done
    state = _read()
    report = make_report(state.people, state.model, state.history, show_ids=show_ids)
    plan = None if budget is None else _plan(state, budget, cpm)
    if json_out is not None:
        document = encoded(report, plan)
        if json_out == STDOUT:
            typer.echo(document.decode())
        else:
            _write(json_out, document + b"\n")
    if out is not None:
        page = render(report, plan)
        _write(out, page.encode())
        typer.echo(f"written: {out} ({len(page.encode()) / 1000:,.0f} KB)", err=True)


def encoded(report: Report, plan: Plan | None) -> bytes:
    """Give the JSON of a report, with the campaign sheet in it if there is one."""
    document = msgspec.to_builtins(report)
    document["campaign_plan"] = msgspec.to_builtins(plan, str_keys=True)
    return msgspec.json.encode(document)


def _read() -> LiveState:
    settings = load_settings()
    with Progress(
        TextColumn("reading users"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("users", total=None)
        return read_state(
            settings, lambda seen, total: bar.update(task, completed=seen, total=total)
        )


def _plan(state: LiveState, budget: float, cpm: str | None) -> Plan:
    if state.model is None:
        raise WrongUse("--budget: there are no segments to plan for yet")
    audiences = targets(state.people, state.model, demographics=False)
    want = Conditions(
        budget=budget,
        cpm=read_prices(cpm, state.model),
        frequency_cap=FREQUENCY_CAP,
        min_share=min(MIN_SHARE, 1 / max(1, len(audiences))),
        fatigue=1.0,
    )
    try:
        return make_plan(audiences, want, demographics=False)
    except NothingToPlan as nothing:
        raise WrongUse(f"--budget: {nothing}") from nothing


def _write(path: Path | None, content: bytes) -> None:
    assert path is not None
    try:
        path.write_bytes(content)
    except OSError as failure:
        raise WrongUse(f"cannot write {path}: {failure.strerror}; give another file") from failure
