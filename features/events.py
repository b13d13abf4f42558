"""The event: one record of ``user-events``, valid by construction or rejected with a sentence.

`Event` is the single definition of the message; decoding validates it. Unknown fields are
ignored, and of a field given twice the last one counts (RFC 8259 leaves that open). A timestamp
is RFC 3339; letters ``t`` and ``z`` may be small and a space may stand for the ``T``, as that
standard allows. Leap seconds (``:60``) and ``24:00`` are not accepted.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal, get_args

import msgspec
import xxhash
from msgspec import Meta

from features.errors import MalformedEvent
from features.explanation import explanation, invalid_field, quoted

EventType = Literal[
    "session",
    "page_view",
    "reaction",
    "follow",
    "unfollow",
    "ad_impression",
    "ad_click",
    "ad_engagement",
    "conversion",
    "profile",
    "forget",
]
EVENT_TYPES: Final[tuple[str, ...]] = get_args(EventType)
"""Every type; its index is its type code."""
TYPE_CODES: Final[dict[str, int]] = {name: code for code, name in enumerate(EVENT_TYPES)}

Device = Literal["mobile", "desktop", "tablet"]
DEVICE_CODES: Final[dict[str | None, int]] = {None: 0, "mobile": 1, "desktop": 2, "tablet": 3}

INTERESTS_PER_EVENT_MAX: Final = 8
DURATION_MAX_S: Final = 86_400.0

Interest = Annotated[str, Meta(min_length=1, max_length=64)]
_Trait = Annotated[str, Meta(min_length=1, max_length=128)]
_Share = Annotated[float, Meta(ge=0.0, le=1.0)]
_HoursPerDay = Annotated[float, Meta(ge=0.0, le=24.0)]
# A billion follows fits a signed 32-bit level with room for a billion more.
_Count = Annotated[float, Meta(ge=0.0, le=1e9)]
_Seconds = Annotated[float, Meta(ge=0.0, le=DURATION_MAX_S)]

_TIMED_TYPES: Final = frozenset({"session", "ad_engagement"})


class Traits(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a profile says about a person; describes segments and never decides an assignment."""

    age: _Trait | Annotated[tuple[_Trait, ...], Meta(max_length=32)] | None = None
    gender: _Trait | Annotated[tuple[_Trait, ...], Meta(max_length=32)] | None = None
    location: _Trait | Annotated[tuple[_Trait, ...], Meta(max_length=32)] | None = None
    language: _Trait | Annotated[tuple[_Trait, ...], Meta(max_length=32)] | None = None
    education: _Trait | Annotated[tuple[_Trait, ...], Meta(max_length=32)] | None = None
    income: _Trait | Annotated[tuple[_Trait, ...], Meta(max_length=32)] | None = None
    interests: _Trait | Annotated[tuple[_Trait, ...], Meta(max_length=32)] | None = None
    device: _Trait | Annotated[tuple[_Trait, ...], Meta(max_length=32)] | None = None


class Metrics(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Known values for a user who has not been observed yet; the prior of the rolling features."""

    weekday_hours: _HoursPerDay | None = None
    weekend_hours: _HoursPerDay | None = None
    likes_and_reactions: _Count | None = None
    followed_accounts: _Count | None = None
    ctr: _Share | None = None
    conversion_rate: _Share | None = None
    ad_seconds: _Seconds | None = None

    def __post_init__(self) -> None:
        """Accounts are counted in whole numbers; JSON from data frames writes them as 190.0.

        Raises:
            MalformedEvent: followed_accounts is not a whole number.
        """
        level = self.followed_accounts
        if level is not None and not float(level).is_integer():
            msg = f"metrics.followed_accounts is {level}: give a whole number of accounts"
            raise MalformedEvent("invalid_field", "metrics.followed_accounts", str(level), msg)


METRIC_NAMES: Final[tuple[str, ...]] = Metrics.__struct_fields__
"""Order of the known values in a stored state."""


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One thing a user did, a profile update, or a request to be forgotten.

    Durations in seconds, amounts in the operator's currency. The types of a hand-built one are
    not checked by the constructor: pass it through `validate_event`.
    """

    event_id: Annotated[str, Meta(min_length=1, max_length=64)]
    user_id: Annotated[str, Meta(min_length=1, max_length=128)]
    type: EventType
    timestamp: Annotated[datetime, Meta(tz=True)]
    device: Device | None = None
    interests: Annotated[tuple[Interest, ...], Meta(max_length=INTERESTS_PER_EVENT_MAX)] = ()
    campaign_id: str | None = None
    duration_s: Annotated[float, Meta(ge=0.0, le=DURATION_MAX_S)] | None = None
    # The bound keeps 28 days of sums finite, whatever is sent.
    amount: Annotated[float, Meta(ge=0.0, le=1e12)] | None = None
    traits: Traits | None = None
    metrics: Metrics | None = None

    def __post_init__(self) -> None:
        """Check what one field alone cannot tell.

        Raises:
            MalformedEvent: a duration is missing, a profile is empty, the user_id has control
                characters, or the timestamp lies in the first or last year there is.
        """
        if self.type in _TIMED_TYPES and not self.duration_s:
            _reject_duration(self)
        if self.type == "profile" and _is_empty_profile(self):
            msg = "the profile has nothing in it: give traits and/or metrics with known fields"
            raise MalformedEvent("invalid_field", "traits", "", msg)
        try:
            # Cheap and right for nearly every id; the exact rule is control characters.
            if not self.user_id.isprintable():
                _reject_control_characters(self.user_id)
            if not 1 < self.timestamp.year < 9999:
                _reject_year(self.timestamp)
        except AttributeError:  # only in an event built by hand
            field = "timestamp" if hasattr(self.user_id, "isprintable") else "user_id"
            raise invalid_field(field, getattr(self, field)) from None


def _reject_duration(event: Event) -> None:
    """Say that this type needs a duration above 0."""
    if event.duration_s is None:
        msg = f"duration_s is missing: the type '{event.type}' needs a number of seconds above 0"
        raise MalformedEvent("missing_field", "duration_s", "", msg)
    msg = f"duration_s is {event.duration_s}: the type '{event.type}' needs seconds above 0"
    raise MalformedEvent("invalid_field", "duration_s", str(event.duration_s), msg)


def _reject_year(timestamp: datetime) -> None:
    """Refuse years in which another offset would leave the calendar."""
    shown = quoted(timestamp.isoformat())
    msg = f"timestamp is {shown}: give the time of the event, from year 2 to 9998"
    raise MalformedEvent("invalid_field", "timestamp", shown, msg)


def _reject_control_characters(user_id: str) -> None:
    """Refuse C0, DEL and C1: they break every line-based output and are never a wanted id."""
    for character in user_id:
        if character < " " or "\x7f" <= character <= "\x9f":
            msg = (
                f"user_id contains the control character U+{ord(character):04X}: "
                "send the id without it"
            )
            raise MalformedEvent("invalid_field", "user_id", quoted(user_id), msg)


_NO_TRAITS: Final = Traits()
_NO_METRICS: Final = Metrics()


def _is_empty_profile(event: Event) -> bool:
    """Tell whether a profile event would say nothing at all."""
    return (
        event.traits in (None, _NO_TRAITS)
        and event.metrics in (None, _NO_METRICS)
        and event.device is None
        and not event.interests
    )


_decode: Final = msgspec.json.Decoder(Event).decode
_encode: Final = msgspec.json.Encoder().encode
_FAILURES: Final = (msgspec.MsgspecError, RecursionError, ValueError, TypeError)


def decode_event(payload: bytes) -> Event:
    """Decode and validate one payload.

    Raises:
        MalformedEvent: the payload is not an event; the sentence says why.
    """
    try:
        return _decode(payload)
    except _FAILURES as failure:
        raise explanation(payload, failure) from None


def encode_event(event: Event) -> bytes:
    """Give the JSON of an event; fields without a value are left out."""
    return _encode(event)


def validate_event(event: Event) -> Event:
    """Check an event that was built by hand, as if it had been received.

    Returns:
        An equal event whose fields have the declared types.

    Raises:
        MalformedEvent: a field has the wrong type or range, or text that is not Unicode.
    """
    try:
        # Plain objects keep NaN, which JSON would turn into null and so into "not given".
        valid = msgspec.convert(msgspec.to_builtins(event), Event)
        _encode(valid)
    except UnicodeEncodeError as failure:
        shown = quoted(failure.object)
        msg = f"the text {shown} is not Unicode (lone surrogate): send it without that character"
        raise MalformedEvent("invalid_field", "", shown, msg) from None
    except _FAILURES as failure:
        raise explanation(event, failure) from None
    return valid


def event_id_hash(event_id: str) -> int:
    """Hash an id for the duplicate ring: XXH3, 64 bits, of its UTF-8; never 0 (0 = empty place).

    Two of a user's last 17 ids collide with a probability of about 10^-17.
    """
    return xxhash.xxh3_64_intdigest(event_id.encode()) or 1


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def epoch_ms(timestamp: datetime) -> int:
    """Give the whole milliseconds since 1970-01-01 UTC, rounded down, exactly."""
    return (timestamp - _EPOCH) // _MILLISECOND
