"""A small model in which only what a test sets is meaningful."""

from typing import Any

from features.catalogue import MODEL_FEATURES, catalogue_fingerprint
from segments.model import SegmentModel


def model_with(centroids: list[list[float]], **over: Any) -> SegmentModel:
    k, d = len(centroids), len(centroids[0])
    fields: dict[str, Any] = {
        "catalogue": catalogue_fingerprint(),
        "major": 1,
        "minor": 0,
        "released_ms": 1_700_000_000_000,
        "features": MODEL_FEATURES[:d],
        "left_out": {},
        "transforms": ("log1p",) * d,
        "prior_weights": (5.0,) * d,
        "mean": (0.0,) * d,
        "deviation": (1.0,) * d,
        "ids": tuple(range(1, k + 1)),
        "centroids": tuple(tuple(row) for row in centroids),
        "counts": (10,) * k,
        "names": tuple(f"name {i}" for i in range(1, k + 1)),
        "named_by": ((),) * k,
        "renamed": {},
        "next_id": k + 1,
        "gate": 1.0,
        "samples": 0,
        "gated": 0,
        "thinned": 0,
        "sample_offset": 0,
        "learnt": {},
        "bootstrap_users": 1000,
        "structure": "given",
        "id_map": {},
    }
    return SegmentModel(**(fields | over))
