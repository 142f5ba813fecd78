"""lockstep trace-step: what it writes and says, that it is the run's own step, and what it refuses. interchange/ has its numbers
against PyTorch's."""

import os
import re
from pathlib import Path

import pytest
from harness.files import read_csv, read_safetensors, write_planar_config
from harness.npz import read_npz
from harness.process import lockstep, settings, succeed

KINDS = ("outputs", "loss", "gradients of outputs", "gradients of parameters", "optimizer's state", "parameters after")
RUN = settings("train.epochs=2", "log.steps=true")


@pytest.fixture(autouse=True)
def planar_config(folder):
    write_planar_config()


def test_it_writes_one_file_and_says_how_far_each_kind_of_array_is_from_double_precision():
    out = succeed("trace-step", "run.toml").out
    lines = "".join(rf"{kind} +\d\.\de[-+]\d\d  \S*\n" for kind in KINDS)
    assert re.fullmatch(r"lockstep .*: step 1 of run, 8 samples, loss \S+\narrays +difference from float64  largest in\n" + lines +
                        r"wrote step.npz: \d+ arrays; .*\n", out), out
    assert sorted(os.listdir()) == ["run.toml", "step.npz"]


def test_its_readme_names_every_array_it_has():
    succeed("trace-step", "run.toml", "--out", "a.npz")
    arrays = read_npz("a.npz")
    readme = arrays["README"][2].decode("utf-32-le")
    for name, (_, shape, _) in arrays.items():
        if name not in ("README", "config"):
            assert re.search(rf"\b{re.escape(name)}\b", readme), name
    for line in ("y = tanh(x);  dx = dy * (1 - y^2)", "velocity = momentum * velocity.before + grad", "layers.0.weight.grad                  dW1"):
        assert line in readme, readme


def test_the_step_is_the_runs_own():
    """The third of the second epoch: its loss, and the weights after it, are those of the training."""
    succeed("train", "run.toml", "--quiet", "--out", "run", *RUN)
    steps = read_csv("run/steps.csv")
    succeed("trace-step", "run.toml", *RUN, "--step", len(steps))
    arrays, weights = read_npz("step.npz"), read_safetensors("run/model.safetensors")
    assert f"{arrays['loss'][2][0]:.6g}" == f"{float(steps[-1]['loss']):.6g}"
    for name in weights.header:
        if name != "__metadata__":
            numbers = memoryview(weights.bytes_of(name)).cast("f").tolist()
            assert list(arrays[f"{name}.updated"][2]) == numbers, name


def test_the_same_step_gives_the_same_file_with_any_kernels_and_threads():
    succeed("trace-step", "run.toml", "--out", "a.npz")
    succeed("trace-step", "run.toml", "--out", "b.npz", *settings("compute.threads=3", "compute.kernels=portable"))
    a, b = read_npz("a.npz"), read_npz("b.npz")
    assert {name for name in a if a[name] != b[name]} == {"config"}


def test_fewer_samples_are_a_smaller_batch():
    out = succeed("trace-step", "run.toml", "--samples", "4").out
    assert "step 1 of run, 4 samples" in out
    assert read_npz("step.npz")["inputs"][1] == (4, 2)


def test_what_it_refuses():
    for words, code, says in [
            (["run.toml", "--step", "99"], 2, "--step is 99, expected at most 20: 4 epochs of 5 steps"),
            (["run.toml", "--step", "0"], 2, "--step"),
            (["nowhere.toml"], 2, "nowhere.toml: cannot be read"),
            (["run.toml", "--out", "no/such/folder/step.npz"], 2, "no/such/folder/step.npz: cannot be written")]:
        outcome = lockstep("trace-step", *words)
        assert (outcome.code, len(outcome.err.splitlines())) == (code, 1), outcome.err
        assert says in outcome.err
        assert not Path("step.npz").exists()


def test_several_ranks_are_refused_with_one_line():
    outcome = lockstep("trace-step", "run.toml", ranks=3)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == ("lockstep: trace-step works on one rank, found 3, expected it without mpirun (a step is the same on any "
                           "number)\n")


def test_the_help_has_an_example():
    assert "lockstep trace-step configs/courses/circle.toml --samples 16" in lockstep("trace-step", "--help").out
    assert "trace-step" in lockstep("--help").out
