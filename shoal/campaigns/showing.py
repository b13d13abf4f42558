"""`shoal campaigns results`: what campaigns have brought so far, by segment."""

from __future__ import annotations

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consumer.lookup import Lookup
from consumer.redis_client import open_redis
from shoal.campaigns.results import CampaignResult, campaign_results
from shoal.errors import WrongUse
from shoal.report.history import read_history
from shoal.report.proportions import Proportion
from shoal.settings import load_settings


def show_results(*, days: int, as_json: bool) -> None:
    """Read the trend and print it; see the command's help.

    Raises:
        ServiceUnavailable: Redis cannot be reached.
        NotSetUp: No worker has ever written to this namespace.
        WrongUse: There are no segments yet.
    """
    settings = load_settings()
    client = open_redis(settings.redis_url, timeout_s=settings.redis_timeout_s)
    lookup = Lookup(client, settings.namespace, clock_mode="event", clock=lambda: 1_000)
    metas, compiled = lookup.metas(), lookup.model()
    if compiled is None:
        raise WrongUse("there are no segments yet: the trainer releases the first model")
    as_of_ms = max((meta.as_of_ms for meta in metas.values()), default=0)
    history = read_history(client, settings.namespace, sorted(metas), as_of_ms)
    results = campaign_results(history, compiled.model, days)
    if as_json:
        document = {"days": days, "results": results}
        typer.echo(msgspec.json.encode(document).decode())
    else:
        _show(results, days)


def _show(results: list[CampaignResult], days: int) -> None:
    """Print a table."""
    console = Console(highlight=False)
    if not results:
        console.print(f"No event of the newest {days} days carries a campaign_id.")
        return
    table = Table("campaign", "segment", "impressions", "clicks", "CTR", "conversions", "of clicks")
    previous = None
    for one in results:
        if previous not in (None, one.campaign):
            table.add_section()
        table.add_row(
            "" if one.campaign == previous else escape(one.campaign),
            escape(one.name),
            f"{one.impressions:,}",
            f"{one.clicks:,}",
            _share(one.ctr),
            f"{one.conversions:,}",
            _share(one.conversion_rate),
        )
        previous = one.campaign
    console.print(table)
    console.print("In brackets 95 % intervals. People count to the segment they were in then.")


def _share(found: Proportion | None) -> str:
    """Write a share with its interval."""
    return f"{found.share:.1%} ({found.low:.1%}–{found.high:.1%})" if found else "–"
