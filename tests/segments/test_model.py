"""The model record and its arrays."""

import msgspec
import numpy as np
import pytest

from segments.changes import SegmentRef
from segments.errors import UnknownFeature, UnknownModelSchema
from segments.model import CompiledModel, decode_model, encode_model
from tests.segments.models import model_with


def test_a_model_survives_json_bit_for_bit() -> None:
    rng = np.random.default_rng(11)
    wild = np.concatenate(
        [
            rng.normal(size=(40, 8)),
            np.frombuffer(rng.bytes(40 * 64), dtype="<f8").reshape(40, 8),  # any bit pattern
        ]
    )
    wild = np.where(np.isfinite(wild), wild, 5e-324)
    model = model_with(wild.tolist(), gate=0.1 + 0.2, learnt={3: 7, 0: 2**53})
    back = decode_model(encode_model(model))
    assert model == back
    assert np.array(back.centroids).tobytes() == wild.tobytes()
    assert encode_model(back) == encode_model(model)


def test_equal_models_are_equal_bytes_whatever_the_order_of_their_tables() -> None:
    one = model_with([[0.0]], learnt={1: 5, 2: 6}, renamed={4: "a", 2: "b"})
    two = model_with([[0.0]], learnt={2: 6, 1: 5}, renamed={2: "b", 4: "a"})
    assert encode_model(one) == encode_model(two)


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"schema": 99}', b'{"schema": 1}'])
def test_a_record_of_another_schema_is_refused_with_the_remedy(payload: bytes) -> None:
    with pytest.raises(UnknownModelSchema, match="new models topic"):
        decode_model(payload)


def test_minor_ten_comes_after_minor_nine() -> None:
    nine, ten = model_with([[0.0]], minor=9), model_with([[0.0]], minor=10)
    assert nine.order < ten.order
    assert ten.version == "1.10"


def test_an_operators_name_wins_and_a_strange_id_still_has_a_name() -> None:
    model = model_with([[0.0], [1.0]], renamed={2: "Night owls"})
    assert [model.name_of(i) for i in (1, 2, 9)] == ["name 1", "Night owls", "segment 9"]
    assert CompiledModel(model).ref(2) == SegmentRef(id=2, name="Night owls")
    assert CompiledModel(model).ref(-1) is None


def test_rows_are_found_for_ids_in_any_order_and_strangers_have_none() -> None:
    model = CompiledModel(model_with([[0.0], [1.0], [2.0]], ids=(7, 3, 12)))
    segments = np.array([3, 7, 12, -1, 4, 99], dtype=np.int32)
    assert model.rows_of(segments).tolist() == [1, 0, 2, -1, -1, -1]
    assert model.centroids_of(segments).ravel().tolist() == [1.0, 0.0, 2.0, 0.0, 0.0, 0.0]


def test_a_model_with_a_feature_that_the_catalogue_lacks_is_refused() -> None:
    with pytest.raises(UnknownFeature):
        CompiledModel(model_with([[0.0]], features=("shoe_size",)))


def test_a_model_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        model_with([[0.0]]).minor = 2  # type: ignore[misc]
    assert msgspec.structs.replace(model_with([[0.0]]), minor=2).minor == 2
