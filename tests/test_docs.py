"""What the documents say is held equal to what the code does."""

from pathlib import Path

from shoal.settings import Settings, variable
from shoal.settings_doc import render

ROOT = Path(__file__).parents[1]


def test_the_settings_document_is_what_the_code_generates() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == render(), "run `make docs`"


def test_the_example_environment_names_only_settings_that_exist() -> None:
    known = {variable(name) for name in Settings.model_fields}
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = {line.lstrip("# ").partition("=")[0] for line in lines if "SHOAL_" in line}
    assert named
    assert named <= known
