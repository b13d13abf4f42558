"""Prices of 1,000 impressions: one for all, or a table by segment."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from segments.model import SegmentModel
from shoal.errors import WrongUse

DEFAULT_CPM = 5.0
"""What is assumed when no price is given; with one price for all it moves no part of a split."""


def read_prices(given: str | None, model: SegmentModel) -> dict[int | None, float]:
    """Read `--cpm`: a number, or a CSV file with the columns segment (id or name) and cpm.

    Returns:
        Price by segment id; None stands for every segment that is not named.

    Raises:
        WrongUse: It is neither, a price is none, or segments are missing or unknown.
    """
    if given is None:
        return {None: DEFAULT_CPM}
    try:
        return {None: _price(given)}
    except ValueError:
        pass
    try:
        with Path(given).open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError) as failure:
        raise WrongUse(
            f"--cpm {given}: give a price above 0, or a CSV file with the columns segment,cpm"
        ) from failure
    return _by_segment(given, rows, model)


def _by_segment(path: str, rows: list[list[str]], model: SegmentModel) -> dict[int | None, float]:
    """Read a table of prices."""
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if not {"segment", "cpm"} <= set(header):
        raise WrongUse(f"{path}: its first line must be segment,cpm; it is {','.join(header)}")
    segment, cpm = header.index("segment"), header.index("cpm")
    by_name = {model.name_of(number): number for number in model.ids}
    prices: dict[int | None, float] = {}
    for line, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) <= max(segment, cpm):
            raise WrongUse(f"{path}:{line}: give a segment and a cpm")
        known = cells[segment]
        number = int(known) if known.isdecimal() and int(known) in model.ids else by_name.get(known)
        if number is None:
            raise WrongUse(f"{path}:{line}: there is no segment '{known}': see `shoal segments`")
        try:
            prices[number] = _price(cells[cpm])
        except ValueError as failure:
            raise WrongUse(
                f"{path}:{line}: cpm is '{cells[cpm]}': give a price above 0"
            ) from failure
    missing = [
        f"{number} ({model.name_of(number)})" for number in model.ids if number not in prices
    ]
    if missing:
        raise WrongUse(f"{path} has no price for the segments {', '.join(missing)}: add them")
    return prices


def _price(text: str) -> float:
    """Read a price.

    Raises:
        ValueError: It is no number above 0.
    """
    price = float(text)
    if not 0 < price < math.inf:
        raise ValueError(text)
    return price
