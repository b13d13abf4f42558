from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from features.events import validate_event
from shoal.profiles.columns import COLUMNS, find_layout
from shoal.profiles.profile_events import profile_event
from shoal.profiles.row import WHY, ProfileRow, row_errors

FIELDS = [column.name for column in COLUMNS]
LAYOUT = find_layout([column.title for column in COLUMNS])
AT = datetime(2026, 1, 31, tzinfo=UTC)

# Made of what people write, so that much of it is nearly right.
PIECES = st.sampled_from(
    ["1", "25", "0.5", "-", "–", "+", "k", "%", ",", ".", " ", "e9", "under ", "over ", "$", "²",
     "9" * 400, "a", "ü", "\t", "\x00", "[", "'", "inf", "nan", "x" * 130, "\u00a0", "٣"]
)  # fmt: skip
CELLS = st.lists(PIECES, min_size=1, max_size=4).map("".join).map(str.strip).filter(bool)


@settings(max_examples=100)
@given(st.fixed_dictionaries({"user_id": CELLS}, optional=dict.fromkeys(FIELDS[1:], CELLS)))
@example({"user_id": "u", "interests": ","})
@example({"user_id": "u", "income": "9" * 400})
def test_whatever_stands_in_a_row_it_gives_a_valid_event_or_errors(given: dict[str, str]) -> None:
    try:
        row = ProfileRow.model_validate(given)
    except ValidationError as failed:
        errors = row_errors(failed, 7, LAYOUT, given)
        assert errors
        for error in errors:
            assert error.line == 7
            assert error.column in LAYOUT.headers
            assert error.value.isprintable()
            assert error.why in WHY.values()
        return
    if row.model_fields_set == {"user_id"}:
        return  # the table refuses such rows before
    event = profile_event(row, AT)
    assert validate_event(event) == event


def test_the_id_of_an_event_follows_from_content_and_time() -> None:
    row = ProfileRow(user_id="u1", ctr=0.1)
    one = profile_event(row, AT)
    assert one == profile_event(row, AT)
    others = [
        profile_event(ProfileRow(user_id="u1", ctr=0.2), AT),
        profile_event(ProfileRow(user_id="u2", ctr=0.1), AT),
        profile_event(row, datetime(2026, 2, 1, tzinfo=UTC)),
    ]
    assert len({one.event_id, *(other.event_id for other in others)}) == 4


def test_every_field_has_a_remedy() -> None:
    assert WHY.keys() == ProfileRow.model_fields.keys() == set(FIELDS)
