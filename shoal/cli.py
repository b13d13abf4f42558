"""The command line: one place that puts the commands together and turns errors into exit codes."""

from importlib.metadata import version
from typing import Annotated

import typer

from shoal import demo, doctor, lookup, processes, produce, topics, watch
from shoal.exit_codes import explained

app = typer.Typer(
    help="Live user segments from an event stream: Kafka in, features in Redis, changes out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 a check found differences, 2 wrong use or setting, "
    "3 a service cannot be reached, 4 refused to protect data. Settings: docs/settings.md.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("shoal"))
        raise typer.Exit


@app.callback()
def shoal(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


app.command("demo")(demo.demo)
app.add_typer(topics.app, name="topics")
app.command("doctor")(doctor.doctor)
app.command("worker")(processes.worker)
app.command("trainer")(processes.trainer)
app.command("run")(processes.run)
app.add_typer(produce.app, name="produce")
app.command("watch")(watch.watch)
app.command("lookup")(lookup.lookup)
app.add_typer(lookup.segments_app, name="segments")


def main() -> None:
    """Run the command line; never a traceback for what the operator or the world can mend."""
    with explained():
        app()


if __name__ == "__main__":
    main()
