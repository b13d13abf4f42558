"""Tables of user profiles in the shape of the one that people have, made from a seed."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

from producer.personas import PERSONAS

HEADERS = (
    "User ID", "Age", "Gender", "Location", "Language", "Education Level", "Likes and Reactions",
    "Followed Accounts", "Device Usage", "Time Spent Online (hrs/weekday)",
    "Time Spent Online (hrs/weekend)", "Click-Through Rates (CTR)", "Conversion Rates",
    "Ad Interaction Time (sec)", "Income Level", "Top Interests",
)  # fmt: skip
AGES = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
INCOMES = ("0-20k", "20k-40k", "40k-60k", "60k-80k", "80k-100k", "100k+")
INTERESTS = ("Street Food", "Board Games", "Home Repair", "Film Nights", "City Breaks", "Baking")
DEVICES = ("Mobile Only", "Desktop Only", "Mobile + Desktop", "Tablet")


def uniform_rows(rows: int, seed: int = 1) -> list[list[str]]:
    """People without any structure: every value is drawn alone, evenly."""
    rng = random.Random(seed)
    return [
        [
            str(number),
            rng.choice(AGES),
            rng.choice(("Female", "Male")),
            rng.choice(("Urban", "Suburban", "Rural")),
            rng.choice(("English", "Spanish", "Hindi", "Mandarin")),
            rng.choice(("Technical", "Master", "High School", "Bachelor", "PhD")),
            str(rng.randint(101, 9973)),
            str(rng.randint(10, 498)),
            rng.choice(DEVICES),
            f"{rng.uniform(0.5, 5):.1f}",
            f"{rng.uniform(1, 8):.1f}",
            f"{rng.uniform(0, 0.25):.3f}",
            f"{rng.uniform(0, 0.1):.3f}",
            str(rng.randint(5, 179)),
            rng.choice(INCOMES),
            ", ".join(rng.sample(INTERESTS, rng.randint(1, 4))),
        ]
        for number in range(1, rows + 1)
    ]


def text_of(rows: list[list[str]], separator: str = ",", headers: tuple[str, ...] = HEADERS) -> str:
    """Write a table as spreadsheets do."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    writer.writerow(headers)
    writer.writerows(rows)
    return text.getvalue()


def write_table(path: Path, rows: list[list[str]]) -> Path:
    """Write a table to a file."""
    path.write_bytes(text_of(rows).encode())
    return path


def persona_rows(rows: int, personas: int = 5, seed: int = 1) -> tuple[list[list[str]], list[int]]:
    """People of a few kinds, about a fifth around their kind in everything they do.

    Returns:
        The rows, and the kind of each.
    """
    rng = random.Random(seed)
    kinds = [number % personas for number in range(rows)]
    rng.shuffle(kinds)
    table = uniform_rows(rows, seed)
    for row, kind in zip(table, kinds, strict=True):
        persona = PERSONAS[kind]
        row[6] = str(round(persona.reactions * 28 * rng.lognormvariate(0, 0.2)))
        row[7] = str(round(persona.follows * 1000 * rng.lognormvariate(0, 0.2)))
        row[9] = f"{min(persona.weekday_hours * rng.lognormvariate(0, 0.2), 24):.1f}"
        row[10] = f"{min(persona.weekend_hours * rng.lognormvariate(0, 0.2), 24):.1f}"
        row[11] = f"{min(persona.ctr * rng.lognormvariate(0, 0.2), 1):.3f}"
        row[12] = f"{min(persona.conversion_rate * rng.lognormvariate(0, 0.2), 1):.3f}"
        row[13] = str(round(persona.ad_seconds * rng.lognormvariate(0, 0.2)))
    return table, kinds
