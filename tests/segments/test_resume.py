"""A learner that resumes releases the same bytes as one that never stopped, wherever it stops."""

from functools import cache

import msgspec
import numpy as np
import pytest

from segments import window
from segments.errors import OrderRefused
from segments.learner import Learner, LearnerSettings
from segments.model import SegmentModel, decode_model, encode_model
from segments.orders import Order
from segments.samples import Sample
from tests.segments.population import PERSONAS, START_MS, stream

SETTINGS = LearnerSettings(
    segments=4,
    features=tuple(PERSONAS),
    bootstrap_users=150,
    release_samples=60,
    release_samples_min=20,
    slot_ms=600_000,
    window_users=180,  # of 260: users are pushed out
    window_days=0.03,  # 43 min of 100: others are too old
    reservoir_users=100,
    flip_budget=0.0,  # one user may move: versions are held back
    holds_max=1,
    step_size=0.3,
    bias_max=9.0,
)
Record = Sample | Order


@cache
def log() -> tuple[Record, ...]:
    """Samples with repeats, and orders of every kind between them."""
    rng = np.random.default_rng(3)
    records: list[Record] = []
    for at, sample in enumerate(stream(260, 3000, seed=8, step_ms=2000, partitions=3)):
        # A slow wave, so that there is something to hold back.
        wave = 1.0 + 0.6 * np.sin(at / 150)
        records.append(
            msgspec.structs.replace(sample, values=[value * wave for value in sample.values])
        )
        if at % 90 == 89:  # a batch again, as after a crash
            again = [r for r in records[-40:] if isinstance(r, Sample)]
            records += again[: int(rng.integers(1, 30))]
        if at in {1500, 2600}:
            records.append(Order(id=f"refit-{at}", kind="refit", issued_ms=START_MS, segments=4))
        if at == 1200:
            records.append(
                Order(id="name", kind="rename", issued_ms=START_MS, segment_id=2, name="Owls")
            )
        if at == 1300:  # refused: there is no such segment
            records.append(Order(id="no", kind="rename", issued_ms=START_MS, segment_id=99))
    return tuple(records)


def feed(learner: Learner, first: int, until: int) -> list[SegmentModel]:
    released = []
    start = learner.model.sample_offset if learner.model else 0
    for offset in range(first, until):
        record = log()[offset]
        if isinstance(record, Sample):
            released += learner.learn(record, offset)
        elif offset >= start:  # the trainer passes over orders that were obeyed before
            try:
                released += learner.obey(record, offset)
            except OrderRefused:
                assert record.id == "no"
    return released


@cache
def whole() -> tuple[SegmentModel, ...]:
    return tuple(feed(Learner.fresh(SETTINGS), 0, len(log())))


def test_the_log_holds_what_makes_resuming_hard() -> None:
    kinds = [model.release for model in whole()]
    assert {"bootstrap", "samples", "refit", "rename"} <= set(kinds)
    assert any(model.held for model in whole()), "nothing was held back"
    assert any(model.lingering for model in whole())
    assert len({m.order for m in whole()}) == len(whole())
    assert whole()[-1].window_offset > 0  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(20))
def test_resumed_anywhere_it_releases_the_same_bytes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stopped_at = int(rng.integers(whole()[0].sample_offset, len(log())))
    before = [m for m in whole() if m.sample_offset <= stopped_at]
    newest = decode_model(encode_model(before[-1]))
    until = min(len(log()), stopped_at + 700)
    after = feed(Learner.resume(newest, SETTINGS), newest.resume_offset, until)
    expected = [m for m in whole() if newest.sample_offset < m.sample_offset <= until]
    assert after, seed
    assert [encode_model(m) for m in after] == [encode_model(m) for m in expected], seed


def test_a_window_whose_beginning_is_gone_is_gone_on_with() -> None:
    newest = whole()[-5]
    learner = Learner.resume(newest, SETTINGS)
    released = feed(learner, newest.sample_offset, len(log()))
    assert released
    assert released[0].order > newest.order


def test_a_record_from_before_there_was_a_window_is_read_on_from_its_sample_offset() -> None:
    old = msgspec.json.decode(encode_model(whole()[-5]))
    for field in ("window_offset", "founding", "bias", "lingering", "held", "lineage", "release",
                  "order_id", "restored", "flip_share", "proposal", "structure_curve"):  # fmt: skip
        del old[field]
    model = decode_model(msgspec.json.encode(old))
    assert model.resume_offset == model.sample_offset
    learner = Learner.resume(model, SETTINGS)
    assert feed(learner, model.resume_offset, len(log()))
    assert learner.health is not None


def test_a_resumed_learner_reads_so_many_records_again_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(window, "RECORDS_MAX", 150)
    released = feed(Learner.fresh(SETTINGS), 0, 1400)
    assert all(m.sample_offset - m.resume_offset <= 151 for m in released)
