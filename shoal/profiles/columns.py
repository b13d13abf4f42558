"""Which column of a table means what, however its header writes it down."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from shoal.errors import WrongUse

_HOURS = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 1 / 60),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1 / 3600),
}
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1 / 1000),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
}
_SHARE = {**dict.fromkeys(("percent", "percentage", "pct"), 1 / 100), "share": 1.0}
_FILLING = frozenset(("average", "avg", "mean", "per", "and", "of", "the", "a", "in"))


@dataclass(frozen=True)
class Column:
    """One of the 16 columns.

    Attributes:
        name: Its field of a profile event (`user_id`, or one of the traits or metrics).
        title: The header it has in the table as it is usually found.
        aliases: Other headers, as small words without units and filling words.
        units: Words of a header that name a unit, and what to multiply by; empty for words.
    """

    name: str
    title: str
    aliases: tuple[str, ...]
    units: Mapping[str, float] = field(default_factory=dict)

    def match(self, header: str) -> float | None:
        """Give what to multiply values under a header by; None if it is another column's."""
        words = _words(header)
        factors = [self.units[word] for word in words if word in self.units]
        key = " ".join(word for word in words if word not in self.units)
        if key not in self.keys or len(set(factors)) > 1:
            return None
        return factors[0] if factors else 1.0

    @cached_property
    def keys(self) -> frozenset[str]:
        """Every header of the column without units and filling words."""
        own = " ".join(word for word in _words(self.title) if word not in self.units)
        return frozenset((own, *self.aliases))


COLUMNS = (
    Column("user_id", "User ID", ("id", "user", "userid", "uid", "customer id", "customerid")),
    Column("age", "Age", ("age group", "age range", "age band", "age bracket")),
    Column("gender", "Gender", ("sex",)),
    Column("location", "Location", ("location type", "area", "region")),
    Column("language", "Language", ("languages", "lang", "preferred language")),
    Column("education", "Education Level", ("education", "educational level", "degree")),
    Column(
        "likes_and_reactions",
        "Likes and Reactions",
        ("likes", "reactions", "number likes reactions"),
    ),
    Column(
        "followed_accounts",
        "Followed Accounts",
        ("followed", "following", "follows", "accounts followed", "number followed accounts"),
    ),
    Column("device", "Device Usage", ("device", "devices", "device type", "devices used")),
    Column(
        "weekday_hours",
        "Time Spent Online (hrs/weekday)",
        (
            "weekday", "weekdays", "online weekday", "online weekdays", "time weekday",
            "time online weekday", "time spent weekday", "time spent weekdays",
            "time spent online weekdays", "weekday online", "weekday time online",
        ),
        _HOURS,
    ),
    Column(
        "weekend_hours",
        "Time Spent Online (hrs/weekend)",
        (
            "weekend", "weekends", "weekend day", "online weekend", "online weekends",
            "time weekend", "time online weekend", "time spent weekend", "time spent weekends",
            "time spent online weekends", "weekend online", "weekend time online",
        ),
        _HOURS,
    ),
    Column(
        "ctr",
        "Click-Through Rates (CTR)",
        (
            "ctr", "click through rate", "click through rates", "click through rate ctr",
            "clickthrough rate", "clickthrough rates", "click rate",
        ),
        _SHARE,
    ),
    Column(
        "conversion_rate",
        "Conversion Rates",
        ("conversion rate", "conversion", "conversions rate", "cvr", "conversion rate cvr"),
        _SHARE,
    ),
    Column(
        "ad_seconds",
        "Ad Interaction Time (sec)",
        ("ad", "ad time", "ad interaction", "ad engagement time", "time ads", "ads time"),
        _SECONDS,
    ),
    Column("income", "Income Level", ("income", "income range", "income group", "income band")),
    Column("interests", "Top Interests", ("interests", "interest", "top interest")),
)  # fmt: skip
"""In the order of the table."""


@dataclass(frozen=True)
class Layout:
    """What stands where in one table.

    Attributes:
        headers: All headers as they stand in the file.
        place: Index of the column by field.
        factor: What to multiply numbers by, by field, for those in another unit than ours.
    """

    headers: tuple[str, ...]
    place: Mapping[str, int]
    factor: Mapping[str, float]

    @property
    def unknown(self) -> list[str]:
        """Headers that mean nothing to us; columns without one do not count."""
        known = set(self.place.values())
        return [h for i, h in enumerate(self.headers) if i not in known and h]

    @property
    def missing(self) -> list[str]:
        """Titles of the columns that the table lacks."""
        return [column.title for column in COLUMNS if column.name not in self.place]

    def header_of(self, field: str) -> str:
        """The header of a field, as the file has it."""
        return self.headers[self.place[field]]


def find_layout(headers: Sequence[str]) -> Layout:
    """Find the columns of a table by its headers.

    Raises:
        WrongUse: Two headers mean the same column.
    """
    place: dict[str, int] = {}
    factor: dict[str, float] = {}
    for index, header in enumerate(headers):
        for column in COLUMNS:
            multiply = column.match(header)
            if multiply is None:
                continue
            if column.name in place:
                one, other = headers[place[column.name]], header
                raise WrongUse(
                    f"the columns '{one}' and '{other}' both mean {column.title}: "
                    "rename or remove one of them"
                )
            place[column.name] = index
            if multiply != 1.0:
                factor[column.name] = multiply
    return Layout(tuple(headers), place, factor)


def recognised(headers: Sequence[str]) -> int:
    """Count the headers that mean something, to tell which separator makes sense of a line."""
    return sum(any(c.match(header) is not None for c in COLUMNS) for header in headers)


def _words(header: str) -> list[str]:
    """Split a header into small words: "User_ID" → user id, "CTR (%)" → ctr percent."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header.replace("%", " percent "))
    words = re.split(r"[\W_]+", spaced.lower())
    return [word for word in words if word and word not in _FILLING]
