"""Cutting whole commands from the end of an append-only file, as a lost last second would.

Redis writes what a script did as MULTI … EXEC; such a transaction counts as one command here.
"""

from collections.abc import Iterator
from pathlib import Path


def cut_commands(path: Path, keep_bytes: int) -> int:
    """Cut everything behind the last command that ends within the first `keep_bytes`.

    Returns:
        Bytes lost.
    """
    content = path.read_bytes()
    end = max((end for end in command_ends(content) if end <= keep_bytes), default=0)
    with path.open("r+b") as file:
        file.truncate(end)
    return len(content) - end


def command_ends(content: bytes) -> Iterator[int]:
    """Give the positions behind each whole command of an append-only file."""
    at, inside = 0, False
    while at < len(content):
        if content[at : at + 1] == b"#":  # an annotation
            at = content.index(b"\n", at) + 1
        else:
            name, at = _command(content, at)
            inside = name == b"MULTI" or (inside and name != b"EXEC")
            if at > len(content):
                return  # cut short already
        if not inside:
            yield at


def _command(content: bytes, at: int) -> tuple[bytes, int]:
    """Give the name of the command that begins here, and the position behind it."""
    count, at = _number(content, at)
    name = b""
    for index in range(count):
        size, at = _number(content, at)
        if index == 0:
            name = content[at : at + size].upper()
        at += size + len(b"\r\n")
    return name, at


def _number(content: bytes, at: int) -> tuple[int, int]:
    """Read `*<n>` or `$<n>`."""
    end = content.find(b"\r\n", at)
    return (0, len(content) + 1) if end < 0 else (int(content[at + 1 : end]), end + 2)
