from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from segments.agreement import adjusted_rand_index
from shoal.exit_codes import ExitCode, exit_code
from shoal.profiles.commands import app
from tests.shoal.profiles.tables import HEADERS, persona_rows, text_of, uniform_rows, write_table


@pytest.fixture(autouse=True)
def without_services(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOAL_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("SHOAL_REDIS_URL", "redis://127.0.0.1:1/0")


def segment(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["segment", *arguments])


def segmented(*arguments: str) -> dict[str, Any]:
    result = segment(*arguments, "--json")
    assert result.exit_code == ExitCode.DONE, result.exception
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def refused(*arguments: str) -> str:
    result = segment(*arguments)
    assert isinstance(result.exception, Exception)
    assert exit_code(result.exception) == ExitCode.WRONG_USE
    return str(result.exception)


def assignments(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_table_without_structure_is_segmented_with_a_warning_first(tmp_path: Path) -> None:
    path = str(write_table(tmp_path / "t.csv", uniform_rows(240)))
    document = segmented(path, "-o", "out")
    assert not document["stable"]
    assert document["warning"].startswith("No stable structure found: 6 segments")
    assert document["split_half_ari"].keys() == {str(k) for k in range(3, 13)}
    assert max(document["split_half_ari"].values()) < document["stable_from"]
    assert document["scatter_to_shuffled"] > 0.9
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["warning"] == document["warning"]
    assert report["users"] == 240
    assert "No stable structure found" in (tmp_path / "out" / "report.html").read_text()
    result = segment(path, "-o", "out", "--segments", "4")
    assert result.exit_code == ExitCode.DONE
    assert result.stdout.startswith("WARNING: No stable structure found: 4 segments")


def test_people_of_five_kinds_are_found_without_being_told_how_many(tmp_path: Path) -> None:
    rows, kinds = persona_rows(200)
    document = segmented(str(write_table(tmp_path / "t.csv", rows)), "-o", "out")
    assert (document["stable"], document["warning"]) == (True, None)
    assert len(document["segments"]) == 5
    written = assignments(tmp_path / "out" / "assignments.csv")
    assert [line["user_id"] for line in written] == [row[0] for row in rows]
    segments = np.array([int(line["segment_id"]) for line in written])
    assert adjusted_rand_index(segments, np.array(kinds)) > 0.95
    names = {line["segment_id"]: line["segment"] for line in written}
    assert names == {str(one["id"]): one["name"] for one in document["segments"]}
    assert sum(one["size"] for one in document["segments"]) == document["users"] == 200
    assert all(0 <= float(line["margin"]) <= 1 for line in written)


def test_equal_tables_give_equal_files(tmp_path: Path) -> None:
    path = str(write_table(tmp_path / "t.csv", uniform_rows(200)))
    segmented(path, "-o", "one", "--segments", "4")
    segmented(path, "-o", "other", "--segments", "4")
    for name in ("assignments.csv", "report.html", "report.json"):
        one, other = tmp_path / "one" / name, tmp_path / "other" / name
        assert one.read_bytes() == other.read_bytes(), name


def test_features_are_what_the_table_says(tmp_path: Path) -> None:
    rows = [[*row[:9], "3.0", "6.0", *row[11:]] for row in uniform_rows(50)]
    for number, row in enumerate(rows):
        row[11] = "0.2" if number % 2 else "0.05"
    document = segmented(str(write_table(tmp_path / "t.csv", rows)), "--segments", "2")
    assert {"weekday_hours", "weekend_hours"} <= document["left_out"].keys()  # equal for all
    assert "ctr" in document["features"]


def test_users_without_any_behaviour_get_no_segment_and_bad_rows_are_left_out(
    tmp_path: Path,
) -> None:
    rows = uniform_rows(60)
    rows[3] = [*rows[3][:6], *[""] * 8, *rows[3][14:]]
    rows[7][11] = "19.3"
    document = segmented(str(write_table(tmp_path / "t.csv", rows)), "--segments", "2")
    assert (document["users"], document["unassigned"], document["bad"]) == (59, 1, 1)
    written = {line["user_id"]: line for line in assignments(tmp_path / "segments/assignments.csv")}
    assert written["4"] == {"user_id": "4", "segment_id": "", "segment": "", "margin": ""}
    assert "8" not in written


@pytest.mark.parametrize("segments", ["1", "none", "65", "-3", "²"])
def test_an_impossible_number_of_segments_is_refused(segments: str, tmp_path: Path) -> None:
    path = str(write_table(tmp_path / "t.csv", uniform_rows(30)))
    assert "give a number from 2 to 64, or auto" in refused(path, "--segments", segments)


def test_tables_that_say_nothing_about_behaviour_are_refused(tmp_path: Path) -> None:
    rows = [row[:6] for row in uniform_rows(100)]
    (tmp_path / "t.csv").write_text(text_of(rows, headers=HEADERS[:6]))
    assert "users with a value of behaviour: 0" in refused("t.csv")
    few = str(write_table(tmp_path / "few.csv", uniform_rows(19)))
    assert "users with a value of behaviour: 19" in refused(few)
    alike = str(
        write_table(tmp_path / "alike.csv", [[str(n), *uniform_rows(1)[0][1:]] for n in range(50)])
    )
    assert "these users cannot be told apart" in refused(alike)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    path = str(write_table(tmp_path / "t.csv", uniform_rows(30)))
    assert "cannot make the directory" in refused(path, "-o", f"{path}/out")
