"""How people write values down: numbers, ages, incomes, lists; each becomes one form.

Every function takes a cell without white space around it and raises ValueError when the cell
means nothing; which sentence the user gets is up to the caller.
"""

from __future__ import annotations

import re
from functools import lru_cache

NOT_GIVEN = frozenset(
    ("", "-", "–", "—", "?", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "unknown",
     "missing", "[]", "()", "{}", "''", '""')
)  # fmt: skip
"""What stands in a cell, in small letters, when nothing is known."""

AGE_MAX = 120
_AGE_BANDS = ((18, 24), (25, 34), (35, 44), (45, 54), (55, 64))
_AGE_OPEN = 65
_INCOME_BANDS_K = (20, 40, 60, 80, 100)
_THOUSAND = 1000.0
_AMOUNT_MAX = 1e12

_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_DASH = r"\s*(?:-|–|—|\bto\b)\s*"
_AGE_RANGE = re.compile(rf"(\d{{1,3}}){_DASH}(\d{{1,3}})(?: years?)?")
_AGE_FROM = re.compile(
    r"(?:>=?|over |above |from )?\s*(\d{1,3})\s*(?:\+|plus|and (?:over|older|above))?"
)
_UNDER = re.compile(r"(?:<|under|below|up to)\s*(.+)")
_OVER = re.compile(
    r"(?:>=?|over|above|from|more than)\s*(.+)|(.+?)\s*(?:\+|and (?:over|above|more))"
)
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([km]?)")
_NOT_AMOUNT = re.compile(r"[\s$€£¥₹,']|usd|eur|gbp|inr")
_LIST = re.compile(r"[,;|]")


def number(text: str | float) -> float:
    """Read a number; commas may group its thousands. One that is read already stays."""
    try:
        return float(text)
    except ValueError:
        if isinstance(text, str) and _GROUPED.fullmatch(text):
            return float(text.replace(",", ""))
        raise


def share(text: str | float) -> float:
    """Read a share: .193 or 19.3%."""
    if isinstance(text, str) and text.endswith("%"):
        return round(number(text[:-1].rstrip()) / 100, 12)
    return number(text)


def with_decimal_point(text: str) -> str:
    """Rewrite a number with a decimal comma: "1.234,5" → "1234.5"; others stay."""
    return text.replace(".", "").replace(",", ".") if "," in text else text


@lru_cache(4096)
def age(text: str) -> str:
    """Read an age or a range of ages: 25-34, 65+, 37 (→ 35-44), under 18 (→ 0-17)."""
    text = text.lower()
    if found := _AGE_RANGE.fullmatch(text):
        low, high = int(found[1]), int(found[2])
        if low > high or high > AGE_MAX:
            raise ValueError(text)
        return f"{low}-{high}"
    if found := _UNDER.fullmatch(text):
        return f"0-{_years(found[1]) - 1}"
    if found := _AGE_FROM.fullmatch(text):
        years = _years(found[1])
        return _age_band(years) if text == found[1] else f"{years}+"
    return _age_band(int(_years(text)))


def _years(text: str) -> int:
    """Read whole years, also of 37.5."""
    years = float(text)
    if not 0 <= years <= AGE_MAX:
        raise ValueError(text)
    return int(years)


def _age_band(years: int) -> str:
    """Give the band of an age."""
    for low, high in _AGE_BANDS:
        if years <= high:
            return f"{low}-{high}" if years >= low else f"0-{low - 1}"
    return f"{_AGE_OPEN}+"


@lru_cache(4096)
def income(text: str) -> str:
    """Read an income: 0-20k, 20,000 - 40,000, 100k+, 45000 (→ 40k-60k); words stay words."""
    text = text.lower()
    if not any(character.isdigit() for character in text):
        return " ".join(text.split())
    if found := _UNDER.fullmatch(text):
        return f"0-{_thousands(_amount(found[1]))}"
    if found := _OVER.fullmatch(text):
        return f"{_thousands(_amount(found[1] or found[2]))}+"
    parts = [part for part in re.split(_DASH, text) if part]
    if len(parts) == 1:
        return _income_band(_amount(parts[0]))
    low, high = (_amount(part) for part in parts)  # more than two: ValueError
    if low < high / _THOUSAND:  # "20-40k" means 20k
        low *= _THOUSAND
    if low > high:
        raise ValueError(text)
    return f"{_thousands(low)}-{_thousands(high)}"


def _amount(text: str) -> float:
    """Read an amount of money, whatever its currency."""
    found = _AMOUNT.fullmatch(_NOT_AMOUNT.sub("", text))
    if found is None:
        raise ValueError(text)
    amount = float(found[1]) * {"": 1.0, "k": _THOUSAND, "m": _THOUSAND**2}[found[2]]
    if amount > _AMOUNT_MAX:
        raise ValueError(text)
    return amount


def _thousands(amount: float) -> str:
    """Write an amount: 0, 20k, 500."""
    return f"{amount / _THOUSAND:g}k" if amount >= _THOUSAND else f"{amount:g}"


def _income_band(amount: float) -> str:
    """Give the band of an amount."""
    low = 0
    for high in _INCOME_BANDS_K:
        if amount < high * _THOUSAND:
            return f"{low}k-{high}k" if low else f"0-{high}k"
        low = high
    return f"{low}k+"


@lru_cache(65_536)
def listed(text: str) -> tuple[str, ...]:
    """Read a list: "Gaming, DIY Crafts", ['Gaming', 'DIY Crafts'], "Gaming; DIY Crafts"."""
    seen: dict[str, str] = {}
    for part in _LIST.split(text.strip("[](){}")):
        name = " ".join(part.strip(" \t'\"").split())
        if name:
            seen.setdefault(name.casefold(), name)
    if not seen:
        raise ValueError(text)
    return tuple(seen.values())


@lru_cache(4096)
def phrase(text: str) -> str:
    """Read a word or a few: one space between them, small letters."""
    return " ".join(text.lower().split())


_GENDERS = {"f": "female", "w": "female", "woman": "female", "m": "male", "man": "male"}


def gender(text: str) -> str:
    """Read a gender; single letters are spelt out."""
    word = phrase(text)
    return _GENDERS.get(word, word)


@lru_cache(4096)
def device(text: str) -> str:
    """Read a use of devices: "Mobile + Desktop" → mobile and desktop."""
    return phrase(re.sub(r"\s*[+&/,]\s*", " and ", text))


@lru_cache(4096)
def language(text: str) -> str:
    """Read a language; its name keeps its capital."""
    words = " ".join(text.split())
    return words.capitalize() if words.islower() or words.isupper() else words
