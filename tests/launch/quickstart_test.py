"""launch/quickstart: the data it takes, and what it says when that is not CIFAR-10. The other scripts are stand-ins."""

from pathlib import Path

import pytest
from harness.files import write, write_black_cifar10
from scripts import machine, refused, run, scripts, stand_in, succeeded

CONFIG = "configs/cifar10_cnn.toml"


@pytest.fixture
def copy():
    """A repository on a machine of four cores."""
    folder = scripts()
    for script in ("install-deps", "build"):
        stand_in(folder / "launch" / script, f"echo {script}")
    stand_in(folder / "launch/get-cifar10", "echo get-cifar10; exit ${GET-0}")
    stand_in(folder / "launch/run", 'echo "run $*"; [[ $3 != selftest ]] || exit ${SELFTEST-0}; exit ${RUN-0}')
    machine(folder, 4, 4, 4)
    return folder


def trains(outcome, words):
    assert f"run -np {words}" in outcome.out.splitlines()


def test_it_installs_builds_downloads_and_trains(copy):
    outcome = succeeded(run(copy / "launch/quickstart", "--set", "train.epochs=1"), "^install-deps\nbuild\nget-cifar10")
    trains(outcome, f"4 {CONFIG} --set data.dir={copy}/data/cifar-10-batches-bin --out runs/quickstart --overwrite --set train.epochs=1")
    assert "launch/plot runs/quickstart" in outcome.out, "it says what is next"
    assert "\nrun -np 4 selftest spiral" in outcome.out, "it compares the machine with the published weights"
    assert outcome.err == ""


def test_other_weights_than_the_published_ones_are_said(copy):
    outcome = succeeded(run(copy / "launch/quickstart", SELFTEST=1), "launch/plot runs/quickstart")
    assert "does not give the published weights" in outcome.err


def test_that_an_earlier_run_goes_and_that_data_is_made_up_is_said(copy):
    write(copy / "runs/quickstart/summary.json", "")
    outcome = succeeded(run(copy / "launch/quickstart", GET=3), "runs/quickstart holds an earlier run")
    trains(outcome, f"4 {CONFIG} --set data.dataset=synthetic --out runs/quickstart --overwrite")
    assert "Training on a SYNTHETIC set" in outcome.err


def test_data_that_is_there_is_not_downloaded(copy):
    write_black_cifar10("mine")
    write("mine/batches.meta.txt", "airplane\n")
    outcome = succeeded(run(copy / "launch/quickstart", CIFAR10_DIR="mine"))
    trains(outcome, f"4 {CONFIG} --set data.dir={Path.cwd()}/mine --out runs/quickstart --overwrite")
    assert "get-cifar10" not in outcome.out
    Path("mine/data_batch_2.bin").unlink()
    outcome = run(copy / "launch/quickstart", CIFAR10_DIR="mine")
    refused(outcome, 3, "^launch/quickstart: CIFAR10_DIR=mine: data_batch_2.bin has no bytes, expected 30730000")
    assert outcome.out == "", "then nothing is done"
    outcome = run(copy / "launch/quickstart", CIFAR10_DIR="mien")
    refused(outcome, 3, "^launch/quickstart: CIFAR10_DIR=mien: no such folder, expected the one with data_batch_1.bin")


def test_the_exit_code_is_that_of_launch_run(copy):
    outcome = run(copy / "launch/quickstart", RUN=4)
    assert outcome.code == 4
    assert "next" not in outcome.out


@pytest.mark.parametrize("cores, ranks", [(1, 2), (64, 8)])
def test_it_trains_on_two_to_eight_ranks(copy, cores, ranks):
    machine(copy, cores, cores, cores)
    assert f"\nrun -np {ranks} configs/" in run(copy / "launch/quickstart").out
