"""What the documents say is held equal to what the code does."""

import re
from pathlib import Path

from shoal.exit_codes import ExitCode
from shoal.metrics_doc import render as metrics
from shoal.settings import Settings
from shoal.settings_doc import render
from shoal.settings_errors import variable

ROOT = Path(__file__).parents[1]


def test_the_settings_document_is_what_the_code_generates() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == render(), "run `make docs`"


def test_the_metrics_document_is_what_the_code_generates() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == metrics(), "run `make docs`"


def test_the_example_environment_names_only_settings_that_exist() -> None:
    known = {variable(name) for name in Settings.model_fields}
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = {line.lstrip("# ").partition("=")[0] for line in lines if "SHOAL_" in line}
    assert named
    assert named <= known


def test_every_variable_that_a_document_names_exists() -> None:
    known = {variable(name) for name in Settings.model_fields}
    known |= {"SHOAL_TEST_KAFKA", "SHOAL_TEST_REDIS"}  # of the tests
    for document in [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "docker-compose.yml",
    ]:
        named = set(re.findall(r"\bSHOAL_[A-Z][A-Z_]*[A-Z]\b", document.read_text()))
        assert named <= known, document.name


def test_the_operations_guide_explains_every_exit_code() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text()
    assert [code for code in ExitCode if f"\n| {code.value} |" not in guide] == []


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        named = set(re.findall(r"`make ([a-z]+)", document.read_text()))
        assert named <= targets, document.name
