"""Runs of every kind of data set, with and without a test set, and the tables of their gradients."""

import math

import pytest
from harness.files import header, read_csv, summary_of, weights_hash, write, write_planar_config
from harness.process import ALONE, settings, succeed, three_ranks_if_long

ALL = {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}


@pytest.fixture(autouse=True)
def planar_config(folder):
    write_planar_config()


def train(*keys, ranks=ALONE):
    """Returns what it says."""
    return succeed("train", "run.toml", "--out", "out", "--overwrite", *settings(*keys), ranks=ranks).out


def columns_with_numbers():
    """Those of the scores that are numbers in each of four epochs; the others are nan in each, and null in the summary."""
    rows, summary = read_csv("out/metrics.csv"), summary_of("out")
    assert len(rows) == 4
    numbers = {column for column in ALL if all(math.isfinite(float(row[column])) for row in rows)}
    assert all(row[column] == "nan" for row in rows for column in ALL - numbers)
    assert {column for column in ALL if summary[column] is not None} == numbers
    return numbers


def test_a_run_without_a_test_set_has_no_test_columns(ranks):
    said = train("data.test_fraction=0", ranks=ranks)
    assert "60 training samples in 4 shards" in said
    assert "; 0 test samples\n" in said
    assert "nan" not in said
    assert columns_with_numbers() == {"train_loss", "train_accuracy"}


@three_ranks_if_long
def test_a_run_with_l2_and_no_test_set_has_no_test_columns_either(ranks):
    train("data.test_fraction=0", "train.l2=0.01", ranks=ranks)
    assert columns_with_numbers() == {"train_loss", "train_accuracy"}


def test_smoothed_labels_and_weight_decay_are_not_in_the_losses_of_evaluation(ranks):
    """With a learning rate that moves nothing, both losses are those of the initial weights."""
    still = ["train.learning_rate=1e-30", "model.loss=cross_entropy"]
    train(*still, ranks=ranks)
    plain = summary_of("out")
    train(*still, "train.label_smoothing=0.2", "train.weight_decay=0.5", ranks=ranks)
    smoothed = summary_of("out")
    assert smoothed["test_loss"] == plain["test_loss"]
    assert smoothed["train_loss"] != plain["train_loss"]
    train(*still, "train.weight_decay=0.5", ranks=ranks)
    assert summary_of("out")["train_loss"] == plain["train_loss"]


def test_a_run_of_regression_has_no_accuracies(ranks):
    assert "nan" not in train("data.dataset=function", "model.loss=mse", ranks=ranks)
    assert columns_with_numbers() == {"train_loss", "test_loss"}


def test_a_run_of_a_csv_file_names_its_classes(ranks):
    kinds = ["oak" if i % 5 > 1 else '"ash, old"' for i in range(30)]
    write("trees.csv", "width,kind,height\n" + "".join(f"{i % 5},{kind},{i % 7}\n" for i, kind in enumerate(kinds)))
    write("run.toml", """seed = 1
[data]
dataset = "csv"
file = "trees.csv"
target = "kind"
test_fraction = 0.2
[model]
hidden = [4]
[train]
epochs = 4
batch_size = 8
""")
    assert "trees.csv: labels ash, old, oak are classes 0 to 1\n" in train(ranks=ranks)
    assert columns_with_numbers() == ALL
    succeed("eval", "out", "--confusion", ranks=ranks)
    assert header("out/confusion.csv") == 'actual,"ash, old",oak'


@three_ranks_if_long
def test_a_run_of_a_csv_file_with_a_test_file_of_its_own_tests_on_that(ranks):
    write("train.csv", "1,2,0.5\n3,4,1.5\n5,7,2.5\n2,2,1\n")
    write("test.csv", "1,2,0.25\n")
    write("run.toml", '[data]\ndataset = "csv"\nfile = "train.csv"\ntest_file = "test.csv"\ntask = "regression"\nshards = 4\n'
          '[model]\nloss = "mse"\n[train]\nepochs = 4\nbatch_size = 4\n')
    assert "; 1 test samples\n" in train(ranks=ranks)
    assert columns_with_numbers() == {"train_loss", "test_loss"}


@three_ranks_if_long
@pytest.mark.parametrize("fold, samples", [(0, 29), (4, 28)])
def test_a_run_of_a_fold_trains_on_the_others(fold, samples, ranks):
    assert f"{samples} training samples in 4 shards" in train("data.folds=5", f"data.fold={fold}", ranks=ranks)


@three_ranks_if_long
def test_a_run_sets_a_key_of_one_layer(ranks):
    write_planar_config(model='[[model.layers]]\nunits = 9\n[[model.layers]]\ntype = "tanh"\n[[model.layers]]\ntype = "dense"\n')
    said = train("model.layers.0.units=5", "model.layers.1.type=relu", ranks=ranks)
    assert "Dense 2 -> 5 " in said
    assert "\nrelu " in said
    assert summary_of("out")["config"]["model"]["layers"][0]["units"] == 5
    succeed("train", "out/config.toml", "--quiet", "--out", "again", ranks=ranks)  # config.toml repeats the run
    assert weights_hash("again") == weights_hash("out")


@three_ranks_if_long
def test_a_run_logs_a_norm_of_each_tensors_gradient_per_epoch(ranks):
    train("log.gradients=true", "model.hidden=[5,4]", ranks=ranks)
    tensors = [f"layers.{layer}.{kind}" for layer in range(3) for kind in ("weight", "bias")]
    assert header("out/gradients.csv") == ",".join(["epoch", *tensors])
    rows = read_csv("out/gradients.csv")
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert all(float(row[tensor]) > 0 for row in rows for tensor in tensors)


@three_ranks_if_long
def test_a_run_logs_gradients_that_vanish_in_a_deep_network_of_sigmoids(ranks):
    """Each sigmoid's slope is at most 1/4."""
    ratio = {}
    for activation in ("sigmoid", "tanh"):
        train("log.gradients=true", "model.hidden=[8,8,8,8,8,8]", "train.momentum=0", f"model.activation={activation}", ranks=ranks)
        first = read_csv("out/gradients.csv")[0]
        ratio[activation] = float(first["layers.0.weight"]) / float(first["layers.6.weight"])
    assert ratio["sigmoid"] < 1e-3
    assert ratio["tanh"] > 1e-1


def test_activations_are_a_table_of_each_and_its_slope():
    table = succeed("activations").out
    assert succeed("activations", ranks=3).out == table  # once, not once per rank
    write("table.csv", table)
    rows = read_csv("table.csv")
    assert len(rows) == 401
    for i, row in enumerate(rows):
        row = {name: float(value) for name, value in row.items()}
        x = row["x"]
        s = 1 / (1 + math.exp(-x))
        assert x == pytest.approx(-4 + 0.02 * i, abs=1e-5, rel=0)
        assert row["sigmoid"] == pytest.approx(s, abs=2e-6, rel=0)
        assert row["sigmoid_slope"] == pytest.approx(s * (1 - s), abs=2e-6, rel=0)
        assert row["tanh"] == pytest.approx(math.tanh(x), abs=2e-6, rel=0)
        assert row["relu"] == pytest.approx(max(x, 0), abs=1e-5, rel=0)
        assert row["identity_slope"] == 1
