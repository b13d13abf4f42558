"""What is installed is what is in the repository, and nobody else ships our names."""

import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from shoal.package_checks import PACKAGES, check_packages, foreign_owners

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel, without the network."""
    directory = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = directory.glob("shoal-*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    files = {
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.suffix in {".py", ".lua", ".typed"}
    }
    assert any(name.endswith(".lua") for name in files)
    assert {f"{name}/py.typed" for name in PACKAGES} <= files
    assert files - set(wheel.namelist()) == set()


def test_the_wheel_holds_nothing_but_the_packages(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_distribution_cannot_be_uploaded_by_mistake(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    assert "Classifier: Private :: Do Not Upload" in wheel.read(metadata).decode()


def test_no_other_installed_distribution_ships_one_of_our_names() -> None:
    assert foreign_owners(packages_distributions()) == {}
    assert check_packages().status == "ok"


@pytest.mark.parametrize(
    "name", ["requirements", "requirements-build", "requirements-dev", "requirements-bench"]
)
def test_a_lock_file_pins_by_hash_and_names_no_place(name: str) -> None:
    lines = (ROOT / f"{name}.lock").read_text().splitlines()
    pins = [line for line in lines if "==" in line]
    assert pins
    assert all(line.endswith("\\") for line in pins), "every pin is followed by its hashes"
    # A comment may say what a package came via; an option or an address may not be there.
    assert [line for line in lines if line.startswith("-") or "://" in line] == []
