"""The model record: everything a worker needs to assign and a trainer needs to go on."""

from functools import cached_property
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from segments.changes import SegmentRef
from segments.errors import UnknownModelSchema
from segments.lineage import Lineage
from segments.scaling import Scaling
from segments.transforms import Floats

MODEL_SCHEMA = 1
NO_SEGMENT = -1  # how an unassigned user is stored

ReleaseKind = Literal["bootstrap", "samples", "refit", "repair", "rollback", "rename"]
ProposalKind = Literal["starving", "merging", "drift", "shift"]


class Founding(msgspec.Struct, frozen=True, kw_only=True):
    """What a major version began with: what drift is measured against.

    Attributes:
        centroids: k × d coordinates, rounded to four decimals.
        shares: Each segment's share of the users then.
        spread: Mean squared distance of those users to their centroid.
        separation: How clearly each segment was apart from the next one, see `Health`; empty in
            records from before it was kept.
    """

    centroids: tuple[tuple[float, ...], ...]
    shares: tuple[float, ...]
    spread: float
    separation: tuple[float, ...] = ()


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What the learner would have an operator do.

    Attributes:
        kind: What was found.
        sentence: What was found and which command to give.
        since_ms: Stream time of the release check that first found it, Unix ms.
    """

    kind: ProposalKind
    sentence: str
    since_ms: int


class SegmentModel(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable, numbered release.

    Floats survive the JSON round trip bit for bit, so a trainer that resumes from the record
    continues exactly like one that never stopped.

    Attributes:
        schema: Layout of this record.
        catalogue: Fingerprint of the feature catalogue whose vectors were learnt.
        major: Rises when scaling, the number of segments or their identity changes.
        minor: Rises with every refinement of the centroids; 0 is the bootstrap.
        released_ms: Newest sample timestamp so far (stream time, not a clock), Unix ms.
        features: The d features used, in the order of the coordinates.
        left_out: Features that were wanted but tell nobody apart, and why.
        transforms: d names.
        prior_weights: d evidence weights.
        mean: d means of the transformed values, frozen with the major version.
        deviation: d deviations, likewise.
        ids: The k segment ids; ties in distance go to the earlier one.
        centroids: k × d coordinates.
        counts: Samples behind each centroid: its users at the bootstrap plus those learnt since.
        names: k automatic names; `name_of` prefers an operator's.
        named_by: For each name the signed features it was made of ("+ctr", "-weekday_hours").
        renamed: Names that operators gave, by segment id. They outlive every version.
        next_id: The id the next new segment gets; ids are never reused.
        gate: Running mean of the squared distance to the nearest centroid (outlier gate).
        samples: Samples accepted since the major version began, without the bootstrap's.
        gated: Samples refused by the outlier gate, likewise.
        thinned: Samples passed over so that every user counts about equally, likewise.
        sample_offset: Offset of the samples topic to read next.
        learnt: Highest source offset seen in a sample, by input partition.
        bootstrap_users: Distinct users whose vectors founded this major version.
        structure: One sentence on how clearly the population falls into this many segments.
        id_map: Previous segment id → id in this major version; empty for the first one.
        release: Why this version was released.
        order_id: The order it obeys, if it does.
        restored: The version that a rollback went back to, "major.minor".
        lineage: What became of each segment; empty in a minor version that moved centroids only.
        structure_curve: Split-half ARI by number of segments, as far as it was computed when the
            major version was founded.
        window_offset: Offset of the samples topic from which the learner's window of recent
            users can be read again; None in records from before there was one.
        held: Versions that the flip budget held back since the release before.
        flip_share: Share of the recent users that this release moves.
        lingering: Recent users who are not in the segment of their nearest centroid, because
            hysteresis keeps them: (place counted from the newest user, segment id).
        doubted: Recent users who are not learnt from because their vector has jumped: (place
            counted from the newest user, day of stream time since 1970 on which it did).
        bias: d running means of how far samples lie beside their centroid.
        founding: What the major version began with; None in records from before it was kept.
        proposal: What the learner would have an operator do, if anything.
    """

    schema: int = MODEL_SCHEMA
    catalogue: str
    major: int
    minor: int
    released_ms: int
    features: tuple[str, ...]
    left_out: dict[str, str]
    transforms: tuple[str, ...]
    prior_weights: tuple[float, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    ids: tuple[int, ...]
    centroids: tuple[tuple[float, ...], ...]
    counts: tuple[int, ...]
    names: tuple[str, ...]
    named_by: tuple[tuple[str, ...], ...]
    renamed: dict[int, str]
    next_id: int
    gate: float
    samples: int
    gated: int
    thinned: int
    sample_offset: int
    learnt: dict[int, int]
    bootstrap_users: int
    structure: str
    id_map: dict[int, int]
    release: ReleaseKind = "samples"
    order_id: str | None = None
    restored: str | None = None
    lineage: tuple[Lineage, ...] = ()
    structure_curve: tuple[tuple[int, float], ...] = ()
    window_offset: int | None = None
    held: int = 0
    flip_share: float = 0.0
    lingering: tuple[tuple[int, int], ...] = ()
    doubted: tuple[tuple[int, int], ...] = ()
    bias: tuple[float, ...] = ()
    founding: Founding | None = None
    proposal: Proposal | None = None

    @property
    def resume_offset(self) -> int:
        """Offset of the samples topic from which a resumed learner has to be fed."""
        return self.sample_offset if self.window_offset is None else self.window_offset

    @property
    def version(self) -> str:
        """The version as people and messages write it: "major.minor"."""
        return f"{self.major}.{self.minor}"

    @property
    def order(self) -> tuple[int, int]:
        """What versions are compared by: 1.10 comes after 1.9."""
        return (self.major, self.minor)

    def name_of(self, segment_id: int) -> str:
        """Name a segment: the operator's name if there is one, else the automatic one.

        Args:
            segment_id: One of `ids`, or a segment of an earlier version.

        Returns:
            The name; "segment 7" for an id that this version does not have.
        """
        if segment_id in self.renamed:
            return self.renamed[segment_id]
        if segment_id in self.ids:
            return self.names[self.ids.index(segment_id)]
        return f"segment {segment_id}"


def encode_model(model: SegmentModel) -> bytes:
    """Write a model as JSON, the value of a record of the models topic.

    Args:
        model: Any release.

    Returns:
        UTF-8 JSON; the same model always gives the same bytes.
    """
    tables = {
        name: dict(sorted(getattr(model, name).items()))
        for name in ("left_out", "renamed", "learnt", "id_map")
    }
    return msgspec.json.encode(msgspec.structs.replace(model, **tables))


def decode_model(payload: bytes) -> SegmentModel:
    """Read a model record.

    Args:
        payload: What `encode_model` wrote.

    Returns:
        The model, equal to the one written.

    Raises:
        UnknownModelSchema: It is not a model record that this release can read.
    """
    try:
        schema = msgspec.json.decode(payload, type=_Schema).schema
        if schema == MODEL_SCHEMA:
            return msgspec.json.decode(payload, type=SegmentModel)
    except msgspec.DecodeError as error:
        raise UnknownModelSchema(str(error), MODEL_SCHEMA) from error
    raise UnknownModelSchema(schema, MODEL_SCHEMA)


class _Schema(msgspec.Struct):
    """Only the schema number of a record, whatever else is in it."""

    schema: int


class CompiledModel:
    """A model as numpy arrays: what a worker assigns a batch with.

    Attributes:
        model: The record.
        scaling: Its projection.
        ids: int32[k].
        centroids: float64[k, d].
        version: "major.minor".
    """

    def __init__(self, model: SegmentModel) -> None:
        """Build the arrays.

        Args:
            model: Any release.

        Raises:
            UnknownFeature: The catalogue lacks a feature of the model.
        """
        self.model = model
        self.version = model.version
        self.scaling = Scaling(
            model.features,
            model.transforms,
            np.array(model.prior_weights, dtype=np.float64),
            np.array(model.mean, dtype=np.float64),
            np.array(model.deviation, dtype=np.float64),
        )
        self.ids: NDArray[np.int32] = np.array(model.ids, dtype=np.int32)
        self.centroids: Floats = np.array(model.centroids, dtype=np.float64)
        self._sorter = np.argsort(self.ids)

    def rows_of(self, segments: NDArray[np.int32]) -> NDArray[np.intp]:
        """Find the centroids of some segments.

        Args:
            segments: int32[n] segment ids; −1 and ids of other versions are allowed.

        Returns:
            intp[n] rows of `centroids`, −1 for an id this version does not have.
        """
        at = np.searchsorted(self.ids, segments, sorter=self._sorter)
        rows = self._sorter[np.minimum(at, len(self.ids) - 1)]
        return np.where(self.ids[rows] == segments, rows, -1)

    def centroids_of(self, segments: NDArray[np.int32]) -> Floats:
        """Give each user the centroid of their segment.

        Args:
            segments: int32[n] segment ids.

        Returns:
            float64[n, d]; the population's mean (0) for no segment or one of another version.
        """
        rows = self.rows_of(segments)
        return np.where((rows >= 0)[:, None], self.centroids[rows], 0.0)

    @cached_property
    def refs(self) -> dict[int, SegmentRef]:
        """Id and name of each segment, as messages carry them."""
        return {i: SegmentRef(id=i, name=self.model.name_of(i)) for i in self.model.ids}

    def ref(self, segment_id: int) -> SegmentRef | None:
        """Name a segment for a message.

        Args:
            segment_id: A segment id, or −1.

        Returns:
            Its id and name; None for −1.
        """
        if segment_id == NO_SEGMENT:
            return None
        known = self.refs.get(segment_id)
        return known or SegmentRef(id=segment_id, name=self.model.name_of(segment_id))
