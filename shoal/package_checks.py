"""Are our packages ours? Their names are generic, and another distribution may ship the same."""

import importlib.util
from collections.abc import Mapping, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path

from shoal.checks import Check

DISTRIBUTION = "shoal"
PACKAGES = ("features", "segments", "producer", "consumer", "shoal")


def check_packages() -> Check:
    """Look for another distribution that ships one of our names, and where ours come from."""
    foreign = foreign_owners(packages_distributions())
    if foreign:
        named = "; ".join(f"{name} is also in {', '.join(who)}" for name, who in foreign.items())
        detail = f"{named}: install Shoal into a virtual environment of its own"
        return Check("packages", "failed", detail)
    places = {name: _place(name) for name in PACKAGES}
    if len(set(places.values())) > 1:
        named = ", ".join(f"{name} from {place}" for name, place in places.items())
        detail = f"not all from one place ({named}): install Shoal into an environment of its own"
        return Check("packages", "failed", detail)
    return Check("packages", "ok", f"all from {places[DISTRIBUTION]}")


def foreign_owners(owners: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Give the distributions other than ours that ship one of our top-level names.

    Args:
        owners: top-level name → distributions, as `importlib.metadata` tells.
    """
    others = {
        name: sorted({owner for owner in owners.get(name, ()) if owner.lower() != DISTRIBUTION})
        for name in PACKAGES
    }
    return {name: who for name, who in others.items() if who}


def _place(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parents[1] if spec and spec.origin else None
