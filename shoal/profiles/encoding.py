"""Which encoding a table's bytes are in, told from the bytes alone."""

from __future__ import annotations

import codecs
from pathlib import Path

from producer.errors import UnreadableFile
from shoal.errors import WrongUse

# The longer marks first: that of UTF-32-LE begins with that of UTF-16-LE.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_KINDS = (
    (b"PK\x03\x04", "it is an Excel workbook or a zip file: save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook: save the sheet as CSV"),
    (b"\x1f\x8b", "it is compressed: unpack it first"),
    (b"%PDF", "it is a PDF: export the table as CSV"),
    (b"PAR1", "it is a Parquet file: export the table as CSV"),
)
# Bytes to which Windows gives no character; a file that has them is older than that.
_NOT_IN_CP1252 = b"\x81\x8d\x8f\x90\x9d"
_LOOK_BYTES = 4096


def encoding_of(path: Path, wanted: str | None) -> str:
    """Tell the encoding of a file: a byte order mark, else zeros (UTF-16), else what fits.

    A file that is UTF-8 but for a few lines is UTF-8: those lines are broken. One in which
    nothing beyond ASCII is UTF-8 comes from Windows (cp1252), or from before it (latin-1).

    Args:
        path: Read twice at most, line by line.
        wanted: What the user says it is; then only its name is checked.

    Raises:
        UnreadableFile: It cannot be opened, or is no text.
        WrongUse: Python knows no such encoding.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_LOOK_BYTES)
            for magic, advice in _OTHER_KINDS:
                if start.startswith(magic):
                    raise UnreadableFile(str(path), advice)
            if wanted is not None:
                return _known(wanted)
            return _marked(start) or _by_lines(path)
    except OSError as failure:
        raise UnreadableFile(str(path), failure.strerror or str(failure)) from failure


def _known(name: str) -> str:
    """Check the name of an encoding."""
    try:
        return codecs.lookup(name).name
    except LookupError as failure:
        raise WrongUse(
            f"--encoding {name}: there is no such encoding; utf-8, utf-16, cp1252 are some"
        ) from failure


def _marked(start: bytes) -> str | None:
    """Tell from the first bytes: a mark, or the zeros of UTF-16 without one."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) > len(start) // 4:
        return "utf-16-be" if even > odd else "utf-16-le"
    return None


def _by_lines(path: Path) -> str:
    """Tell UTF-8 from the encodings of Windows, by the lines that are not plain ASCII."""
    valid = invalid = 0
    undefined = False
    with path.open("rb") as lines:
        for line in lines:
            if line.isascii():
                continue
            try:
                line.decode()
            except UnicodeDecodeError:
                invalid += 1
                undefined = undefined or any(byte in line for byte in _NOT_IN_CP1252)
            else:
                valid += 1
    if invalid <= valid:
        return "utf-8"
    return "latin-1" if undefined else "cp1252"
