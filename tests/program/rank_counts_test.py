"""One run on 1, 2, 3, 4, 5 and 8 ranks: reduce.mode = "exact" gives the same bits, "float" agrees to rounding. On CIFAR-10 where
CIFAR10_DIR points at it, else on the synthetic set."""

import os
from pathlib import Path

import pytest
from harness.files import read_csv, timeless, write_small_config
from harness.process import ALONE, settings, succeed

EPOCHS = 3
OTHERS = [(1, 2), (2, 1), (3, 1), (4, 1), (5, 1), (8, 1)]  # ranks and threads
FEWER_SAMPLES_THAN_RANKS = ["data.train_samples=3", "data.test_samples=1"]
SAMPLES_THAT_NOTHING_DIVIDES = ["data.train_samples=1003", "data.test_samples=517", "model.hidden=[16]"]


@pytest.fixture(autouse=True)
def small_config(folder):
    write_small_config()


@pytest.fixture
def images(real_cifar10):
    """Settings: real images if there are any."""
    real = [f"data.dir={os.environ['CIFAR10_DIR']}", "data.dataset=cifar10"] if "CIFAR10_DIR" in os.environ else []
    return SAMPLES_THAT_NOTHING_DIVIDES + real


def train(ranks, threads, mode, keys):
    """Trains into a folder named after the layout: its path and its metrics."""
    out = f"{ranks}x{threads}"
    own = ["log.steps=true", f"train.epochs={EPOCHS}", f"reduce.mode={mode}", f"compute.threads={threads}"]
    succeed("train", "run.toml", "--quiet", "--out", out, *settings(*own, *keys), ranks=ranks)
    metrics = read_csv(f"{out}/metrics.csv")
    assert len(metrics) == EPOCHS
    return Path(out), metrics


def trains_the_same_bits(keys):
    alone, expected = train(ALONE, 1, "exact", keys)
    for ranks, threads in OTHERS:
        out, metrics = train(ranks, threads, "exact", keys)
        for file in ("steps.csv", "model.safetensors"):
            assert (out / file).read_bytes() == (alone / file).read_bytes(), out
        assert timeless(metrics) == timeless(expected), out


def agrees_to_rounding(keys):
    _, expected = train(ALONE, 1, "float", keys)
    for ranks, threads in OTHERS:
        out, metrics = train(ranks, threads, "float", keys)
        for row, wanted in zip(metrics, expected):
            for loss in ("train_loss", "test_loss"):
                assert float(row[loss]) == pytest.approx(float(wanted[loss]), rel=1e-4), out


def test_eight_ranks_and_fewer_train_the_same_bits_in_exact_mode(images):
    trains_the_same_bits(images)


def test_eight_ranks_and_fewer_train_the_same_bits_where_some_have_no_samples():
    trains_the_same_bits(FEWER_SAMPLES_THAN_RANKS)


def test_eight_ranks_and_fewer_agree_to_rounding_in_float_mode(images):
    agrees_to_rounding(images)


def test_eight_ranks_and_fewer_agree_to_rounding_where_some_have_no_samples():
    agrees_to_rounding(FEWER_SAMPLES_THAN_RANKS)


def test_eight_ranks_and_fewer_evaluate_to_the_same_digits(images):
    train(ALONE, 1, "exact", images)
    expected = succeed("eval", f"{ALONE}x1").out
    assert "test" in expected
    for ranks in (2, 3, 8):
        assert succeed("eval", f"{ALONE}x1", ranks=ranks).out == expected, f"{ranks} ranks"
