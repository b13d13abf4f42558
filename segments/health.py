"""How well the model still fits the users seen lately.

Every figure follows from the newest release, the window of recent users and the bias, so it is
the same after a restart. How the thresholds were measured: docs/segmentation.md.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
from river import drift

from segments.fit import Fit
from segments.model import CompiledModel, Founding, Proposal, ProposalKind, SegmentModel
from segments.transforms import Floats

ADWIN_DELTA = 1e-4  # no false alarm in 15,000 samples; .002 raised some
RATIO_MAX = 4.0  # ADWIN's bound assumes bounded values; beyond is what the outlier gate refuses

USERS_MIN_PER_SEGMENT = 20  # fewer recent users say nothing about shares

LIMITS = MappingProxyType(
    {"spread": 1.35, "displacement": 1.0, "starving": 0.25, "separation": 3.1, "gated": 0.1}
)
"""Figure → threshold. `starving` and `separation` are bad below theirs, the others above."""

GRAVEST_FIRST: tuple[ProposalKind, ...] = ("shift", "starving", "merging", "drift")
FAR_APART = 99.0  # JSON knows no infinity
BECAME = 0.85  # segments are merging only from a separation that was clearly above the limit

REFIT = "`shoal model refit --dry-run` shows who would move if segments were made anew."
REMEDIES: Mapping[ProposalKind, str] = MappingProxyType(
    {
        "shift": "Mend the unit or the source; if this is how things are now, run "
        "`shoal model refit`.",
        "starving": REFIT,
        "merging": REFIT,
        "drift": REFIT,
    }
)


class Finding(msgspec.Struct, frozen=True):
    """A figure beyond its threshold.

    Attributes:
        kind: What it may lead to.
        sentence: For people.
    """

    kind: ProposalKind
    sentence: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the model does. Tuples of k are in the order of the model's ids.

    Attributes:
        users: Recent users looked at.
        spread: Their mean squared distance to the nearest centroid, ÷ that at the founding of
            the major version.
        changing: Whether ADWIN finds that this distance has changed within the window.
        displacement: How far each centroid is from where it was at the founding, in root mean
            square distances of users to their centroid then.
        starving: Each segment's share of the recent users ÷ its share at the founding.
        separation: How clearly each segment is apart from the one it is least apart from, see
            `Fit.separation`; infinite for a starving one.
        founded_apart: The same when the major version was founded; empty where it is not known.
        gated: Share of the recent users beyond the outlier gate.
        bias: d mean deviations of samples beside their centroid.
        findings: What is beyond its threshold.
        proposal: What to do about the gravest of it, if anything.
    """

    users: int
    spread: float
    changing: bool
    displacement: tuple[float, ...]
    starving: tuple[float, ...]
    separation: tuple[float, ...]
    founded_apart: tuple[float, ...]
    gated: float
    bias: tuple[float, ...]
    findings: tuple[Finding, ...] = ()
    proposal: Proposal | None = None


def health_of(
    model: CompiledModel, z: Floats, bias: tuple[float, ...], *, outlier: float, bias_max: float
) -> Health:
    """Look at the recent users with the newest release.

    Args:
        model: The newest release.
        z: float64[n, d], the recent users in its space, the newest first.
        bias: d mean deviations of samples beside their centroid.
        outlier: Squared distance from which the outlier gate refuses a sample.
        bias_max: Bias beyond which nothing is learnt.

    Returns:
        The figures and what is to be said about them, without a proposal yet. Fewer than 20
        users a segment say nothing about shares and distances: only the bias is judged then.
    """
    fit, record = Fit.of(z, model.centroids), model.model
    founding = record.founding or founding_now(record)
    beside = model.centroids - np.array(founding.centroids)
    starving = fit.users / max(len(z), 1) / np.maximum(founding.shares, 1e-4)
    apart = fit.separation()
    few = starving < LIMITS["starving"]  # a few at the edge of another segment: not a neighbour
    apart[few], apart[:, few] = np.inf, np.inf
    figures = Health(
        founded_apart=founding.separation,
        users=len(z),
        spread=float(fit.squared.mean() / founding.spread) if len(z) else 1.0,
        changing=_changes(fit.squared / founding.spread),
        displacement=_tuple(np.sqrt(np.square(beside).sum(axis=1) / founding.spread)),
        starving=_tuple(starving),
        separation=_tuple(apart.min(axis=1)),
        gated=float((fit.squared > outlier).mean()) if len(z) else 0.0,
        bias=bias,
    )
    enough = len(z) >= USERS_MIN_PER_SEGMENT * len(record.ids)
    found = [*_shift(record, figures, bias_max), *(_fit(record, figures) if enough else ())]
    return msgspec.structs.replace(figures, findings=tuple(found))


def propose(health: Health, record: SegmentModel, newest_ms: int) -> Proposal | None:
    """Say what to do about the gravest finding.

    Args:
        health: How the model does.
        record: The newest release: a proposal in it of the same kind stands since then.
        newest_ms: Stream time, Unix ms.

    Returns:
        The proposal, None when all is well.
    """
    before = record.proposal
    for kind in GRAVEST_FIRST:
        said = [finding.sentence for finding in health.findings if finding.kind == kind]
        if said:
            since_ms = before.since_ms if before and before.kind == kind else newest_ms
            return Proposal(kind=kind, sentence=f"{said[0]} {REMEDIES[kind]}", since_ms=since_ms)
    return None


def founding_now(record: SegmentModel) -> Founding:
    """Take a release for the founding of its major version, where the record does not tell."""
    total = max(sum(record.counts), 1)
    return Founding(
        centroids=record.centroids,
        shares=tuple(count / total for count in record.counts),
        spread=record.gate,
    )


def _changes(ratio: Floats) -> bool:
    """Whether ADWIN (Bifet and Gavaldà, SDM 2007) cuts the window, read from its old end."""
    make: Any = drift.ADWIN  # River's methods carry no types
    adwin = make(delta=ADWIN_DELTA)
    found = False
    for value in np.minimum(ratio, RATIO_MAX)[::-1].tolist():
        adwin.update(value)
        found = found or adwin.drift_detected
    return found


def _shift(record: SegmentModel, figures: Health, bias_max: float) -> Iterator[Finding]:
    for name, mean in zip(record.features, figures.bias, strict=True):
        if abs(mean) > bias_max:
            yield Finding(
                "shift",
                f"{name} of all samples lies {abs(mean):.1f} deviations "
                f"{'above' if mean > 0 else 'below'} the model at once, so nothing is learnt.",
            )


def _fit(record: SegmentModel, figures: Health) -> Iterator[Finding]:
    rows = range(len(record.ids))
    name = [f"Segment {i} ({record.name_of(i)})" for i in record.ids]
    founded = f"{record.major}.0"
    for row in rows:
        if figures.starving[row] < LIMITS["starving"]:
            yield Finding(
                "starving",
                f"{name[row]} has {figures.starving[row]:.0%} of the share of users that it had "
                f"when version {founded} was made.",
            )
        # What has never been apart (a population without structure) has not become alike.
        was = figures.founded_apart[row] if figures.founded_apart else FAR_APART
        if figures.separation[row] < LIMITS["separation"] < BECAME * was:
            yield Finding(
                "merging",
                f"{name[row]} is hardly apart from its neighbour any more: "
                f"{figures.separation[row]:.1f} deviations, {was:.1f} in version {founded}.",
            )
        if figures.displacement[row] > LIMITS["displacement"]:
            yield Finding(
                "drift",
                f"{name[row]} has moved {figures.displacement[row]:.1f} times the usual distance "
                f"of its users since version {founded}.",
            )
    if figures.spread > LIMITS["spread"]:
        yield Finding(
            "drift",
            f"Recent users lie {figures.spread:.2f} times as far from their segments "
            f"(squared) as when version {founded} was made.",
        )
    if figures.gated > LIMITS["gated"]:
        yield Finding(
            "drift", f"{figures.gated:.0%} of the recent users lie beyond the outlier gate."
        )


def _tuple(values: Floats) -> tuple[float, ...]:
    return tuple(values.tolist())
