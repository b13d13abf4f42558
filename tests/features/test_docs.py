"""The documents say what the code does: their tables are compared with it."""

from pathlib import Path

from features import tiles
from features.catalogue import CATALOGUE
from features.codec import LAYOUT_VERSION
from features.events import METRIC_NAMES
from features.slab import DEVICES, HEAD, INTERESTS, KNOWN, RING, SUMS

DOCS = Path(__file__).parents[2] / "docs"


def catalogue_table() -> str:
    """The catalogue as a table of Markdown."""
    lines = [
        "| feature | unit | window | definition | evidence | w | transform | in the model |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{f.name}` | {f.unit} | {f.window} | {f.description} | {f.evidence} | "
        f"{f.prior_weight:g} | {f.transform} | {'yes' if f.in_model else 'no'} |"
        for f in CATALOGUE
    ]
    return "\n".join(lines)


def head_table() -> str:
    """The head of a stored state as a table of Markdown."""
    lines = ["| offset | field | type |", "|---|---|---|"]
    for name in HEAD.names or ():
        kind, offset = HEAD.fields[name][:2]  # type: ignore[index]
        lines.append(f"| {offset} | `{name}` | {kind.str.strip('<|')} |")
    return "\n".join(lines)


def column_table() -> str:
    """The cell and word columns as a table of Markdown."""
    rows = [
        (f"cell {first} – {first + tiles.DAY_TILES - 1}", f"daily `{name}`")
        for name in tiles.DAY_COUNTS
        for first in [tiles.count_column(name)]
    ]
    rows.append((f"cell {tiles.HOURLY_COLUMN} – {tiles.CELL_COLUMNS - 1}", "hourly `activity`"))
    rows += [
        (f"word {first} – {first + tiles.DAY_TILES - 1}", f"daily `{name}`")
        for name in tiles.DAY_SUMS
        for first in [tiles.sum_column(name)]
    ]
    rows += [
        (f"word {part.start} – {part.stop - 1}", text)
        for part, text in (
            (RING, "hashes of the last 16 applied ids"),
            (KNOWN, "known metrics: " + ", ".join(f"`{name}`" for name in METRIC_NAMES)),
            (DEVICES, "decayed device weights: mobile, all"),
            (INTERESTS, "decayed interest weights"),
        )
    ]
    return "\n".join(
        ["| columns | what |", "|---|---|", *(f"| {columns} | {what} |" for columns, what in rows)]
    )


def test_the_catalogue_is_documented_word_for_word() -> None:
    assert catalogue_table() in (DOCS / "features.md").read_text()


def test_the_state_layout_is_documented_column_by_column() -> None:
    text = (DOCS / "state-layout.md").read_text()
    assert head_table() in text
    assert column_table() in text
    assert f"layout {LAYOUT_VERSION}" in text
    assert SUMS.start == 0
