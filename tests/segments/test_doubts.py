"""A user whose vector jumps is not learnt from for a week, or until it jumps back."""

import numpy as np

from segments.doubts import DOUBT_DAYS, Doubts
from segments.learner import Learner
from segments.model import decode_model, encode_model
from tests.segments.population import DAY_MS
from tests.segments.test_poison import CLEAN, EVIDENCE, SETTINGS, VALUES, samples, times_ten
from tests.segments.workers import Workers


def test_a_jump_is_doubted_until_it_is_undone_or_a_week_is_over() -> None:
    doubts = Doubts()
    assert not doubts.hear(1, 0, None, [9.0], 1.0), "a stranger cannot have jumped"
    assert not doubts.hear(1, 0, [0.0], [0.9], 1.0)
    assert doubts.hear(1, 0, [0.0], [1.1], 1.0)
    assert doubts.hear(1, DAY_MS, [1.1], [1.1], 1.0), "it stays"
    assert doubts.places([5, 1]) == ((1, 0),)
    assert not doubts.hear(1, DAY_MS, [1.1], [0.0], 1.0), "it is mended"
    assert doubts.hear(1, DAY_MS, [0.0], [-2.0], 1.0)
    assert not doubts.hear(1, (1 + DOUBT_DAYS) * DAY_MS, [-2.0], [-2.0], 1.0)


def test_a_unit_that_is_wrong_for_a_tenth_of_the_users_is_not_learnt_and_releases_note_whom() -> (
    None
):
    clean, poisoned = Learner.fresh(SETTINGS), Learner.fresh(SETTINGS)
    for learner in (clean, poisoned):
        Workers(VALUES, EVIDENCE).follow(learner, samples(0, CLEAN))
    before = clean.model
    assert before is not None
    released = []
    for offset, sample in enumerate(samples(CLEAN, 1800), start=CLEAN):
        released += poisoned.learn(times_ten("page_views_per_day", 0.1, sample), offset)
    assert released
    j = before.features.index("page_views_per_day")
    drift = np.array(released[-1].centroids)[:, j] - np.array(before.centroids)[:, j]
    assert np.abs(drift).max() < 0.1
    assert 20 < len(released[-1].doubted) < 120
    assert decode_model(encode_model(released[-1])) == released[-1]
