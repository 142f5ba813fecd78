"""eval.views and eval.every_epochs: what an evaluation sees of an image, and when training evaluates."""

import math
import re

import pytest
from harness.files import read, read_csv, read_json, timeless, weights_hash, write
from harness.process import ALONE, settings, succeed

CONFIG = """seed = 3
[data]
dataset = "synthetic"
train_samples = 128
test_samples = 61
[model]
hidden = [12]
activation = "relu"
[train]
epochs = 5
batch_size = 32
learning_rate = 0.02
[compute]
threads = 1
"""


@pytest.fixture(autouse=True)
def images_config(folder):
    write("run.toml", CONFIG)


def train(out, *keys, ranks=ALONE, more=()):
    succeed("train", "run.toml", "--quiet", "--out", out, *more, *settings(*keys), ranks=ranks)
    return out


def metrics(out):
    return read_csv(f"{out}/metrics.csv")


def evaluated(out):
    return [int(row["epoch"]) for row in metrics(out) if not math.isnan(float(row["test_loss"]))]


def test_views_change_what_is_tested_and_nothing_that_is_trained():
    runs = [train(views, f"eval.views={views}") for views in ("one", "flip", "shifts")]
    assert len({weights_hash(run) for run in runs}) == 1
    assert len({read_json(f"{run}/summary.json")["test_loss"] for run in runs}) == 3
    assert len({row["train_loss"] for run in runs for row in metrics(run)[:1]}) == 1


def test_views_are_the_same_on_any_ranks_and_threads_and_in_eval():
    alone = train("alone", "eval.views=shifts")
    for ranks, threads in ((3, 2), (8, 1)):
        out = train(f"on{ranks}", "eval.views=shifts", f"compute.threads={threads}", ranks=ranks)
        assert timeless(metrics(out)) == timeless(metrics(alone))
    summary = read_json("alone/summary.json")
    for ranks in (ALONE, 3):
        out = succeed("eval", "alone", "--predictions", "--confusion", "--out", f"tables{ranks}", ranks=ranks).out
        assert float(re.search("^test +loss ([^ ]+) ", out, re.MULTILINE)[1]) == pytest.approx(summary["test_loss"], abs=1e-8)
    for table in ("predictions.csv", "confusion.csv"):
        assert read(f"tables{ALONE}/{table}") == read(f"tables3/{table}")


def test_predictions_are_of_the_mean_outputs():
    train("run")
    rows = {}
    for views in ("one", "flip"):
        succeed("eval", "run", "--predictions", "--out", views, *settings(f"eval.views={views}"))
        rows[views] = read_csv(f"{views}/predictions.csv")
    assert [row["o0"] for row in rows["one"]] != [row["o0"] for row in rows["flip"]]
    for row in rows["flip"]:
        outputs = [float(row[f"o{c}"]) for c in range(10)]
        total = sum(map(math.exp, outputs))
        probabilities = [float(value) for name, value in row.items() if name.startswith("p_")]
        assert probabilities == pytest.approx([math.exp(output) / total for output in outputs], rel=1e-4, abs=1e-6)


def test_training_evaluates_after_some_epochs_and_after_the_last():
    every, whole = train("every", "eval.every_epochs=2"), train("whole")
    assert evaluated(every) == [2, 4, 5]
    assert weights_hash(every) == weights_hash(whole)
    for one, other in zip(metrics(every), metrics(whole)):
        columns = ["epoch", "train_loss", "train_accuracy"]
        columns += ["test_loss", "test_accuracy"] * (int(one["epoch"]) in evaluated(every))
        assert [one[name] for name in columns] == [other[name] for name in columns]
    assert read_json("every/summary.json")["test_loss"] == read_json("whole/summary.json")["test_loss"]


def test_it_resumes_with_the_same_rows():
    whole = train("whole", "eval.every_epochs=2", "checkpoint.every_epochs=1", "checkpoint.keep=9", ranks=2)
    for epoch in (1, 2):
        out = train(f"from{epoch}", "eval.every_epochs=2", more=["--resume", f"whole/checkpoints/step-{4 * epoch:09}.safetensors"])
        assert timeless(metrics(out)) == timeless(metrics(whole))


def test_patience_waits_for_an_evaluation():
    """Patience of one epoch, but every third is evaluated: the first of these that is no better ends the run."""
    train("run", "train.epochs=60", "train.patience=1", "train.monitor=test_accuracy", "eval.every_epochs=3")
    epochs, summary = evaluated("run"), read_json("run/summary.json")
    found = [float(metrics("run")[epoch - 1]["test_accuracy"]) for epoch in epochs]
    assert epochs == list(range(3, epochs[-1] + 1, 3)) and len(metrics("run")) == epochs[-1] < 60
    assert found[-1] <= found[-2] and all(one < other for one, other in zip(found[:-1], found[1:-1]))
    assert (summary["best_epoch"], summary["weights_of"]) == (epochs[-2], "best")
    assert summary["test_accuracy"] == pytest.approx(found[-2], abs=1e-8)


def test_the_best_epoch_by_a_training_score_is_evaluated():
    train("run", "train.epochs=7", "train.patience=2", "train.monitor=train_loss", "eval.every_epochs=50")
    summary = read_json("run/summary.json")
    assert summary["best_epoch"] in evaluated("run")
    assert summary["test_loss"] == pytest.approx(float(metrics("run")[summary["best_epoch"] - 1]["test_loss"]), rel=1e-6)


def test_the_clock_ends_training_with_an_evaluation():
    train("run", "eval.every_epochs=3", "train.max_seconds=1e-9", "train.batch_size=128")
    assert evaluated("run") == [1]
