"""LOCKSTEP_FETCH: a library that is not found comes from the archive that was meant, or not at all. launch/test-package --fetch builds with
all of them."""

import re
from pathlib import Path

from harness.build import REPOSITORY
from scripts import run

ARCHIVES = re.findall(r"(\S+\.tar\.gz)\s+(https?://\S+)\s+(\S+)\)", (REPOSITORY / "src/fetch.cmake").read_text(encoding="utf-8"))


def configure(*settings):
    """Without CLI11."""
    return run("cmake", "-S", REPOSITORY, "-B", "build", "-DCMAKE_DISABLE_FIND_PACKAGE_CLI11=ON", "-DLOCKSTEP_TESTS=OFF", *settings)


def test_every_archive_is_pinned():
    assert len(ARCHIVES) == 11
    assert all(re.fullmatch("[0-9a-f]{64}", sha256) for _, _, sha256 in ARCHIVES)
    assert len({sha256 for _, _, sha256 in ARCHIVES}) == len(ARCHIVES)


def test_without_it_what_is_missing_is_named():
    outcome = configure()
    assert outcome.code != 0
    assert "CLI11 was not found: install libcli11-dev" in " ".join(outcome.err.split())


def test_another_archive_of_that_name_is_refused():
    Path("mirror").mkdir()
    name = next(name for name, _, _ in ARCHIVES if name.startswith("CLI11"))
    Path("mirror", name).write_text("not what is meant", encoding="utf-8")
    outcome = configure("-DLOCKSTEP_FETCH=ON", f"-DLOCKSTEP_MIRROR=file://{Path('mirror').absolute()}")
    assert outcome.code != 0
    said = " ".join((outcome.out + outcome.err).split())
    assert name in said and re.search("hash mismatch|does not match expected value", said, re.IGNORECASE), outcome
