"""What a user did lately: events folded into tiles, decayed weights and a feature vector.

This package is pure: no I/O, clock, randomness or logging. Times come in as arguments, in
milliseconds since 1970-01-01 UTC. The way through it:

    payload ── events ──> Event ── columns ──> Columns ── fold ──> Slab ── vector ──> Vectors
                                                                     └── codec ──> bytes in Redis

``catalogue`` says what each feature means, ``tiles`` which tile holds which hour or day.
"""
