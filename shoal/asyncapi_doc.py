"""`docs/asyncapi.json`, generated from the message structs: `python -m shoal.asyncapi_doc`.

AsyncAPI 3.0 (www.asyncapi.com/docs/reference/specification/v3.0.0): what subscribers may rely on.
"""

import sys
from typing import Any

import msgspec

from consumer.topics import TopicNames
from features.events import Event
from segments.changes import CHANGE_TYPE, schemas

_CHANGE_HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0, Kafka protocol binding, binary content mode",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "the change_id"},
        "ce_type": {"const": CHANGE_TYPE},
        "ce_source": {"type": "string", "description": "/shoal/<namespace>"},
        "ce_time": {"type": "string", "format": "date-time"},
        "content-type": {"const": "application/json"},
    },
}
_KEY = {"kafka": {"key": {"type": "string", "description": "the user_id"}}}


def document() -> dict[str, Any]:
    """Give the AsyncAPI document as plain values."""
    names, published = TopicNames(), schemas()
    messages = {
        "event": {
            "title": "User activity",
            "contentType": "application/json",
            "bindings": _KEY,
            "payload": {"title": "event", **msgspec.json.schema(Event)},
        },
        "segment-change": {
            "title": "A user moved to another segment",
            "contentType": "application/json",
            "bindings": _KEY,
            "headers": _CHANGE_HEADERS,
            "payload": published["segment-change"],
        },
        "segment-membership": {
            "title": "Where a user is now; a record without a value: forgotten or removed",
            "contentType": "application/json",
            "bindings": _KEY,
            "payload": published["segment-membership"],
        },
    }
    channels = {
        "events": (names.events, "event"),
        "changes": (names.changes, "segment-change"),
        "memberships": (names.memberships, "segment-membership"),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Shoal",
            "version": "1",
            "description": "Read segment-changes with isolation.level=read_committed: each change "
            "is then seen exactly once, in order per user.",
        },
        "channels": {
            channel: {
                "address": address,
                "messages": {message: {"$ref": f"#/components/messages/{message}"}},
            }
            for channel, (address, message) in channels.items()
        },
        "operations": {
            "receiveEvents": _operation("receive", "events"),
            "sendChanges": _operation("send", "changes"),
            "sendMemberships": _operation("send", "memberships"),
        },
        "components": {"messages": messages},
    }


def render() -> str:
    """Give the document as text."""
    compact = msgspec.json.encode(document(), order=None)
    return msgspec.json.format(compact, indent=2).decode() + "\n"


def _operation(action: str, channel: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}


if __name__ == "__main__":
    sys.stdout.write(render())
