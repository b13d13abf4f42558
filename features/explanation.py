"""Why a payload is not an event, in one sentence with field, value and remedy.

The slow path of decoding: it runs only for dead letters, so it may decode the payload again.
"""

import json
import re
from typing import Any, Final

import msgspec

from features.errors import MalformedEvent

_VALUE_MAX_CHARS: Final = 80
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_PATH: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?$", re.DOTALL)
_MISSING: Final = re.compile(r"missing required field `(?P<field>[^`]+)`")

_TRAIT_RULE: Final = "a string of 1 to 128 characters or a list of at most 32 of them"
_RULES: Final[dict[str, str]] = {
    "event_id": "a string of 1 to 64 characters",
    "user_id": "a string of 1 to 128 characters",
    "type": (
        "one of session, page_view, reaction, follow, unfollow, ad_impression, ad_click, "
        "ad_engagement, conversion, profile, forget"
    ),
    "timestamp": (
        "an RFC 3339 time with an offset such as 2026-11-24T03:00:00.123Z "
        "(hours to 23, seconds to 59)"
    ),
    "device": "mobile, desktop or tablet",
    "interests": "a list of at most 8 strings of 1 to 64 characters",
    "campaign_id": "a string",
    "duration_s": "a number of seconds from 0 to 86400",
    "amount": "a number from 0 to 1e12",
    "traits": 'an object such as {"age": "25-34"}',
    "metrics": 'an object such as {"ctr": 0.05}',
    "metrics.weekday_hours": "a number of hours from 0 to 24",
    "metrics.weekend_hours": "a number of hours from 0 to 24",
    "metrics.likes_and_reactions": "a number from 0 to 1e9",
    "metrics.followed_accounts": "a whole number from 0 to 1e9",
    "metrics.ctr": "a share from 0 to 1",
    "metrics.conversion_rate": "a share from 0 to 1",
    "metrics.ad_seconds": "a number of seconds from 0 to 86400",
}


def quoted(value: object) -> str:
    """Show a value as JSON in ASCII, shortened to 80 characters."""
    try:
        text = json.dumps(value, default=repr)
    except (ValueError, RecursionError):  # huge integers; nesting
        text = "a value too large to show"
    return text if len(text) <= _VALUE_MAX_CHARS else text[: _VALUE_MAX_CHARS - 3] + "..."


def explanation(payload: object, failure: Exception) -> MalformedEvent:
    """Turn the decoder's failure into a sentence.

    Args:
        payload: the bytes received, or a hand-built event.
        failure: what msgspec (or Python's UTF-8 decoder) raised.
    """
    if isinstance(payload, bytes) and not isinstance(failure, msgspec.ValidationError):
        return _not_json(payload, failure)
    if isinstance(failure, TypeError):
        sentence = f"a field holds what JSON cannot express ({failure}): give plain values"
        return MalformedEvent("invalid_field", "", "", sentence)
    match = _PATH.match(str(failure))
    what, path = (match["what"], match["path"] or "") if match else (str(failure), "")
    raw = _plain(payload)
    missing = _MISSING.search(what)
    if missing and not path:
        field = missing["field"]
        rule = _RULES.get(field, "a value")
        return MalformedEvent("missing_field", field, "", f"{field} is missing: give {rule}")
    if not path:
        return _not_an_object(raw)
    return _invalid_at(raw, path, what)


def _not_json(payload: bytes, failure: Exception) -> MalformedEvent:
    """Say in what way the bytes fail to be a JSON text."""
    if isinstance(failure, RecursionError):
        sentence = "the payload is nested too deeply: send a flat JSON object"
    elif not payload.strip():
        sentence = "the payload is empty: send one JSON object"
    elif payload.startswith(_BYTE_ORDER_MARK):
        sentence = "the payload starts with a byte order mark: send UTF-8 without it"
    elif (position := _broken_utf8(payload)) is not None:
        sentence = (
            f"the payload is not UTF-8 (byte 0x{payload[position]:02x} at position {position}): "
            "encode it as UTF-8"
        )
    elif re.search(rb"[:\[,]\s*-?(NaN|Infinity|inf|nan)\b", payload):
        sentence = "the payload has a number that is NaN or infinite: send finite numbers only"
    elif re.search(rb"\\u[dD][89abA-F]", payload):
        sentence = "the payload has half a surrogate pair in a string: send whole characters"
    else:
        sentence = f"the payload is not JSON ({failure}): send one JSON object"
    shown = quoted(payload[:_VALUE_MAX_CHARS].decode("utf-8", "backslashreplace"))
    return MalformedEvent("not_json", "", shown, sentence)


def _broken_utf8(payload: bytes) -> int | None:
    """Give the position of the first byte that is not UTF-8."""
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None


def _plain(payload: object) -> Any:
    """Give the payload as plain objects, as far as they can be read."""
    try:
        if isinstance(payload, bytes):
            return json.loads(payload)
        return msgspec.to_builtins(payload)
    except (ValueError, RecursionError, TypeError):
        return None


def _not_an_object(raw: Any) -> MalformedEvent:
    """Say that another JSON value came instead of an object."""
    shown = quoted(raw)
    return MalformedEvent(
        "not_an_object", "", shown, f"the payload is {shown}: send one JSON object"
    )


def _invalid_at(raw: Any, path: str, what: str) -> MalformedEvent:
    """Say what stands in the field and what may stand there."""
    found, value = _value_at(raw, path)
    field = path.removesuffix("[...]")
    rule = _rule_of(path)
    if not found:
        sentence = f"{field} cannot be read ({what}): give {rule}"
        return MalformedEvent("invalid_field", field, "", sentence)
    shown = quoted(value)
    if field == "type" and isinstance(value, str):
        sentence = f"type is {shown}, which is unknown: give {rule}"
        return MalformedEvent("unknown_type", field, shown, sentence)
    if field == "timestamp" and "timezone" in what:
        sentence = f"timestamp is {shown}, without an offset: give {rule}"
        return MalformedEvent("invalid_field", field, shown, sentence)
    return invalid_field(field, value)


def invalid_field(field: str, value: object) -> MalformedEvent:
    """Say what stands in a field and what may stand there."""
    shown = quoted(value)
    sentence = f"{field} is {shown}: give {_rule_of(field)}"
    return MalformedEvent("invalid_field", field, shown, sentence)


def _rule_of(path: str) -> str:
    """Give the rule of a field; the items of a list share their list's."""
    name = re.sub(r"\[.*?\]", "", path)
    if name.startswith("traits."):
        return _TRAIT_RULE
    return _RULES.get(name, "a valid value")


def _value_at(raw: Any, path: str) -> tuple[bool, Any]:
    """Follow a path such as ``metrics.ctr`` or ``interests[...]`` into plain objects."""
    value = raw
    for step in re.findall(r"[^.\[\]]+", path.replace("[...]", "")):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return False, None
    return True, value
