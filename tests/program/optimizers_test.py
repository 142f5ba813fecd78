"""Every optimizer, with clipped gradients and averaged weights: one run over ranks, threads, kernels and restarts, and the
average is what is evaluated and saved."""

import re
from pathlib import Path

import pytest
from harness.files import read_csv, read_safetensors, summary_of, timeless, weights_hash, write_small_config
from harness.process import ALONE, settings, succeed, three_ranks_if_long

OPTIMIZERS = {
    "sgd": ["train.nesterov=true", "train.weight_decay=0.01"],
    "adam": ["train.optimizer=adam", "train.learning_rate=0.002", "train.weight_decay=0.01"],
    "adamw": ["train.optimizer=adamw", "train.learning_rate=0.002", "train.weight_decay=0.01", "train.beta2=0.99"],
    "lars": ["train.optimizer=lars", "train.trust_coefficient=0.1", "train.weight_decay=0.01"],
}
AVERAGED = ["train.clip_norm=0.3", "train.average_decay=0.8"]

every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS)


@pytest.fixture(autouse=True)
def config(folder):
    write_small_config()


def train(out, *keys, ranks=ALONE, more=()):
    """Returns what it says."""
    return succeed("train", "run.toml", "--out", out, *more, *settings("log.steps=true", *keys), ranks=ranks).out


def same_files(a, b):
    for file in ("steps.csv", "model.safetensors"):
        assert Path(a, file).read_bytes() == Path(b, file).read_bytes(), file
    assert timeless(read_csv(f"{a}/metrics.csv")) == timeless(read_csv(f"{b}/metrics.csv"))


@every_optimizer
def test_is_the_same_run_on_any_ranks_threads_and_kernels(optimizer):
    keys = OPTIMIZERS[optimizer] + AVERAGED
    train("alone", *keys)
    kernels = re.search("^kernel_sets +(.*)$", succeed("--version").out, re.MULTILINE)[1].split(", ")
    others = [(3, ["compute.threads=2"]), (ALONE, ["compute.threads=3"])]
    others += [(ALONE, [f"compute.kernels={name}"]) for name in kernels[1:]]
    for number, (ranks, how) in enumerate(others):
        train(f"other{number}", *keys, *how, ranks=ranks)
        same_files(f"other{number}", "alone")


@every_optimizer
def test_goes_on_from_a_checkpoint_on_other_ranks(optimizer):
    keys = OPTIMIZERS[optimizer] + AVERAGED
    train("whole", *keys)
    train("cut", *keys, "train.max_seconds=0.001", "checkpoint.every_steps=1")
    assert weights_hash("cut") != weights_hash("whole")
    train("cut", *keys, ranks=2, more=["--resume", "latest"])
    same_files("cut", "whole")


@every_optimizer
def test_verifies_and_float_sums_agree_to_rounding(optimizer):
    keys = OPTIMIZERS[optimizer] + AVERAGED
    said = succeed("verify", "run.toml", "--steps", "5", *settings(*keys), ranks=3).out
    assert "identical after each of 5 steps" in said
    losses = []
    for mode in ("exact", "float"):
        train(mode, *keys, f"reduce.mode={mode}", ranks=2)
        losses.append(summary_of(mode)["test_loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@three_ranks_if_long
def test_the_average_is_the_model(ranks):
    said = train("out", *AVERAGED, ranks=ranks)
    summary = summary_of("out")
    assert summary["weights_hash"] == read_csv("out/steps.csv")[-1]["weights_hash"]
    assert summary["average_hash"] != summary["weights_hash"]
    assert f"averaged weights {summary['average_hash']}, written to out" in said
    shown = succeed("inspect", "out").out
    assert f"model            model.safetensors: whole, weights {summary['average_hash']}\n" in shown
    assert f"weights {summary['weights_hash']}, averaged {summary['average_hash']}" in shown
    for network in (["out"], ["out", "--model", "out/checkpoints/step-000000014.safetensors"]):
        assert f"test   loss {summary['test_loss']:.9f}"[:-2] in succeed("eval", *network, ranks=ranks).out
    tensors = read_safetensors("out/checkpoints/step-000000014.safetensors").header
    assert {"layers.0.weight", "momentum.layers.0.weight", "average.layers.0.weight"} <= set(tensors)


def test_the_average_changes_nothing_about_training():
    train("with", "train.average_decay=0.8")
    train("without")
    assert Path("with/steps.csv").read_bytes() == Path("without/steps.csv").read_bytes()
    averaged, plain = (read_csv(f"{out}/metrics.csv") for out in ("with", "without"))
    assert [row["train_loss"] for row in averaged] == [row["train_loss"] for row in plain]
    assert averaged[-1]["test_loss"] != plain[-1]["test_loss"]
    assert "average_hash" not in summary_of("without")


def test_with_patience_the_model_is_the_best_epochs_average():
    keys = ["train.average_decay=0.9", "train.patience=2", "train.epochs=4", "train.learning_rate=0.5"]
    train("out", *keys)
    summary = summary_of("out")
    best = "out/checkpoints/best.safetensors"
    averaged = succeed("inspect", best).out
    assert f"averaged {summary['average_hash']}" in averaged
    assert summary["weights_of"] == "best"
    train("out", *keys, more=["--resume", "latest"])
    assert summary_of("out")["average_hash"] == summary["average_hash"]


def test_a_new_run_takes_the_momentum_of_the_same_optimizer_alone():
    train("sgd")
    train("adam", *OPTIMIZERS["adam"])
    begin = ["--resume-from", "sgd"]
    assert "with the weights and momentum of sgd" in train("a", "train.average_decay=0.5", more=begin)
    assert "with the weights, without the momentum, of sgd" in train("b", *OPTIMIZERS["adam"], more=begin)
    assert "with the weights, no momentum yet, of sgd" in train("c", *OPTIMIZERS["lars"], more=begin)
    assert "with the weights, no momentum yet, of adam" in train("d", more=["--resume-from", "adam"])
