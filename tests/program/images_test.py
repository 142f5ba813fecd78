"""A network of every kind of layer for images: one run over ranks, threads, kernels, restarts and files."""

import re
from pathlib import Path

import pytest
from harness.files import read_csv, read_json, read_safetensors, timeless, weights_hash, write
from harness.process import ALONE, lockstep, settings, succeed

# 403 samples in batches of 72: the last batch of an epoch has 43, so that micro-batches have 6 and 5.
CONFIG = """seed = 3
[data]
dataset = "synthetic"
train_samples = 403
test_samples = 100
normalize = "mean_std"
[model]
init = "he"
[[model.layers]]
type = "whiten"
size = 2
[[model.layers]]
type = "gelu"
[[model.layers]]
type = "conv"
filters = 5
size = 3
[[model.layers]]
type = "relu"
[[model.layers]]
type = "max_pool"
size = 3
stride = 2
[[model.layers]]
type = "conv"
filters = 6
size = 4
padding = 1
stride = 2
bias = false
learning_rate_factor = 0.5
[[model.layers]]
type = "batch_norm"
momentum = 0.3
[[model.layers]]
type = "tanh"
[[model.layers]]
name = "middle"
type = "average_pool"
size = 2
[[model.layers]]
type = "dropout"
rate = 0.1
[[model.layers]]
type = "conv"
filters = 6
size = 3
[[model.layers]]
type = "add"
from = "middle"
[[model.layers]]
type = "conv"
filters = 4
size = 2
padding = "valid"
init = "dirac"
[[model.layers]]
type = "batch_norm"
scale = false
learning_rate_factor = 16
[[model.layers]]
type = "relu"
[[model.layers]]
type = "gelu"
[[model.layers]]
type = "flatten"
[[model.layers]]
type = "dense"
[[model.layers]]
type = "multiply"
factor = 0.3
[train]
epochs = 2
batch_size = 72
learning_rate = 0.05
label_smoothing = 0.1
momentum = 0.9
nesterov = true
l2 = 1e-4
weight_decay = 1e-3
schedule = "triangular"
warmup_epochs = 0.5
initial_learning_rate = 0.01
[compute]
threads = 1
"""


@pytest.fixture(autouse=True)
def images_config(folder):
    write("run.toml", CONFIG)


def train(out, *keys, ranks=ALONE):
    succeed("train", "run.toml", "--quiet", "--out", out, *settings("log.steps=true", *keys), ranks=ranks)
    return out


def test_is_the_same_run_on_any_ranks_threads_and_kernels():
    alone = train("alone")
    kernels = re.search("^kernel_sets +(.*)$", succeed("--version").out, re.MULTILINE)[1].split(", ")
    others = [(3, ["compute.threads=2"]), (8, []), (ALONE, ["compute.threads=3"])]
    others += [(ALONE, [f"compute.kernels={name}"]) for name in kernels[1:]]
    for number, (ranks, keys) in enumerate(others):
        out = train(f"other{number}", *keys, ranks=ranks)
        for file in ("steps.csv", "model.safetensors"):
            assert Path(out, file).read_bytes() == Path(alone, file).read_bytes(), (ranks, keys)
        assert timeless(read_csv(f"{out}/metrics.csv")) == timeless(read_csv(f"{alone}/metrics.csv"))


def test_goes_on_from_a_checkpoint_on_other_ranks():
    whole = train("whole")
    train("cut", "train.max_seconds=0.001", "checkpoint.every_steps=1")
    assert weights_hash("cut") != weights_hash(whole)
    succeed("train", "run.toml", "--quiet", "--out", "cut", "--resume", "latest", *settings("log.steps=true"), ranks=2)
    assert weights_hash("cut") == weights_hash(whole)


def test_float_sums_agree_to_rounding():
    losses = [float(read_csv(f"{train(mode, f'reduce.mode={mode}', ranks=2)}/metrics.csv")[-1]["train_loss"])
              for mode in ("exact", "float")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_float_sums_of_it_drift_by_rounding_alone():
    """Its first batch norm has a convolution with a bias before it, whose gradient is 0 but for rounding."""
    write("run.toml", CONFIG.replace("bias = false\n", ""))
    verify = ["verify", "run.toml", "--steps", "6", "--tolerance", "1e-5", *settings("reduce.mode=float")]
    assert "within the tolerance" in succeed(*verify, ranks=2).out


def test_a_layer_that_diverges_has_the_number_that_the_configuration_gives_it():
    outcome = lockstep("train", "run.toml", "--out", "out", *settings("train.learning_rate=1e29"), ranks=2)
    assert outcome.code == 2
    assert re.search(r"diverged at step 3 .*: the output of layer 2 \(Conv ", outcome.err), outcome.err


def test_has_the_derivatives_of_its_loss_and_verifies():
    assert "the backward pass is the derivative" in succeed("gradcheck", "run.toml", "--samples", "8", "--elements", "5").out
    assert "identical after each of 4 steps" in succeed("verify", "run.toml", "--steps", "4", ranks=3).out


def test_saved_weights_are_read_again():
    train("run")
    tensors = read_safetensors("run/model.safetensors")
    assert tensors.header["layers.0.weight"]["shape"] == [24, 3, 2, 2]
    assert tensors.header["layers.1.weight"]["shape"] == [5, 24, 3, 3]
    assert tensors.header["layers.3.running_var"]["shape"] == [6]
    summary = read_json("run/summary.json")
    assert f"weights {summary['weights_hash']}" in succeed("inspect", "run/model.safetensors").out
    assert f"{summary['test_loss']:.9f}" in succeed("eval", "run").out
    still = ["train.learning_rate=1e-30", "train.initial_learning_rate=0"]
    begin = settings("train.init_from=run/model.safetensors", "train.epochs=1", *still)
    succeed("train", "run.toml", "--quiet", "--out", "begun", *begin)
    again = read_safetensors("begun/model.safetensors")
    learned = [name for name in tensors.header if "running" not in name and "." in name]
    assert len(learned) == 14
    assert all(again.bytes_of(name) == tensors.bytes_of(name) for name in learned)


def test_says_what_its_layers_are():
    said = succeed("inspect", "run.toml").out
    assert "\nWhiten 3x32x32 -> 24x31x31, 2x2" in said
    assert "\naverage pool 6x7x7 -> 6x3x3 (middle)" in said
    assert "\nadd middle " in said
    assert "\nmultiply by 0.3 " in said
