"""`shoal report`: who is in each segment, as a page and as data."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE.html", help="Write the page here."),
    ] = None,
    json_out: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the figures as JSON; '-' is stdout."),
    ] = None,
    show_ids: Annotated[
        bool, typer.Option("--show-ids", help="Name typical users by id instead of by a hash.")
    ] = False,
    budget: Annotated[
        float | None, typer.Option(min=0.01, help="Add a campaign sheet for this budget.")
    ] = None,
    cpm: Annotated[
        str | None,
        typer.Option(metavar="N|FILE", help="Prices for the sheet, as for `shoal campaigns plan`."),
    ] = None,
) -> None:
    """Describe every segment: who is in it, what sets it apart, how it has changed.

    One self-contained page, nothing is loaded from anywhere. Groups of fewer than 20 people are
    left out. Every number is defined in docs/report.md.
    """
    # Imported here: help and wrong use do not wait for the drawing.
    from shoal.report.making import write_report  # noqa: PLC0415

    write_report(out, json_out, show_ids=show_ids, budget=budget, cpm=cpm)
