from shoal.metrics import HEALTH_METRICS, WORKER_METRICS
from shoal.trainer_metrics import TRAINER_METRICS

METRICS = (*HEALTH_METRICS, *WORKER_METRICS, *TRAINER_METRICS)


def test_every_metric_has_a_name_of_its_own() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert all(name.startswith("shoal_") for name in names)


def test_counters_and_nothing_else_end_in_total() -> None:
    assert {m.name for m in METRICS if m.name.endswith("_total")} == {
        m.name for m in METRICS if m.kind == "counter"
    }


def test_the_unit_of_a_time_is_the_second() -> None:
    assert not [m.name for m in METRICS if m.name.endswith(("_s", "_ms", "_time", "_bytes"))]
    assert all(m.name.endswith("_seconds") for m in METRICS if m.kind == "histogram")
