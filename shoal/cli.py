"""The command line: one place that puts the commands together and turns errors into exit codes."""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from shoal.exit_codes import explained

COMMANDS = {
    "demo": "shoal.demo:demo",
    "topics": "shoal.topics:app",
    "doctor": "shoal.doctor:doctor",
    "worker": "shoal.processes:worker",
    "trainer": "shoal.processes:trainer",
    "run": "shoal.processes:run",
    "produce": "shoal.produce:app",
    "profiles": "shoal.profiles.commands:app",
    "campaigns": "shoal.campaigns.commands:app",
    "watch": "shoal.watch:watch",
    "lookup": "shoal.lookup:lookup",
    "segments": "shoal.segments:app",
    "report": "shoal.report.command:report",
    "model": "shoal.model.app:app",
}
"""Every command in the order of the help: the module, and in it a function or a group."""


class _OnDemand(TyperGroup):
    """A group whose commands are imported when they are asked for.

    All of them together take 1.5 s to import, most of it for libraries that only the trainer or
    only the tables need; nobody should wait for those to look one user up.
    """

    # Typer keeps the types of these two to itself.
    def list_commands(self, _ctx: Any) -> list[str]:
        """Name all commands, imported or not."""
        return list(COMMANDS)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """Import one command; None for a name that there is not.

        Then all are imported, since Typer looks among them for what was meant.
        """
        for name in [cmd_name] if cmd_name in COMMANDS else COMMANDS:
            if name not in self.commands:
                self.commands[name] = _imported(name)
        return self.commands.get(cmd_name)


def _imported(name: str) -> Any:
    """Import a command and give it its name."""
    module, place = COMMANDS[name].split(":")
    found = getattr(import_module(module), place)
    alone = typer.Typer(add_completion=False)
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
    else:
        alone.command(name)(found)
    return typer.main.get_group(alone).commands[name]


app = typer.Typer(
    cls=_OnDemand,
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


def main() -> None:
    """Run the command line; never a traceback for what the operator or the world can mend."""
    with explained():
        app()


if __name__ == "__main__":
    main()
