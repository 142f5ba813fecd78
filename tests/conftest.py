"""What every test that starts programs has: a working folder of its own, and an environment that steers nothing."""

import os
import tempfile
from pathlib import Path

import pytest

pytest.register_assert_rewrite("harness")

from harness.process import ALONE, steer_nothing  # noqa: E402

steer_nothing()
REAL_CIFAR10 = os.environ.pop("CIFAR10_DIR", None)


@pytest.fixture(autouse=True)
def folder(monkeypatch):
    """The test's working folder, and that of what it starts: a new one, empty; it goes with the test."""
    with tempfile.TemporaryDirectory(prefix="lockstep-test-") as name:
        monkeypatch.chdir(name)
        yield Path(name)
        monkeypatch.undo()


@pytest.fixture
def real_cifar10(monkeypatch):
    """Hands on to what the test starts where real CIFAR-10 is, if the tests have been told."""
    if REAL_CIFAR10 is not None:
        monkeypatch.setenv("CIFAR10_DIR", REAL_CIFAR10)


@pytest.fixture(params=[pytest.param(ALONE, id="one_process"), pytest.param(3, id="three_ranks")])
def ranks(request):
    """A number of ranks for harness.process.lockstep: the test is run for one process and for three ranks."""
    return request.param
