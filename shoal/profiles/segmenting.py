"""`shoal profiles segment`: who is in which segment, from a table alone."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consumer.lookup import SegmentView
from features.tiles import DAY_MS
from segments.model import NO_SEGMENT, CompiledModel
from segments.structure import STABLE
from segments.unrelated import RELATED
from shoal.errors import ChecksFailed, WrongUse
from shoal.profiles.batch import BatchSegments, TableFolder, segment_people
from shoal.profiles.report import ErrorReport, FileProgress, describe, say
from shoal.profiles.table import ProfileTable
from shoal.report.making import encoded
from shoal.report.page import render
from shoal.report.profiling import make_report
from shoal.telling import telling_features

ASSIGNMENTS = "assignments.csv"
REPORT = "report.html"
REPORT_JSON = "report.json"
_AUTO = "auto"


def segment_profiles(
    path: Path,
    *,
    segments: str,
    out: Path,
    errors: Path | None,
    encoding: str | None,
    as_json: bool,
) -> None:
    """Segment a table; see the command's help.

    Raises:
        ChecksFailed: No row can be used.
        WrongUse: The table cannot be segmented, or the directory not written.
    """
    wanted = _number(segments)
    table = ProfileTable(path, encoding)
    describe(table)
    _make(out)
    with ErrorReport(path, errors) as report:
        folder, bad = _fold(table, report)
    found = segment_people(folder.people(), wanted)
    report_of_people = make_report(found.people, found.model, warning=found.warning)
    written = [
        _write_assignments(found, folder.user_ids, out / ASSIGNMENTS),
        _write(out / REPORT, render(report_of_people)),
        _write(out / REPORT_JSON, encoded(report_of_people, None).decode() + "\n"),
    ]
    if as_json:
        typer.echo(json.dumps(_document(found, bad, written), ensure_ascii=False))
    else:
        _show(found)
    for file in written:
        say(f"written: {file}")
    if bad:
        say(f"{bad:,} bad rows are left out")


def _number(segments: str) -> int | None:
    """Read how many segments are wanted; None for as many as there are."""
    if segments == _AUTO:
        return None
    if segments.isascii() and segments.isdigit() and 2 <= int(segments) <= 64:
        return int(segments)
    raise WrongUse(f"--segments {segments}: give a number from 2 to 64, or {_AUTO}")


def _make(directory: Path) -> None:
    """Make the directory of results."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise WrongUse(
            f"cannot make the directory {directory}: {failure.strerror}; give -o another one"
        ) from failure


def _fold(table: ProfileTable, report: ErrorReport) -> tuple[TableFolder, int]:
    """Read everybody; count the bad rows."""
    folder = TableFolder(int(datetime.now(UTC).timestamp() * 1000) // DAY_MS * DAY_MS)
    bad = 0
    with FileProgress(table) as progress:
        for block in table.blocks():
            folder.add(block.rows)
            report.add(block.errors)
            bad += block.bad
            progress.update()
    if not folder.user_ids:
        if bad:
            raise ChecksFailed(f"no row of {table.path} can be used: mend the table")
        raise WrongUse(f"{table.path} has no rows below its header")
    return folder, bad


def _write_assignments(found: BatchSegments, user_ids: list[str], path: Path) -> Path:
    """Write one line per user, in the order of the table."""
    row_of = {user_id: row for row, user_id in enumerate(found.people.user_ids)}
    names = {number: found.model.name_of(number) for number in found.model.ids}
    segments, margins = found.people.segment.tolist(), found.margin.tolist()
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("user_id", "segment_id", "segment", "margin"))
            for user_id in user_ids:
                row = row_of[user_id]
                if (number := segments[row]) == NO_SEGMENT:
                    writer.writerow((user_id, "", "", ""))
                else:
                    writer.writerow((user_id, number, names[number], f"{margins[row]:.4f}"))
    except OSError as failure:
        raise WrongUse(f"cannot write {path}: {failure.strerror}; give -o another one") from failure
    return path


def _write(path: Path, text: str) -> Path:
    """Write a file of text."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as failure:
        raise WrongUse(f"cannot write {path}: {failure.strerror}; give -o another one") from failure
    return path


def _views(found: BatchSegments) -> list[SegmentView]:
    """Describe the segments as `shoal segments` does."""
    compiled = CompiledModel(found.model)
    centres = compiled.scaling.values_at(compiled.centroids).tolist()
    sizes = found.people.segment.tolist()
    return [
        SegmentView(
            id=number,
            name=found.model.name_of(number),
            size=sizes.count(number),
            centroid=dict(zip(found.model.features, centre, strict=True)),
        )
        for number, centre in zip(found.model.ids, centres, strict=True)
    ]


def _document(found: BatchSegments, bad: int, written: list[Path]) -> dict[str, object]:
    """Say everything in one document."""
    views = _views(found)
    return {
        "users": len(found.people),
        "unassigned": len(found.people) - sum(view.size for view in views),
        "bad": bad,
        "stable": found.warning is None,
        "warning": found.warning,
        "structure": found.model.structure,
        "split_half_ari": {str(k): round(ari, 4) for k, ari in found.model.structure_curve},
        "stable_from": STABLE,
        "scatter_to_shuffled": round(found.scatter, 4),
        "features": list(found.model.features),
        "left_out": found.model.left_out,
        "segments": [
            {"id": v.id, "name": v.name, "size": v.size, "centroid": v.centroid} for v in views
        ],
        "written": [str(file) for file in written],
    }


def _show(found: BatchSegments) -> None:
    """Print the segments; what they are worth comes first."""
    console = Console(highlight=False)
    if found.warning:
        console.print(f"[bold]WARNING: {escape(found.warning)}[/] Do not plan with these segments.")
    else:
        console.print(escape(found.model.structure))
    curve = "  ".join(f"{k}: {ari:.2f}" for k, ari in found.model.structure_curve)
    if curve:
        console.print(
            "Agreement of two halves of the users (ARI; 1 = the same, "
            f"{STABLE} = stable) by number of segments: {curve}"
        )
    console.print(
        f"Scatter around the segments: {found.scatter:.0%} of that of users whose columns were "
        f"shuffled (below {RELATED:.0%}: the columns belong together)"
    )
    views = _views(found)
    telling = telling_features(views)
    table = Table("id", "segment", "users", "telling")
    for view in views:
        table.add_row(str(view.id), escape(view.name), f"{view.size:,}", telling[view.id])
    console.print(table)
    outside = len(found.people) - sum(view.size for view in views)
    if outside:
        console.print(f"{outside:,} users have no value of behaviour and no segment.")
