"""Augmented images: one run over ranks, threads and restarts; tested as they are."""

from pathlib import Path

import pytest
from harness.files import read_csv, read_json, timeless, weights_hash, write
from harness.process import ALONE, settings, succeed

# 125 samples in batches of 24: six steps an epoch, the last one of 5 samples.
CONFIG = """seed = 3
[data]
dataset = "synthetic"
train_samples = 125
test_samples = 40
[data.augment]
flip = "alternate"
shift = 3
cutout = 9
[model]
hidden = [12]
[train]
epochs = 3
batch_size = 24
[compute]
threads = 1
"""
STEPS_PER_EPOCH = 6


@pytest.fixture(autouse=True)
def augmented_config(folder):
    write("run.toml", CONFIG)


def train(out, *keys, ranks=ALONE, more=()):
    succeed("train", "run.toml", "--quiet", "--out", out, *more, *settings("log.steps=true", *keys), ranks=ranks)
    return out


def test_is_the_same_run_on_any_ranks_and_threads():
    alone = train("alone")
    for number, (ranks, threads) in enumerate([(2, 1), (3, 2), (8, 1), (ALONE, 3)]):
        out = train(f"other{number}", f"compute.threads={threads}", ranks=ranks)
        for file in ("steps.csv", "model.safetensors"):
            assert Path(out, file).read_bytes() == Path(alone, file).read_bytes(), (ranks, threads)
        assert timeless(read_csv(f"{out}/metrics.csv")) == timeless(read_csv(f"{alone}/metrics.csv"))


def test_goes_on_in_the_middle_of_an_epoch_on_other_ranks():
    whole = train("whole", "checkpoint.every_steps=1", "checkpoint.keep=100", ranks=2)
    for step in (2, STEPS_PER_EPOCH + 4, 2 * STEPS_PER_EPOCH):
        file = f"{whole}/checkpoints/step-{step:09}.safetensors"
        out = train(f"from{step}", ranks=3, more=["--resume", file])
        assert weights_hash(out) == weights_hash(whole), step


def test_each_kind_makes_another_run():
    kinds = ["none", "random", "alternate"]
    runs = [train(flip, f"data.augment.flip={flip}") for flip in kinds]
    runs += [train("zero", "data.augment.shift_padding=zero"), train("still", "data.augment.shift=0"),
             train("uncut", "data.augment.cutout=0")]
    assert len({weights_hash(run) for run in runs}) == len(runs)
    assert read_json("zero/summary.json")["config"]["data"]["augment"] == {
        "flip": "alternate", "shift": 3, "shift_padding": "zero", "cutout": 9}
    assert read_json("still/summary.json")["config"]["data"]["augment"] == {"flip": "alternate", "shift": 0, "cutout": 9}


def test_samples_to_test_on_are_not_augmented():
    """Of the same weights: what they are trained on differs, what they are tested on does not."""
    still = ("train.learning_rate=1e-30", "train.epochs=1")
    none = ("data.augment.flip=none", "data.augment.shift=0", "data.augment.cutout=0")
    rows = [read_csv(f"{train(out, *still, *keys)}/metrics.csv")[0] for out, keys in (("augmented", ()), ("plain", none))]
    assert rows[0]["test_loss"] == rows[1]["test_loss"]
    assert rows[0]["train_loss"] != rows[1]["train_loss"]
    scores = [succeed("eval", out).out.replace(out, "") for out in ("augmented", "plain")]
    assert scores[0] == scores[1]
    assert f"{float(rows[1]['train_loss']):.6f}" in scores[1]


@pytest.mark.parametrize("shuffle", ["shards", "none"])
def test_verifies_and_has_the_derivatives_of_its_loss(shuffle):
    keys = settings(f"data.shuffle={shuffle}")
    assert "identical after each of 8 steps" in succeed("verify", "run.toml", "--steps", "8", *keys, ranks=3).out
    assert "the backward pass is the derivative" in succeed("gradcheck", "run.toml", "--elements", "5", *keys, ranks=2).out


def test_the_run_folders_configuration_gives_the_same_run():
    train("run", "data.augment.flip=random")
    succeed("train", "run/config.toml", "--quiet", "--out", "again")
    assert weights_hash("again") == weights_hash("run")


def test_a_sweep_searches_its_keys():
    write("sweep.toml", 'config = "run.toml"\n[set]\ndata.augment.cutout = 0\n[parameters]\n"data.augment.flip" = ["none", "alternate"]\n'
          "[parameters.data.augment]\nshift = [0, 2]\n")
    succeed("sweep", "sweep.toml", "--out", "out", ranks=2)
    trials = read_csv("out/trials.csv")
    assert {(row["data.augment.flip"], row["data.augment.shift"]) for row in trials} == {
        ("none", "0"), ("none", "2"), ("alternate", "0"), ("alternate", "2")}
    alone = train("alone", "data.augment.cutout=0", "data.augment.flip=alternate", "data.augment.shift=2")
    same = [row for row in trials if (row["data.augment.flip"], row["data.augment.shift"]) == ("alternate", "2")]
    assert float(same[0]["score"]) == pytest.approx(read_json(f"{alone}/summary.json")["test_accuracy"], abs=1e-8)
