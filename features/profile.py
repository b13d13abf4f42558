"""What a profile event says, and how it merges into what is known of the user."""

from typing import Final, TypeVar

import msgspec

from features.events import Event, Metrics, Traits

NO_TRAITS: Final = Traits()
NO_METRICS: Final = Metrics()

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Traits).decode


class Profile(msgspec.Struct, frozen=True, gc=False):
    """Traits and known metrics; a field that is None says nothing."""

    traits: Traits = NO_TRAITS
    metrics: Metrics = NO_METRICS

    def merged(self, newer: "Profile") -> "Profile":
        """Take each field from the newer profile where that one says something."""
        return Profile(_merged(self.traits, newer.traits), _merged(self.metrics, newer.metrics))


def profile_of(event: Event) -> Profile:
    """Read a profile event; its own device and interests are traits unless ``traits`` has them."""
    traits = event.traits or NO_TRAITS
    if event.device is not None and traits.device is None:
        traits = msgspec.structs.replace(traits, device=event.device)
    if event.interests and traits.interests is None:
        traits = msgspec.structs.replace(traits, interests=event.interests)
    return Profile(traits, event.metrics or NO_METRICS)


def encode_traits(traits: Traits) -> bytes | None:
    """Give the canonical JSON (declared order, nothing empty), None when there is no trait."""
    return None if traits == NO_TRAITS else _encode(traits)


def decode_traits(stored: bytes | None) -> Traits:
    """Read the canonical JSON.

    Raises:
        msgspec.MsgspecError: the bytes are not what `encode_traits` wrote.
    """
    return NO_TRAITS if stored is None else _decode(stored)


_S = TypeVar("_S", bound=msgspec.Struct)


def _merged(old: _S, new: _S) -> _S:
    """Take each field from ``new`` unless it is None there."""
    given = {
        name: value for name in new.__struct_fields__ if (value := getattr(new, name)) is not None
    }
    return msgspec.structs.replace(old, **given)
