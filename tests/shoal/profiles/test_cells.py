from __future__ import annotations

import pytest

from shoal.profiles import cells


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("25-34", "25-34"), ("25 – 34", "25-34"), ("25 to 34 years", "25-34"), ("65+", "65+"),
        ("65 plus", "65+"), (">65", "65+"), ("over 65", "65+"), ("65 and over", "65+"),
        ("under 18", "0-17"), ("<18", "0-17"), ("37", "35-44"), ("37.5", "35-44"), ("12", "0-17"),
        ("18", "18-24"), ("64", "55-64"), ("65", "65+"), ("104", "65+"),
    ],
)  # fmt: skip
def test_ages_become_ranges(written: str, meant: str) -> None:
    assert cells.age(written) == meant


@pytest.mark.parametrize("written", ["34-25", "abc", "-5", "130", "25-130", "18-Jan", "nan"])
def test_what_is_no_age_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cells.age(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0-20k", "0-20k"), ("20k-40k", "20k-40k"), ("20-40k", "20k-40k"), ("100k+", "100k+"),
        ("100K +", "100k+"), ("$20,000 - $40,000", "20k-40k"), ("20000–40000 EUR", "20k-40k"),
        ("45000", "40k-60k"), ("45k", "40k-60k"), ("100,000", "100k+"), ("0", "0-20k"),
        ("<20k", "0-20k"), ("over 100k", "100k+"), ("100k and above", "100k+"), ("High", "high"),
        ("1.5m+", "1500k+"),
    ],
)  # fmt: skip
def test_incomes_become_ranges(written: str, meant: str) -> None:
    assert cells.income(written) == meant


@pytest.mark.parametrize("written", ["40k-20k", "20k-40k-60k", "12 months", "k20", "1-2-3"])
def test_what_is_no_income_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cells.income(written)


@pytest.mark.parametrize(
    ("written", "meant"), [("5640", 5640), ("5,640", 5640), ("1,234.5", 1234.5), ("4.5", 4.5)]
)
def test_commas_may_group_thousands(written: str, meant: float) -> None:
    assert cells.number(written) == meant


@pytest.mark.parametrize("written", ["56,40", "4.5 h", "2-3", "", "1,2345"])
def test_what_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cells.number(written)


def test_a_share_may_be_percent() -> None:
    assert cells.share("19.3%") == cells.share("19.3 %") == cells.share("0.193") == 0.193


@pytest.mark.parametrize(
    ("written", "meant"), [("1.234,5", "1234.5"), ("0,193", "0.193"), ("0.193", "0.193")]
)
def test_a_decimal_comma_becomes_a_point(written: str, meant: str) -> None:
    assert cells.with_decimal_point(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "Gaming, DIY Crafts", "Gaming;DIY  Crafts", "Gaming | DIY Crafts", "Gaming, DIY Crafts,",
        "['Gaming', 'DIY Crafts']", '["Gaming","DIY Crafts"]', "Gaming, gaming, DIY Crafts",
    ],
)  # fmt: skip
def test_lists_are_read_however_they_are_written(written: str) -> None:
    assert cells.listed(written) == ("Gaming", "DIY Crafts")


def test_words_have_one_spelling() -> None:
    assert cells.gender("F") == cells.gender(" FEMALE ".strip()) == "female"
    assert (
        cells.device("Mobile + Desktop") == cells.device("mobile/desktop") == "mobile and desktop"
    )
    assert cells.language("hindi") == cells.language("HINDI") == "Hindi"
    assert cells.phrase("High  School") == "high school"
