from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES, MODEL_FEATURES
from segments.bootstrap import bootstrap
from segments.model import SegmentModel
from shoal.campaigns.prices import read_prices
from shoal.errors import WrongUse


@pytest.fixture(scope="module")
def model() -> SegmentModel:
    rng = np.random.default_rng(1)
    values = np.exp(rng.normal(0, 1, (60, len(FEATURE_NAMES))))
    return bootstrap(values, np.full_like(values, 100.0), 2, rng, MODEL_FEATURES)


def test_one_price_holds_for_all_and_without_one_five_is_assumed(model: SegmentModel) -> None:
    assert read_prices("7.5", model) == {None: 7.5}
    assert read_prices(None, model) == {None: 5.0}


def test_a_table_gives_prices_by_id_or_name(model: SegmentModel, tmp_path: Path) -> None:
    path = tmp_path / "cpm.csv"
    path.write_text(f"CPM,Segment\n4,1\n\n6.5,{model.name_of(2)}\n", encoding="utf-8-sig")
    assert read_prices(str(path), model) == {1: 4.0, 2: 6.5}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("price,who\n1,2\n", "its first line must be segment,cpm"),
        ("", "its first line must be segment,cpm"),
        ("segment,cpm\n9,4\n", r":2: there is no segment '9'"),
        ("segment,cpm\n1,free\n", r":2: cpm is 'free': give a price above 0"),
        ("segment,cpm\n1,0\n", r":2: cpm is '0'"),
        ("segment,cpm\n1\n", r":2: give a segment and a cpm"),
        ("segment,cpm\n1,4\n", "has no price for the segments 2"),
    ],
)
def test_a_wrong_table_is_told_in_one_sentence(
    text: str, words: str, model: SegmentModel, tmp_path: Path
) -> None:
    path = tmp_path / "cpm.csv"
    path.write_text(text)
    with pytest.raises(WrongUse, match=words):
        read_prices(str(path), model)


@pytest.mark.parametrize("given", ["0", "-3", "nan", "inf", "absent.csv", "dear"])
def test_what_is_neither_price_nor_file_is_refused(given: str, model: SegmentModel) -> None:
    with pytest.raises(WrongUse, match="give a price above 0, or a CSV file"):
        read_prices(given, model)
