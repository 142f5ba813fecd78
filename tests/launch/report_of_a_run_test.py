"""launch/report on runs of the built program: images, points in the plane and a function, with pictures that lockstep eval makes
for it."""

import re
from pathlib import Path

import pytest
from harness.build import PROGRAM, REPOSITORY
from harness.files import read_csv, weights_hash, write
from harness.process import settings
from scripts import LAUNCH, run, succeeded


@pytest.fixture(autouse=True)
def program(monkeypatch):
    monkeypatch.setenv("LOCKSTEP", PROGRAM)


def train(name, *keys):
    """A run of a second or less."""
    write("empty.toml", "")
    succeeded(run(PROGRAM, "train", "empty.toml", "--quiet", "--out", name, *settings(*keys)))


def page(outcome, name):
    """The text of the page that launch/report made."""
    succeeded(outcome, rf"(^|\s)launch/report: {re.escape(name)}\n$")
    return succeeded(run(REPOSITORY / "tests/launch/lockstep_launch/read_page.py", name)).out


def test_runs_on_images_are_compared():
    images = ["data.dataset=synthetic", "data.train_samples=400", "data.test_samples=150", "model.hidden=[70]", "train.epochs=2"]
    train("one_thread", *images, "compute.threads=1", "log.gradients=true")
    train("two_threads", *images, "compute.threads=2")
    train("other_seed", *images, "seed=2")
    before = sorted(Path().glob("*/**"))
    text = page(run(LAUNCH / "report", "one_thread", "two_threads", "other_seed", "-o", "images.html"), "images.html")
    assert sorted(Path().glob("*/**")) == before, "the runs' folders are as they were"
    accuracy = float(read_csv("one_thread/metrics.csv")[-1]["test_accuracy"])
    for words in ("one_thread and two_threads ended with the same weights, bit for bit. other_seed did not.",
                  weights_hash("one_thread"), weights_hash("other_seed"), "Confusion matrix of one_thread",
                  "Confusion matrix of other_seed", "First-layer weights of other_seed", "64 of 70 units",
                  "Gradient norms over the epochs of one_thread", "compute: ", "compute.threads", f"{100 * accuracy:.2f}"):
        assert words in text
    assert "weights of two_threads" not in text, "equal pictures are there once"


def test_a_plane_is_drawn_in_the_colours_of_its_classes():
    train("plane", "data.dataset=spiral", "train.epochs=2", "data.shards=4")
    train("function", "data.dataset=function", "model.loss=mse", "train.epochs=2")
    text = page(run(LAUNCH / "report", "plane", "function", "-o", "numbers.html"), "numbers.html")
    for words in ("The plane in the colours of the classes that plane sees", "Confusion matrix of plane",
                  "The output of function over its input", "Largest distance from the target: "):
        assert words in text
    assert "What is not here" not in text, "nothing is missing"


def test_tables_that_are_there_are_drawn_without_the_program():
    train("plane", "data.dataset=spiral", "train.epochs=2", "data.shards=4")
    succeeded(run(PROGRAM, "eval", "plane", "--grid", "--confusion"))
    text = page(run(LAUNCH / "report", "plane", LOCKSTEP="/nowhere"), "plane/report.html")
    assert "The plane in the colours of the classes that plane sees" in text
