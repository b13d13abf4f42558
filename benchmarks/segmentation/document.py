"""Writes what a run gave into a document, between two marks, so that it comes from a run."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "segmentation.md"


def put(document: str, block: str, text: str) -> str:
    """Replace a block of a document.

    Args:
        document: With the lines ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``.
        block: The name.
        text: What stands between them afterwards.

    Raises:
        ValueError: The document has no such block.
    """
    begin, end = f"<!-- {block}: begin -->\n", f"<!-- {block}: end -->"
    before, found, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the document has no block {block!r}: add its two marks where it belongs")
    return f"{before}{begin}{text.rstrip()}\n{end}{after}"


def write(block: str, text: str) -> None:
    """Replace a block of docs/segmentation.md."""
    DOCUMENT.write_text(put(DOCUMENT.read_text(), block, text))
