import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from shoal.embedded import EmbeddedServices
from tests.shoal.running import ROOT

pytestmark = pytest.mark.slow


def start_demo(*arguments: str, temporary: Path) -> subprocess.Popen[str]:
    """Start the demo in a session of its own, as a terminal does."""
    return subprocess.Popen(
        [sys.executable, "-m", "shoal", "demo", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def left_behind(temporary: Path) -> list[str]:
    """Give what is still there of a demo: processes that mention its directory, and files."""
    processes = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            environment = (entry / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue  # it has just ended, or is not ours to look at
        if f"TMPDIR={temporary}\0" in environment:
            processes.append(command)
    return processes + [str(path) for path in temporary.iterdir()]


def test_it_shows_named_segments_and_changes_and_ends_by_itself(tmp_path: Path) -> None:
    demo = start_demo("--seconds", "40", "--users", "1500", temporary=tmp_path)
    told, errors = demo.communicate(timeout=120)
    assert demo.returncode == 0, errors
    assert "Traceback" not in errors
    segments = re.findall(r"^ +\d+ +[\d,]+ users {2}\S.*", told, re.MULTILINE)
    assert len(segments) >= 4, told
    changes = re.search(r"^([\d,]+) segment changes published", told, re.MULTILINE)
    assert changes, told
    assert int(changes.group(1).replace(",", "")) > 0
    assert left_behind(tmp_path) == []


def test_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    demo = start_demo(temporary=tmp_path)
    assert demo.stdout is not None
    demo.stdout.readline()  # the first figures: everything runs
    os.killpg(demo.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, errors = demo.communicate(timeout=60)
    assert demo.returncode == 0, errors
    assert "Traceback" not in errors
    assert left_behind(tmp_path) == []


def test_the_embedded_broker_has_the_topics_with_their_partitions() -> None:
    with EmbeddedServices(partitions=3) as services:
        settings = services.settings()
        admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers, "log_level": 0})
        topics = admin.list_topics(timeout=10).topics
        assert len(topics[settings.topic_events].partitions) == 3
        assert len(topics[settings.topic_samples].partitions) == 1


def test_settings_of_the_surroundings_do_not_reach_the_demo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOAL_NAMESPACE", "production")
    monkeypatch.setenv("SHOAL_KAFKA_CONFIG", '{"security.protocol": "SSL"}')
    with EmbeddedServices(partitions=1) as services:
        assert services.settings().namespace == "shoal"
        assert services.settings().kafka_config == {}
