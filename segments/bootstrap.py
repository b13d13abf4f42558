"""The first model of a major version, from one vector per distinct user."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from features.catalogue import CATALOGUE, Feature, catalogue_fingerprint, feature_index
from features.tiles import WINDOW_DAYS
from segments.collector import days_behind
from segments.errors import NotEnoughSamples
from segments.fit import Fit
from segments.health import FAR_APART
from segments.lloyd import best_centroids
from segments.model import Founding, SegmentModel
from segments.names import Name, name_segments
from segments.scaling import Scaling, columns_of, transform_columns
from segments.structure import Structure, decide
from segments.transforms import Floats

SAME_MAX = 0.80  # share of users who are null or alike from which a feature tells nobody apart
DEVIATION_MIN = 1e-9
GATE_MIN = 1e-3  # squared deviations; a gate of 0 would refuse every sample for ever
SETTLED_MIN = 0.5  # share of users with the whole window behind them
FIRST_ID = 1
FOUNDING_DECIMALS = 4  # drift is measured in tenths; the record stays small


def freeze_scaling(
    values: Floats, evidence: Floats, wanted: Sequence[str]
) -> tuple[Scaling, dict[str, str]]:
    """Freeze mean and deviation of the transformed values, over the users where they are known.

    Left out is a feature that is null or equal for at least 80 % of the users. Equal counts
    after the transform: click-through rates of .0001 and .0009 are both "next to none". And a
    level or sum (the catalogue weighs no evidence for it) while most users are observed for
    less than the whole window: it still grows with the time that we have been watching.

    Args:
        values: float64[n, 13], NaN where null.
        evidence: float64[n, 13].
        wanted: Names of features.

    Returns:
        The projection over the features that tell users apart, and the others with the reason.

    Raises:
        NotEnoughSamples: No feature does.
    """
    chosen = [CATALOGUE[feature_index(name)] for name in wanted]
    transforms = tuple(str(feature.transform) for feature in chosen)
    transformed = transform_columns(values[:, columns_of(tuple(wanted))], transforms)
    settled = bool(np.mean(days_behind(evidence) >= WINDOW_DAYS) >= SETTLED_MIN)
    left_out = {
        feature.name: reason
        for feature, column in zip(chosen, transformed.T, strict=True)
        if (reason := _tells_nobody_apart(column) or _still_grows(feature, settled=settled))
    }
    used = [j for j, feature in enumerate(chosen) if feature.name not in left_out]
    if not used:
        raise NotEnoughSamples(f"No feature tells {len(values)} users apart: {left_out}.")
    scaling = Scaling(
        tuple(chosen[j].name for j in used),
        tuple(transforms[j] for j in used),
        np.array([chosen[j].prior_weight for j in used], dtype=np.float64),
        np.nanmean(transformed[:, used], axis=0),
        np.nanstd(transformed[:, used], axis=0),
    )
    return scaling, left_out


def _tells_nobody_apart(column: Floats) -> str | None:
    """Why a transformed feature is of no use: a sentence, or None if it is of use."""
    known = column[np.isfinite(column)]
    nulls = 1.0 - len(known) / len(column)
    same = int(np.unique(known, return_counts=True)[1].max(initial=0)) / len(column)
    if nulls + same >= SAME_MAX:
        return f"null for {nulls:.0%} and equal for {same:.0%} of {len(column)} users"
    if np.std(known) < DEVIATION_MIN:
        return f"constant over {len(column)} users"
    return None


def _still_grows(feature: Feature, *, settled: bool) -> str | None:
    """Why the value of a feature says how long we have been watching: a sentence, or None."""
    if feature.prior_weight > 0.0 or settled:
        return None
    return f"grows with the time observed, which is under {WINDOW_DAYS} days for most users"


def bootstrap(
    values: Floats,
    evidence: Floats,
    segments: int | None,
    rng: np.random.Generator,
    wanted: Sequence[str],
) -> SegmentModel:
    """Found major version 1.

    Args:
        values: float64[n, 13], one row per distinct user, NaN where null.
        evidence: float64[n, 13], what stands behind each value.
        segments: How many, or None for the largest stable number in 3…12.
        rng: Draws the starts of k-means and the halves that the structure is checked on.
        wanted: Names of the features to use.

    Returns:
        Version 1.0, its place in the sample log (`sample_offset`, `learnt`, `released_ms`) not
        filled in.

    Raises:
        NotEnoughSamples: No feature tells the users apart.
    """
    scaling, left_out = freeze_scaling(values, evidence, wanted)
    z = scaling.project(values, evidence)
    structure = decide(z, segments, rng)
    centroids = best_centroids(z, structure.segments, rng)
    ids = tuple(range(FIRST_ID, FIRST_ID + len(centroids)))
    return found(z, centroids, ids, scaling, left_out, structure)


def found(
    z: Floats,
    centroids: Floats,
    ids: tuple[int, ...],
    scaling: Scaling,
    left_out: dict[str, str],
    structure: Structure,
    *,
    previous: Mapping[int, Name] | None = None,
    renamed: Mapping[int, str] | None = None,
) -> SegmentModel:
    """Write the record of a version that begins with these centroids.

    Args:
        z: float64[n, d], the users who found it.
        centroids: float64[k, d].
        ids: K segment ids.
        scaling: The projection that made z.
        left_out: Features it does not use, and why.
        structure: How clearly the users fall into k segments.
        previous: Automatic names of the version before, kept where they still hold.
        renamed: Names that operators gave, by id.

    Returns:
        Version 1.0, its place in the sample log (`sample_offset`, `learnt`, `released_ms`) not
        filled in.
    """
    fit = Fit.of(z, centroids)
    given = dict(renamed or {})
    names = name_segments(ids, centroids, scaling.features, previous, given.values())
    spread = max(float(fit.squared.mean()), GATE_MIN)
    return SegmentModel(
        catalogue=catalogue_fingerprint(),
        major=1,
        minor=0,
        released_ms=0,
        features=scaling.features,
        left_out=left_out,
        transforms=scaling.transforms,
        prior_weights=tuple(scaling.prior_weights.tolist()),
        mean=tuple(scaling.mean.tolist()),
        deviation=tuple(scaling.deviation.tolist()),
        ids=ids,
        centroids=tuple(tuple(row) for row in centroids.tolist()),
        counts=tuple(fit.users.tolist()),
        names=tuple(name.text for name in names),
        named_by=tuple(name.traits for name in names),
        renamed=given,
        next_id=max(ids) + 1,
        gate=spread,
        samples=0,
        gated=0,
        thinned=0,
        sample_offset=0,
        learnt={},
        bootstrap_users=len(z),
        structure=structure.sentence,
        id_map={},
        release="bootstrap",
        structure_curve=structure.curve,
        founding=Founding(
            centroids=tuple(tuple(row) for row in _rounded(centroids)),
            shares=tuple(_rounded(fit.users / len(z))),
            spread=spread,
            separation=tuple(_rounded(np.minimum(fit.separation().min(axis=1), FAR_APART))),
        ),
    )


def _rounded(values: Floats) -> list[Any]:
    rounded: list[Any] = np.round(values, FOUNDING_DECIMALS).tolist()
    return rounded
