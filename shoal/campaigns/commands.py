"""`shoal campaigns`: what to spend on whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Plan campaigns: what each segment brings, and how to split a budget.")


@app.callback()
def campaigns() -> None:
    """Take what stands before a command: nothing so far."""


@app.command("plan")
def plan(
    budget: Annotated[
        float, typer.Option(min=0.01, help="What to spend at most, in your currency.")
    ],
    cpm: Annotated[
        str | None,
        typer.Option(
            metavar="N|FILE",
            help="Price of 1,000 impressions, or a CSV file with the columns segment,cpm; "
            "without it 5 for all.",
        ),
    ] = None,
    frequency_cap: Annotated[
        int, typer.Option(min=1, max=1000, help="Impressions per user at most.")
    ] = 10,
    min_share: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of the budget for each segment, to learn from."),
    ] = 0.05,
    fatigue: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=1,
            help="What an impression is worth against the one before it; 1: as much.",
        ),
    ] = 1.0,
    allow_demographics: Annotated[
        bool,
        typer.Option(
            "--allow-demographics",
            help="Also describe segments by age, gender and the like; no figure depends on it.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Also write the plan: .csv or .json."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Plan a campaign: reach, expected results and their intervals, and the best split of a budget.

    From what the people of each segment did in the newest 28 days. Beside the best split stand an
    equal and a proportional one, and how much more the best one brings. The arithmetic:
    docs/campaigns.md.
    """
    # Imported here: help and wrong use do not wait for scipy.
    from shoal.campaigns.planning import plan_campaign  # noqa: PLC0415

    plan_campaign(
        budget=budget,
        cpm=cpm,
        frequency_cap=frequency_cap,
        min_share=min_share,
        fatigue=fatigue,
        demographics=allow_demographics,
        out=out,
        as_json=as_json,
    )


@app.command("results")
def results(
    days: Annotated[int, typer.Option(min=1, max=28, help="Days back from the newest one.")] = 28,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """What each campaign has brought in each segment, by the campaign ids of events."""
    # Imported here: help and wrong use do not wait for it.
    from shoal.campaigns.showing import show_results  # noqa: PLC0415

    show_results(days=days, as_json=as_json)
