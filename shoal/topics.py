"""`shoal topics create`."""

from typing import Annotated

import msgspec
import typer

from consumer.topics import TopicSpec, topic_specs
from shoal.settings import Settings, load_settings
from shoal.topic_setup import TopicOutcome, make_topics
from shoal.wiring import kafka_connection, topic_names

app = typer.Typer(help="Set up the topics.", no_args_is_help=True)


@app.callback()
def topics() -> None:
    """Set up the topics."""


@app.command("create")
def create(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Create the topics that are missing and correct the settings that have drifted.

    Can be run at any time, as often as you like. Refuses (exit code 4) when a topic exists with
    another number of partitions. A retention longer than needed is left alone.
    """
    settings = load_settings()
    outcomes = make_topics(
        kafka_connection(settings), wanted_topics(settings), settings.replication_factor
    )
    if as_json:
        typer.echo(msgspec.json.encode({"topics": outcomes}).decode())
        return
    for outcome in outcomes:
        typer.echo(_line(outcome))


def wanted_topics(settings: Settings) -> list[TopicSpec]:
    """Give the topics as the settings want them."""
    return topic_specs(
        topic_names(settings),
        settings.partitions,
        event_clock=settings.clock == "event",
        event_bytes_max=settings.event_bytes_max,
    )


def _line(outcome: TopicOutcome) -> str:
    partitions = f"{outcome.partitions} partition{'s' if outcome.partitions > 1 else ''}"
    changes = "".join(
        f", {drift.setting} {drift.found} → {drift.wanted}" for drift in outcome.changes
    )
    return f"{outcome.action:9}  {outcome.name} ({partitions}){changes}"
