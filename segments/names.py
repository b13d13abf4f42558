"""Names from what sets a segment apart, in words people use.

A name is made of a centroid's strongest deviations from the population's mean, at most three.
It stays while those are still about the strongest: a name that changed with every release
would be a new segment to everybody who reads it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from segments.transforms import Floats

TRAITS_MAX = 3
STANDS_OUT = 0.35  # standard deviations from which a feature is worth a word
FADED = 0.25  # below this a word in a name has become untrue
CLEARLY = 1.3  # how much stronger an unnamed feature must be to push a named one out
JOINT = " · "
NOTHING_STANDS_OUT = "average"

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "+weekday_hours": "weekday",
        "-weekday_hours": "rarely on weekdays",
        "+weekend_hours": "weekend",
        "-weekend_hours": "rarely on weekends",
        "+page_views_per_day": "many page views",
        "-page_views_per_day": "few page views",
        "+reactions_per_day": "reacts often",
        "-reactions_per_day": "seldom reacts",
        "+followed_accounts": "follows many",
        "-followed_accounts": "follows few",
        "+ctr": "high CTR",
        "-ctr": "low CTR",
        "+conversion_rate": "high conversion",
        "-conversion_rate": "low conversion",
        "+ad_seconds": "long ad views",
        "-ad_seconds": "short ad views",
        "+mobile_share": "mobile",
        "-mobile_share": "desktop or tablet",
        "+interest_breadth": "broad interests",
        "-interest_breadth": "few interests",
        "+spend": "high spend",
        "-spend": "low spend",
        "+active_days": "active on many days",
        "-active_days": "active on few days",
        "+activity_24h": "busy today",
        "-activity_24h": "quiet today",
    }
)
SIGNS: Mapping[str, str] = MappingProxyType({"+": "high ", "-": "low "})  # no words for it yet
TOGETHER: Mapping[frozenset[str], str] = MappingProxyType(
    {  # "weekday · weekend" reads like a contradiction
        frozenset({"+weekday_hours", "+weekend_hours"}): "online all week",
        frozenset({"-weekday_hours", "-weekend_hours"}): "rarely online",
    }
)


@dataclass(frozen=True)
class Name:
    """The automatic name of a segment.

    Attributes:
        text: What people read.
        traits: The signed features it was made of ("+ctr", "-weekday_hours"), strongest first.
    """

    text: str
    traits: tuple[str, ...]


def name_segments(
    ids: Sequence[int],
    centroids: Floats,
    features: Sequence[str],
    previous: Mapping[int, Name] | None = None,
    taken: Collection[str] = (),
) -> list[Name]:
    """Name every segment, each differently.

    Args:
        ids: k segment ids.
        centroids: float64[k, d], deviations from the population's mean in standard deviations.
        features: d names.
        previous: The names in the version before, by id: kept if they still hold.
        taken: Names that operators gave, not to be used for another segment.

    Returns:
        k names, in the order of `ids`.
    """
    used = set(taken)
    ranked = {
        segment: ranking(centroid, features)
        for segment, centroid in zip(ids, centroids.tolist(), strict=True)
    }
    named: dict[int, Name] = {}
    for segment in ids:  # kept names first, so that a new one cannot take theirs
        old = (previous or {}).get(segment)
        if old is not None and old.text not in used and still_holds(old, ranked[segment]):
            named[segment] = old
            used.add(old.text)
    for segment in ids:
        if segment not in named:
            named[segment] = _fresh(segment, ranked[segment], used)
            used.add(named[segment].text)
    return [named[segment] for segment in ids]


def ranking(centroid: Sequence[float], features: Sequence[str]) -> dict[str, float]:
    """Order a centroid's traits by strength.

    Args:
        centroid: d deviations.
        features: d names.

    Returns:
        Signed feature → size of its deviation, strongest first, ties in the order of features.
    """
    traits = {
        ("+" if deviation > 0 else "-") + feature: abs(deviation)
        for feature, deviation in zip(features, centroid, strict=True)
    }
    return dict(sorted(traits.items(), key=lambda item: -item[1]))


def still_holds(name: Name, ranked: Mapping[str, float]) -> bool:
    """Whether a name is still a fair one.

    Args:
        name: The name in the version before.
        ranked: The centroid's traits now, see `ranking`.

    Returns:
        False when a word of it has become untrue, or when a trait that is not in it is clearly
        (1.3 times) stronger than the weakest one in it (than what stands out at all, for a name
        of fewer than three).
    """
    sizes = [ranked.get(trait, 0.0) for trait in name.traits]  # 0 for a sign that has turned
    if any(size < FADED for size in sizes):
        return False
    to_beat = min(sizes) if len(sizes) >= TRAITS_MAX else STANDS_OUT
    unnamed = max((size for trait, size in ranked.items() if trait not in name.traits), default=0.0)
    return unnamed < CLEARLY * to_beat


def _fresh(segment: int, ranked: Mapping[str, float], used: Collection[str]) -> Name:
    """The strongest traits, as many more as make the name unlike the others."""
    true = [trait for trait, size in ranked.items() if size >= FADED]
    standing_out = sum(size >= STANDS_OUT for size in ranked.values())
    shortest = min(standing_out, TRAITS_MAX)
    for length in range(shortest, len(true) + 1):
        text = title(true[:length])
        if text not in used:
            return Name(text, tuple(true[:length]))
    return Name(f"{title(true[:shortest])} #{segment}", tuple(true[:shortest]))


def title(traits: Sequence[str]) -> str:
    """Put signed features into words.

    Args:
        traits: "+" or "-" and the name of a feature, strongest first.

    Returns:
        Phrases joined by " · "; "average" for none.
    """
    words = [
        WORDS.get(trait, ("high " if trait[0] == "+" else "low ") + trait[1:]) for trait in traits
    ]
    for both, joint in TOGETHER.items():
        if both <= set(traits):
            at = min(traits.index(trait) for trait in both)
            words = [w for w, trait in zip(words, traits, strict=True) if trait not in both]
            words.insert(at, joint)
    return JOINT.join(words) or NOTHING_STANDS_OUT
