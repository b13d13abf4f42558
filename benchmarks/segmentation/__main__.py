"""Shoal and other clusterers on the same streams with a known truth.

    python -m benchmarks.segmentation [--population NAME …] [--each] [--keep FILE] [--write]

Exit code 1 when the table does not show what it must (`table.shortfalls`).
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.segmentation import document, table
from benchmarks.segmentation.populations import DAYS, EVENTS_PER_USER_DAY, POPULATIONS, USERS
from benchmarks.segmentation.run import judged
from benchmarks.segmentation.score import Score
from benchmarks.segmentation.stream import trace

EACH = Path(__file__).with_name("populations.md")


def main() -> int:
    options = _options()
    kept = _read(options.keep)
    for spec in POPULATIONS:
        if options.population and spec.name not in options.population:
            continue
        if spec.name not in kept:
            print(spec.name, file=sys.stderr, flush=True)
            kept[spec.name] = {}
            for name, score in judged(trace(spec)):
                kept[spec.name][name] = score
                print(f"  {name}: {score}", file=sys.stderr, flush=True)
            _keep(options.keep, kept)
    if options.each:
        print(table.per_population(kept))
    average = table.means(kept)
    print(table.markdown(average))
    if options.write:
        document.write("table", f"{_about(kept)}\n\n{table.markdown(average)}")
        EACH.write_text(f"# Every population of the table\n\n{table.per_population(kept)}")
    missed = table.shortfalls(average)
    print("\n".join(missed or ["all that the table must show holds"]))
    return bool(missed)


def _about(kept: Mapping[str, table.Scores]) -> str:
    chosen = [spec for spec in POPULATIONS if spec.name in kept]
    return (
        f"{len(chosen)} populations of {USERS} users, {DAYS} days, "
        f"{round(USERS * DAYS * EVENTS_PER_USER_DAY):,} events each, seeds "
        f"{chosen[0].seed}–{chosen[-1].seed}: {', '.join(spec.name for spec in chosen)}. Means; "
        f"each population: [{EACH.name}](../benchmarks/segmentation/{EACH.name})."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    names = [spec.name for spec in POPULATIONS]
    parser.add_argument("--population", nargs="*", choices=names, help="only these")
    parser.add_argument("--each", action="store_true", help="a table per population as well")
    parser.add_argument("--keep", type=Path, help="keep scores here, and go on from them")
    parser.add_argument("--write", action="store_true", help="into docs/segmentation.md")
    return parser.parse_args()


def _read(path: Path | None) -> dict[str, dict[str, Score]]:
    if path is None or not path.exists():
        return {}
    rows = msgspec.json.decode(
        path.read_bytes(), type=dict[str, dict[str, dict[str, float | None]]]
    )
    return {
        population: {
            name: Score(**{column: np.nan if v is None else v for column, v in score.items()})
            for name, score in scores.items()
        }
        for population, scores in rows.items()
    }


def _keep(path: Path | None, kept: dict[str, dict[str, Score]]) -> None:
    if path is not None:
        rows = {
            population: {name: asdict(score) for name, score in scores.items()}
            for population, scores in kept.items()
        }
        path.write_bytes(msgspec.json.encode(rows))  # NaN becomes null


if __name__ == "__main__":
    sys.exit(main())
