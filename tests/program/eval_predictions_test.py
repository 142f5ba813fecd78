"""What lockstep eval predicts of the samples of CSV files, whether their targets and the run's data are there or not."""

from pathlib import Path

import pytest
from harness.evaluation import evaluate, expect_refusal, expect_the_same_from_three_ranks, train
from harness.files import header, read, read_csv, write, write_planar_config
from harness.process import ALONE, three_ranks_if_long

NEW = "shape,x\nflat,0.1\nround,?\nround,1.2\nflat,2.3\n"  # the rows of test.csv, without their targets


@pytest.fixture(autouse=True)
def three_classes(folder):
    """Rows of three classes, a column of categories and one that is not used; some cells are missing."""
    xs = ["" if i == 7 else f"{i % 3}.{i % 7}" for i in range(36)]
    rows = [f"{i},{x},{'flat' if i % 2 else 'round'},{i % 3 + 1}\n" for i, x in enumerate(xs)]
    write("data.csv", "id,x,shape,kind\n" + "".join(rows))
    write("test.csv", "id,x,shape,kind\n1,0.1,flat,1\n2,,round,2\n3,1.2,round,2\n\n4,2.3,flat,3\n")
    write("run.toml", """seed = 1
[data]
dataset = "csv"
file = "data.csv"
test_file = "test.csv"
ignore = "id"
missing = "drop"
normalize = "mean_std"
shards = 3
[model]
hidden = [8]
activation = "tanh"
[train]
epochs = 60
batch_size = 12
learning_rate = 0.3
""")


def column(rows, name):
    return [row[name] for row in rows]


def test_predictions_have_the_rows_and_the_classes_of_the_file():
    train()
    expect_the_same_from_three_ranks(["--predictions", "--confusion"], ["predictions.csv", "confusion.csv"])
    assert header("1/predictions.csv") == "row,actual,predicted,p_1,p_2,p_3,o0,o1,o2"
    rows = read_csv("1/predictions.csv")
    assert column(rows, "row") == ["1", "3", "4"]  # the second has a missing cell
    assert column(rows, "actual") == ["1", "2", "3"]
    assert column(rows, "predicted") == ["1", "2", "3"]
    assert header("1/confusion.csv") == "actual,1,2,3"


def test_predictions_of_a_file_without_targets_are_those_of_the_same_rows():
    train()
    evaluate("--predictions", "--out", "labelled")
    write("new.csv", NEW)
    expect_the_same_from_three_ranks(["--predictions-of", "new.csv"], ["predictions.csv"])
    assert header("1/predictions.csv") == "row,predicted,p_1,p_2,p_3,o0,o1,o2"
    known = [{name: value for name, value in row.items() if name != "actual"} for row in read_csv("labelled/predictions.csv")]
    assert read_csv("1/predictions.csv") == known


def test_predictions_need_no_training_data():
    """The model knows its columns, categories, classes and scales."""
    train()
    write("new.csv", NEW)
    evaluate("--predictions-of", "new.csv", "--out", "before")
    Path("data.csv").unlink()
    Path("test.csv").unlink()
    for ranks in (ALONE, 3):
        said = evaluate("--predictions-of", "new.csv", "--out", "after", "--set", "data.test_file=", ranks=ranks)
        assert "data.csv is not there: only new.csv is evaluated\n" in said
        assert read("after/predictions.csv") == read("before/predictions.csv")


@three_ranks_if_long
@pytest.mark.parametrize("words, code, says", [
    ("--predictions-of other.csv", 3, 'other.csv:1: has no column "x", expected the columns of '),
    ("--predictions-of gone.csv", 3, "gone.csv: cannot be read: No such file or directory"),
    ("--predictions-of other.csv --predictions", 2,
     "--predictions and --predictions-of are both set, expected one of them: both write predictions.csv"),
])
def test_predictions_that_cannot_be_made_are_refused(words, code, says, ranks):
    train()
    write("other.csv", "shape,y\nflat,0.1\n")
    expect_refusal(words.split(), code, says, ranks)


@three_ranks_if_long
def test_predictions_of_a_file_by_a_network_of_no_file_are_refused(ranks):
    write_planar_config()
    train()
    expect_refusal(["--predictions-of", "other.csv"], 2, "--predictions-of other.csv: the network is of the data set circle, "
                   'expected one of CSV files (data.dataset = "csv")', ranks)


def test_predictions_of_scaled_targets_are_in_the_units_of_the_file():
    """Values of thousands: trained on in deviations, reported in the units of the file."""
    write("data.csv", "x,y\n" + "".join(f"{i * 0.05:f},{5000 + 300 * i}\n" for i in range(40)))
    write("run.toml", """seed = 1
[data]
dataset = "csv"
file = "data.csv"
task = "regression"
target_scale = "mean_std"
test_fraction = 0.25
normalize = "mean_std"
shards = 3
[model]
hidden = []
loss = "mse"
[train]
epochs = 4
batch_size = 15
learning_rate = 0.1
[log]
steps = true
""")
    train()
    expect_the_same_from_three_ranks(["--predictions", "--grid"], ["predictions.csv", "grid.csv", "points.csv"])
    rows = [{name: float(value) for name, value in row.items()} for row in read_csv("1/predictions.csv")]
    assert len(rows) == 10
    assert [row["actual"] for row in rows] == [5000 + 300 * (row["row"] - 1) for row in rows]
    metrics = read_csv("out/metrics.csv")
    loss = float(metrics[3]["test_loss"])
    assert loss > 1
    assert loss == pytest.approx(sum((row["predicted"] - row["actual"]) ** 2 for row in rows) / 10, rel=1e-4)
    assert float(read_csv("out/steps.csv")[0]["loss"]) > 1e6  # of the first step: about the variance of the values
    assert float(metrics[0]["train_loss"]) > 1e5


def test_predictions_of_a_test_file_need_no_training_data_that_were_divided():
    """The run divides its training file in every way that there is; none of that is of the test file."""
    train("data.test_file=", "data.test_fraction=0.2", "data.folds=2", "data.stratify=true", "data.train_samples=12")
    Path("data.csv").unlink()
    for ranks in (ALONE, 3):
        said = evaluate("--set", "data.test_file=test.csv", "--predictions", ranks=ranks)
        assert "data.csv is not there: only test.csv is evaluated\n" in said
        assert len(read_csv("out/predictions.csv")) == 3


def test_predictions_of_new_samples_need_none_of_the_runs_files():
    train()
    write("new.csv", "shape,x\nflat,0.1\nround,2.2\n")
    evaluate("--predictions-of", "new.csv", "--out", "before")
    for gone, says in (("test.csv", "data.csv and new.csv are evaluated\n"),
                       ("data.csv", "test.csv are not there: only new.csv is evaluated\n")):
        Path(gone).unlink()
        for ranks in (ALONE, 3):
            assert says in evaluate("--predictions-of", "new.csv", "--out", "after", ranks=ranks)
            assert read("after/predictions.csv") == read("before/predictions.csv")
    for flag in ("--grid", "--confusion"):
        refused = expect_refusal(["--predictions-of", "new.csv", flag, "--out", "none"], 2, f"{flag}: ")
        assert "expected the data of the run" in refused.err
        assert not Path("none").exists()
