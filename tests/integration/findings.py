"""What the checker counts: one figure for each promise that may be broken."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Findings:
    """How often each promise is broken; every figure is 0 when all is well.

    Attributes:
        records_unread: input records at or above the applied offset.
        sequences_missing: changes that the partition's numbering has and no subscriber can read.
        sequences_repeated: changes that a subscriber reads twice.
        changes_disordered: changes whose number, or whose input offset, goes back.
        changes_misplaced: changes whose key, id, headers or partition do not fit the user.
        user_versions_broken: changes that do not follow from the same user's change before.
        memberships_differing: users whose latest membership is not their last change.
        states_differing: users whose segment or version in Redis is not their last change.
        features_differing: users whose features (or existence) in Redis are not the reference's.
        outcomes_differing: records counted under another outcome than the reference's.
        dead_letters_missing: dead records without a dead letter.
        dead_letters_repeated: dead letters beyond the first, or of records that are not dead.
        dead_letters_altered: dead letters that are not the record as it came, or say nothing.
        outbox_unpublished: what the last commit decided and Kafka does not have.
        user_counts_differing: users by which the counters are off a recount of the states.
        due_differing: users without an entry in `due`, entries without a user, entries past.
        trend_differing: records and changes by which the trend's days and hours are off.
        models_backwards: releases that are not newer than the one before, changes by a model that
            was never released or of an older major version than the partition's change before, and
            a copy in Redis that is not the newest release.
    """

    records_unread: int = 0
    sequences_missing: int = 0
    sequences_repeated: int = 0
    changes_disordered: int = 0
    changes_misplaced: int = 0
    user_versions_broken: int = 0
    memberships_differing: int = 0
    states_differing: int = 0
    features_differing: int = 0
    outcomes_differing: int = 0
    dead_letters_missing: int = 0
    dead_letters_repeated: int = 0
    dead_letters_altered: int = 0
    outbox_unpublished: int = 0
    user_counts_differing: int = 0
    due_differing: int = 0
    trend_differing: int = 0
    models_backwards: int = 0

    def __add__(self, other: "Findings") -> "Findings":
        names = [one.name for one in fields(self)]
        return Findings(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def __str__(self) -> str:
        """Show what is not 0."""
        wrong = {f.name: n for f in fields(self) if (n := getattr(self, f.name))}
        return f"Findings({wrong or 'all 0'})"
