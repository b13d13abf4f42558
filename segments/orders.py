"""What an operator tells the trainer to do.

Orders travel in the samples topic, between the samples, under a key of their own: its one
partition is the total order that every release follows from, so a trainer that replays it obeys
each order at the same place.
"""

from typing import Literal

import msgspec

from segments.errors import MalformedOrder
from segments.model import SegmentModel, decode_model, encode_model

ORDER_KEY = b"order"
"""Key of an order's record; samples have none."""

OrderKind = Literal["refit", "rollback", "rename"]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order.

    Attributes:
        id: Names it in the release that obeys it, or in the answer that refuses it.
        kind: refit (a new major version from the recent users), rollback (release an earlier
            version again), rename (give one segment a name).
        issued_ms: When, Unix ms.
        segments: Of a refit: how many; "auto" for the largest stable number, null for as many
            as there are.
        model: Of a rollback: the whole record of the version to return to.
        segment_id: Of a rename.
        name: Of a rename; null gives the automatic name back.
    """

    id: str
    kind: OrderKind
    issued_ms: int
    segments: int | Literal["auto"] | None = None
    model: SegmentModel | None = None
    segment_id: int | None = None
    name: str | None = None


_decode = msgspec.json.Decoder(Order).decode


def encode_order(order: Order) -> bytes:
    """Write an order.

    Args:
        order: Any order.

    Returns:
        UTF-8 JSON; equal orders give equal bytes.
    """
    if order.model is not None:  # with its tables in the order in which a release has them
        order = msgspec.structs.replace(order, model=decode_model(encode_model(order.model)))
    return msgspec.json.encode(order)


def decode_order(payload: bytes) -> Order:
    """Read an order.

    Args:
        payload: What `encode_order` wrote.

    Returns:
        The order.

    Raises:
        MalformedOrder: It is something else.
    """
    try:
        return _decode(payload)
    except msgspec.DecodeError as error:
        raise MalformedOrder(f"A record of the samples topic is not an order: {error}.") from error
