import pytest

from segments.errors import MalformedOrder
from segments.orders import Order, decode_order, encode_order
from tests.segments.models import model_with

TARGET = model_with([[0.0], [1.0]], learnt={3: 7, 1: 9}, renamed={2: "Ours"}, id_map={1: 2})
ORDERS = (
    Order(id="a", kind="refit", issued_ms=1, segments="auto"),
    Order(id="b", kind="refit", issued_ms=1, segments=5),
    Order(id="c", kind="rollback", issued_ms=1, model=TARGET),
    Order(id="d", kind="rename", issued_ms=1, segment_id=2, name="Ours"),
)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.kind)
def test_an_order_comes_back_as_it_was_written(order: Order) -> None:
    assert decode_order(encode_order(order)) == order


def test_equal_orders_give_equal_bytes() -> None:
    turned = model_with([[0.0], [1.0]], learnt={1: 9, 3: 7}, renamed={2: "Ours"}, id_map={1: 2})
    one, other = (
        Order(id="c", kind="rollback", issued_ms=1, model=model) for model in (TARGET, turned)
    )
    assert one == other
    assert encode_order(one) == encode_order(other)


@pytest.mark.parametrize("payload", [b"", b"garbage", b"{}", b'{"id": "a", "kind": "dance"}'])
def test_what_is_no_order_is_told(payload: bytes) -> None:
    with pytest.raises(MalformedOrder):
        decode_order(payload)
