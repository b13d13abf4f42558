import numpy as np
from hypothesis import given, settings

from features.profile import decode_traits
from features.slab import INTERESTS
from features.vector import vectors
from shoal.report.population import PopulationBuilder, ReportPopulation
from tests.features.builders import NOON_MS, activity, folder_of, forget, profile
from tests.features.streams import USERS, Folder, Record, folded, streams


def population(folder: Folder, *chunks: list[int]) -> ReportPopulation:
    builder = PopulationBuilder(folder.stream_ms)
    for slots in chunks:
        builder.add(folder.slab, np.array(slots, np.int64), [USERS[slot] for slot in slots])
    return builder.build()


def told(people: ReportPopulation) -> list[object]:
    """Everything it says, in plain values."""
    totals = people.totals
    labels = [people.interests, *people.traits.values()]
    return [
        people.user_ids,
        people.segment.tolist(),
        people.values.tobytes(),
        people.evidence.tobytes(),
        totals.counts.tolist(),
        totals.known.tobytes(),
        [(one.names, one.user.tolist(), one.label.tolist(), one.weight.tolist()) for one in labels],
    ]


@settings(max_examples=30, deadline=None)
@given(streams())
def test_the_order_of_the_chunks_leaves_no_trace(records: list[Record]) -> None:
    folder = folded(records)
    everybody = list(range(len(USERS)))
    once = population(folder, everybody)
    assert told(once) == told(population(folder, everybody[2:], everybody[:2]))
    folder.move_to_another_slab()  # other ids for the same interests
    again = population(folder, everybody[::-1])
    assert told(once)[:6] == told(again)[:6]
    for one, other in zip(told(once)[6], told(again)[6], strict=True):  # type: ignore[call-overload]
        names = [one[0][label] for label in one[2]]
        assert names == [other[0][label] for label in other[2]]
        assert one[3] == other[3]


@settings(max_examples=30, deadline=None)
@given(streams())
def test_users_are_as_their_states_say(records: list[Record]) -> None:
    folder = folded(records)
    people = population(folder, list(range(len(USERS))))
    slab = folder.slab
    for row, user in enumerate(people.user_ids):
        slot = np.array([USERS.index(user)])
        expected = vectors(slab, slot, folder.stream_ms).values[0]
        np.testing.assert_array_equal(expected, people.values[row])
        mine = people.interests.user == row
        held = slab.words[slot[0], INTERESTS]
        assert mine.sum() == (held > 0).sum()
        age = decode_traits(slab.traits[slot[0]]).age
        ages = people.traits["age"]
        said = {ages.names[label] for label in ages.label[ages.user == row].tolist()}
        assert said == set([age] if isinstance(age, str) else age or ())


def test_forgotten_users_and_empty_rows_are_not_people() -> None:
    folder = folder_of([activity(), forget()])
    assert len(population(folder, [0, 1])) == 0


def test_nobody_is_a_population_too() -> None:
    people = PopulationBuilder(NOON_MS).build()
    assert len(people) == 0
    assert people.values.shape == (0, 13)


def test_interests_weigh_what_they_are_worth_now() -> None:
    folder = folder_of([activity(interests=("Art",)), profile("25-34", followed_accounts=3)])
    people = population(folder, [0])
    assert people.interests.names == ("Art",)
    np.testing.assert_allclose(people.interests.weight, [1.0])
    assert people.traits["age"].names == ("25-34",)
