"""Every configuration and sweep that comes with the program runs, shortened, and does the same on any number of ranks. A new file
in configs/ is tested without a new test."""

from pathlib import Path

import pytest
from harness.files import read, read_csv, timeless, weights_hash, write
from harness.process import ALONE, settings, succeed
from harness.shipped import CONFIGS, CONFIGURATIONS, SWEEPS, shortened, shortened_sweep


def shorter(subcommand, name, *more, ranks=ALONE):
    return succeed(subcommand, CONFIGS / name, *shortened(CONFIGS / name), *more, ranks=ranks).out


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_shipped_configuration_trains_on_three_ranks_as_on_one(name):
    for run, ranks in (("1", ALONE), ("3", 3)):
        shorter("train", name, "--quiet", "--out", run, ranks=ranks)
    assert weights_hash("3") == weights_hash("1")
    metrics = timeless(read_csv("1/metrics.csv"))
    assert len(metrics) == 2
    assert timeless(read_csv("3/metrics.csv")) == metrics
    assert Path("3/gradients.csv").exists() == Path("1/gradients.csv").exists()
    if Path("1/gradients.csv").exists():
        assert read("3/gradients.csv") == read("1/gradients.csv")


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_shipped_network_has_the_derivatives_of_its_loss_for_a_gradient(name):
    few = ["--elements", "10"]
    if "batch_norm" in read(CONFIGS / name):  # four images in each of two micro-batches: hardly a pool has two largest pixels
        few = ["--elements", "2", *settings("data.shards=2", "train.batch_size=8")]
    assert "the backward pass is the derivative of the loss" in shorter("gradcheck", name, *few)


@pytest.mark.parametrize("name", SWEEPS)
def test_a_shipped_sweep_has_the_same_trials_on_three_ranks_as_on_one(name):
    write("sweep.toml", shortened_sweep(CONFIGS / name))
    for run, ranks in (("1", ALONE), ("3", 3)):
        succeed("sweep", "sweep.toml", "--out", run, ranks=ranks)
    trials = timeless(read_csv("1/trials.csv"))
    assert len(trials) >= 2
    assert [row["error"] for row in trials if row["status"] != "ok"] == []
    assert timeless(read_csv("3/trials.csv")) == trials


def test_shipped_folders_are_found():
    assert len(CONFIGURATIONS) >= 10
    assert len(SWEEPS) >= 3
