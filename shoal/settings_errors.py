"""What is wrong with a setting, as one sentence that names the variable and the remedy."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from pydantic import ValidationError

from shoal.errors import SettingsError

PREFIX = "SHOAL_"
SECRET = frozenset({"kafka_config", "redis_url"})
"""Settings whose values may hold passwords: no message shows them."""
NEARLY = 0.9  # share of letters in common: a plural, a unit or a letter apart, and no more


def variable(name: str) -> str:
    """Give the environment variable of a setting."""
    return PREFIX + name.upper()


def refuse_misspelt(given: Iterable[str], known: Sequence[str]) -> None:
    """Refuse a name that is nearly that of a setting: it would be ignored without a word.

    Others that begin with SHOAL_ pass: Kubernetes, for one, puts SHOAL_SERVICE_HOST into every
    container beside a service called shoal.

    Args:
        given: variables of the environment and of `.env`, in upper or lower case.
        known: the variables of all settings.

    Raises:
        SettingsError: one of them is misspelt.
    """
    for name in (name.upper() for name in given):
        if name in known or not name.startswith(PREFIX):
            continue
        for meant in get_close_matches(name, known, n=1, cutoff=NEARLY):
            msg = f"{name} is no setting; {meant} is: correct it in the environment or in .env"
            raise SettingsError(msg)


def sentence(error: ValidationError) -> str:
    """Tell the first thing that is wrong; secrets are never shown."""
    first = error.errors()[0]
    # Our own validators' text comes as "Value error, …", pydantic's as "Input should be …".
    said = first["msg"].removeprefix("Value error, ")
    said = said.replace("Input should", "should").replace("String should", "should")
    if first["type"] == "string_pattern_mismatch":
        said = "must be made of letters, digits, dots, underscores and dashes, and not be too long"
    others = error.error_count() - 1
    more = f" ({others} more after this one)" if others else ""
    if not first["loc"]:
        return said + more
    name = str(first["loc"][0])
    given = "has a value that" if name in SECRET else f"is {first['input']!r}, but"
    return f"{variable(name)} {given} {said}; correct it in the environment or in .env{more}"
