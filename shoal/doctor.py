"""`shoal doctor`: is everything in place?"""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from consumer.errors import ServiceUnavailable
from shoal.checks import Check, Status
from shoal.errors import ChecksFailed
from shoal.kafka_checks import check_kafka
from shoal.package_checks import check_packages
from shoal.redis_checks import check_redis_server
from shoal.settings import Settings, load_settings

_COLOURS: dict[Status, str] = {
    "ok": "green",
    "warning": "yellow",
    "failed": "red",
    "unreachable": "red",
}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Check services, topics, stored state and packages.

    Exit code 0: nothing failed (warnings are allowed); 1: a check failed; 3: a service cannot be
    reached.
    """
    settings = load_settings()
    checks = examine(settings)
    if as_json:
        typer.echo(msgspec.json.encode({"checks": checks}).decode())
    else:
        _show(checks)
    bad = {status: [c.name for c in checks if c.status == status] for status in _COLOURS}
    if bad["unreachable"]:
        msg = f"cannot be reached: {', '.join(bad['unreachable'])}"
        raise ServiceUnavailable(msg)
    if bad["failed"]:
        msg = f"failed: {', '.join(bad['failed'])}"
        raise ChecksFailed(msg)


def examine(settings: Settings) -> list[Check]:
    """Check everything; Kafka and Redis at the same time, since either may have to time out."""
    with ThreadPoolExecutor(2) as pool:
        kafka = pool.submit(check_kafka, settings)
        redis = pool.submit(check_redis_server, settings)
        return [*kafka.result(), *redis.result(), check_packages()]


def _show(checks: list[Check]) -> None:
    """Print a table; one line per check when nobody watches."""
    console = Console()
    if not console.is_terminal:
        for check in checks:
            typer.echo(f"{check.status:11}  {check.name}: {check.detail}")
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for check in checks:
        colour = _COLOURS[check.status]
        table.add_row(f"[{colour}]{check.status}[/]", check.name, check.detail)
    console.print(table)
