"""One row of the table, valid by construction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from features.events import DURATION_MAX_S
from shoal.profiles import cells
from shoal.profiles.columns import Layout

_MANGLED_ID = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)


def _user_id(text: str) -> str:
    """Refuse ids that are none any more."""
    if not text.isprintable() or _MANGLED_ID.fullmatch(text):
        raise ValueError(text)
    return text


def _whole(value: float) -> float:
    """Accounts are counted in whole numbers; data frames write them as 190.0."""
    if not value.is_integer():
        raise ValueError(str(value))
    return value


# The bounds stand before the reader: so pydantic's core checks them, and not a function for each.
_Phrase = Annotated[str, Field(max_length=128), BeforeValidator(cells.phrase)]
_Count = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False), BeforeValidator(cells.number)]
_Hours = Annotated[float, Field(ge=0, le=24, allow_inf_nan=False), BeforeValidator(cells.number)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), BeforeValidator(cells.share)]
_Seconds = Annotated[
    float,
    Field(ge=0, le=DURATION_MAX_S, allow_inf_nan=False),
    BeforeValidator(cells.number),
]
_Interests = Annotated[
    tuple[Annotated[str, Field(max_length=64)], ...],
    Field(max_length=32),
    BeforeValidator(cells.listed),
]


class ProfileRow(BaseModel):
    """What one row says; None where it says nothing. Hours a day, shares, seconds per ad."""

    model_config = ConfigDict(frozen=True)

    user_id: Annotated[str, Field(min_length=1, max_length=128), BeforeValidator(_user_id)]
    age: Annotated[str, BeforeValidator(cells.age)] | None = None
    gender: Annotated[str, Field(max_length=128), BeforeValidator(cells.gender)] | None = None
    location: _Phrase | None = None
    language: Annotated[str, Field(max_length=128), BeforeValidator(cells.language)] | None = None
    education: _Phrase | None = None
    likes_and_reactions: _Count | None = None
    followed_accounts: Annotated[_Count, AfterValidator(_whole)] | None = None
    device: Annotated[str, Field(max_length=128), BeforeValidator(cells.device)] | None = None
    weekday_hours: _Hours | None = None
    weekend_hours: _Hours | None = None
    ctr: _Share | None = None
    conversion_rate: _Share | None = None
    ad_seconds: _Seconds | None = None
    income: Annotated[str, Field(max_length=128), BeforeValidator(cells.income)] | None = None
    interests: _Interests | None = None


_COUNTED: Final = "give a number from 0 to 1,000,000,000"
_WORDS: Final = "give at most 128 characters"
_HOURS: Final = "give hours a day, from 0 to 24"
_SHARE: Final = "give a share from 0 to 1, or percent such as 19.3%"
WHY: Final[Mapping[str, str]] = {
    "user_id": "give an id of 1 to 128 characters, as it is in the events",
    "age": "give years or a range of years, such as 37, 25-34 or 65+",
    "gender": _WORDS,
    "location": _WORDS,
    "language": _WORDS,
    "education": _WORDS,
    "likes_and_reactions": _COUNTED,
    "followed_accounts": "give a whole number from 0 to 1,000,000,000",
    "device": _WORDS,
    "weekday_hours": _HOURS,
    "weekend_hours": _HOURS,
    "ctr": _SHARE,
    "conversion_rate": _SHARE,
    "ad_seconds": "give seconds per ad, from 0 to 86,400",
    "income": "give an amount or a range, such as 45000, 20k-40k or 100k+",
    "interests": "give at most 32 interests of at most 64 characters",
}
"""What is right in each field; the remedy in every report."""

_SHOWN_MAX: Final = 60


class RowError(NamedTuple):
    """What is wrong in one place of a table.

    Attributes:
        line: Line of the file on which the row begins, counted from 1.
        column: Header as the file has it; "" when the row as a whole is at fault.
        value: What stands there, shortened.
        why: The remedy, after which nothing is left to ask.
    """

    line: int
    column: str
    value: str
    why: str


def shortened(value: str) -> str:
    """Show a value: one line, not too long."""
    shown = value if value.isprintable() else repr(value)[1:-1]
    return shown if len(shown) <= _SHOWN_MAX else shown[: _SHOWN_MAX - 1] + "…"


def row_errors(
    failed: ValidationError, line: int, layout: Layout, given: Mapping[str, str]
) -> list[RowError]:
    """Say what is wrong with a row, once per field.

    Args:
        failed: What pydantic found.
        line: Where the row begins.
        layout: Of the table.
        given: The row's cells by field.
    """
    fields = dict.fromkeys(str(error["loc"][0]) for error in failed.errors(include_url=False))
    return [
        RowError(line, layout.header_of(field), shortened(given.get(field, "")), WHY[field])
        for field in fields
    ]
