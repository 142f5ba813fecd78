"""launch/scaling --time-to-accuracy with the real program on few points: the runs are those that it says, and what is made of them."""

import os
import re

import pytest
from harness.build import PROGRAM
from harness.files import read, read_csv, weights_hash, write
from scripts import machine, refused, run, scripts, succeeded

STUDY = ["points.toml", "--time-to-accuracy", "--accuracy", "0.7", "--batches", "16,64", "--rules", "none,sqrt", "--seeds", "1,2",
         "--epochs", 6, "--ranks", "1,4,32", "--out", "study"]  # fmt: skip


@pytest.fixture(autouse=True)
def copy():
    """On two cores of a machine of four nothing is bound."""
    machine(scripts(), 2, 4, 4)
    write("points.toml", """
        [data]
        dataset = "circle"
        n = 400
        noise = 0.1
        [model]
        hidden = [8]
        activation = "tanh"
        loss = "binary_cross_entropy"
        [train]
        batch_size = 16
        learning_rate = 0.5
        momentum = 0.9
        """)


def scaling(*words):
    return run("copy/launch/scaling", *words, LOCKSTEP=PROGRAM)


def test_a_study_has_a_run_for_each_batch_rule_and_seed_and_says_how_long_many_ranks_would_take():
    said = succeeded(scaling(*STUDY)).err
    assert sorted(os.listdir("study")) == ["epochs.csv", "report.md", "runs.csv", "study.json", "time_to_accuracy.png",
                                           "time_to_accuracy.svg"]  # fmt: skip
    rows = read_csv("study/runs.csv")
    assert [(row["seed"], row["batch_size"], row["rule"]) for row in rows] == [
        (seed, batch, rule) for seed in "12" for batch in ("16", "64") for rule in ("none", "sqrt")]  # fmt: skip
    assert said.count("batch 64, learning rate sqrt, seed 2: accuracy 0.") == 1
    assert "batch 64: epochs on 32 ranks at most are predicted" in said

    # A batch four times as large: the square root of 4.
    for row, rate in ((rows[3], "1.0"), (rows[2], "0.5")):
        words = ["--set", "train.epochs=6", "--set", "train.batch_size=64", "--set", f"train.learning_rate={rate}"]
        succeeded(run(PROGRAM, "train", "points.toml", "--quiet", "--overwrite", "--out", "alone", *words))
        assert weights_hash("alone") == row["weights_hash"]
        accuracies = [float(epoch["test_accuracy"]) for epoch in read_csv("alone/metrics.csv")]
        assert float(row["test_accuracy"]) == pytest.approx(accuracies[-1], rel=1e-8)
        assert float(row["best_accuracy"]) == pytest.approx(max(accuracies), rel=1e-8)
        reached = [e for e, accuracy in enumerate(accuracies, start=1) if accuracy >= 0.7]
        assert int(row["epochs_to_accuracy"]) == (reached[0] if reached else 0)
    assert rows[0]["weights_hash"] == rows[1]["weights_hash"], "k is 1 for the configuration's own batch"

    # 32 ranks need a batch of as many samples, and as many shards.
    times = read_csv("study/epochs.csv")
    assert [(row["batch_size"], row["ranks"], row["shards"]) for row in times] == [
        ("16", "1", "8"), ("16", "4", "8"), ("64", "1", "8"), ("64", "4", "8"), ("64", "32", "32")]  # fmt: skip
    assert all(float(row["seconds"]) > 0 for row in times)
    assert "# Batch sizes of points-batches: time to 0.7 accuracy\n" in read("study/report.md")

    # The same again runs nothing, a report can be made anew, and another study is another.
    before = read("study/runs.csv"), read("study/epochs.csv"), read("study/report.md")
    assert scaling(*STUDY).err.count("\n") == 1
    (write("study/report.md", ""), succeeded(scaling("--only-report", "study")))
    assert (read("study/runs.csv"), read("study/epochs.csv"), read("study/report.md")) == before
    refused(scaling(*STUDY, "--base-batch", 32), 2, "study has the runs of another study, of another --base-batch: expected --fresh")


def test_a_run_that_diverges_is_a_result_and_micro_batches_may_keep_their_size():
    words = ["points.toml", "--time-to-accuracy", "--accuracy", 1, "--batches", "16,32", "--rules", "linear", "--base-batch", 1,
             "--micro-batch", 4, "--epochs", 2, "--ranks", 1, "--set", "train.learning_rate=1e29", "--set", "train.l2=1",
             "--out", "wild"]  # fmt: skip
    said = succeeded(scaling(*words)).err
    assert "batch 32, learning rate linear, seed 1: diverged" in said
    assert [(row["shards"], row["weights_hash"]) for row in read_csv("wild/runs.csv")] == [("4", "diverged"), ("8", "diverged")]
    report = read("wild/report.md")
    assert re.search(r"^\| 32 \| 8 \| x k \| diverged \| 0\.00 % \| reached in 0 of 1 \|$", report, re.MULTILINE)
    assert "No batch reached the accuracy." in report


@pytest.mark.parametrize("words, pattern", [
    ([], "no --accuracy, expected the test accuracy to be reached, as in --accuracy 0.55"),
    (["--accuracy", "55"], "argument --accuracy: '55', expected a fraction as 0.55, see launch/scaling --help"),
    (["--accuracy", "0.5", "--rules", "cubic"], "argument --rules: 'cubic', expected of none,linear,sqrt"),
    (["--accuracy", "0.5", "--batches", "16,20"], "--batches has 20, expected multiples of data.shards, which is 8"),
    (["--accuracy", "0.5", "--batches", "20", "--micro-batch", "3"], "--batches has 20, expected multiples of --micro-batch, which is 3"),
    (["--accuracy", "0.5", "--set", "train.batch_size=8"], "--set train.batch_size: a study sets it, expected --batches"),
    (["--accuracy", "0.5", "--set", "eval.every_epochs=2"], "--set eval.every_epochs: a study sets it to 1"),
    (["--accuracy", "0.5", "--weak"], "unrecognized arguments: --weak")])  # fmt: skip
def test_nonsense_is_refused(words, pattern):
    refused(scaling("points.toml", "--time-to-accuracy", *words), 2, re.escape(pattern))


def test_data_without_classes_are_refused():
    write("values.toml", '[data]\ndataset = "function"\nn = 64\n[model]\nhidden = [4]\nloss = "mse"\n[train]\nbatch_size = 16\n')
    words = ["values.toml", "--time-to-accuracy", "--accuracy", "0.5", "--batches", 16, "--epochs", 1, "--out", "values"]
    refused(scaling(*words), 2, "values.toml: has no accuracy of test samples, expected classes and test samples")
