"""`shoal profiles`: what to do with a table of user profiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="User profiles from a table: import them, or segment them as they are.")

_Table = Annotated[
    Path, typer.Argument(metavar="FILE.csv", help="The table; its first line names the columns.")
]
_Encoding = Annotated[
    str | None, typer.Option(help="Encoding of the file; without it told from the content.")
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.callback()
def profiles() -> None:
    """Take what stands before a command: nothing so far."""


@app.command("import")
def import_(
    path: _Table,
    strict: Annotated[
        bool, typer.Option("--strict", help="Check every row first; send nothing if one is bad.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and report only; needs no Kafka.")
    ] = False,
    errors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every error to this CSV file.")
    ] = None,
    encoding: _Encoding = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When the profiles were true; without it now."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Send the rows of a table as profile events: traits, and metrics known before.

    A bad row is reported with line, column, value and remedy, and left out; the others go in.
    Importing again changes nothing; what was observed of a user is never overwritten. Exit code 1
    if no row can be used, or with --strict if one is bad.
    """
    # Imported here: help and wrong use do not wait for pandas.
    from shoal.profiles.importing import import_profiles  # noqa: PLC0415

    import_profiles(
        path,
        strict=strict,
        dry_run=dry_run,
        errors=errors,
        encoding=encoding,
        as_of=as_of,
        as_json=as_json,
    )


@app.command("segment")
def segment(
    path: _Table,
    segments: Annotated[
        str, typer.Option(metavar="K|auto", help="How many; auto: as many as are stable.")
    ] = "auto",
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="DIR", help="Directory of the results.")
    ] = Path("segments"),
    errors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every error to this CSV file.")
    ] = None,
    encoding: _Encoding = None,
    as_json: _Json = False,
) -> None:
    """Divide the users of a table into segments: no Kafka, no Redis.

    Features, scaling, segments and names are those of the live system. Writes assignments.csv and
    the report (report.html, report.json), and says whether the segments are real.
    """
    # Imported here: help and wrong use do not wait for pandas and scipy.
    from shoal.profiles.segmenting import segment_profiles  # noqa: PLC0415

    segment_profiles(
        path,
        segments=segments,
        out=out,
        errors=errors,
        encoding=encoding,
        as_json=as_json,
    )
