"""Weights that were saved are the weights that were trained: evaluation and further training start from them. And a run that is
started again is the same run."""

import re

import pytest
from harness.files import read, read_csv, summary_of, weights_hash, write_small_config
from harness.process import settings, succeed, three_ranks_if_long


class Runs:
    """Training and evaluation on so many ranks."""

    def __init__(self, ranks):
        self.ranks = ranks

    def train(self, name, *keys, config="run.toml"):
        """Trains into the folder `name`."""
        succeed("train", config, "--out", name, "--quiet", *settings("log.steps=true", *keys), ranks=self.ranks)

    def scores(self, *arguments):
        """Of eval: train loss, test loss, test accuracy."""
        said = succeed("eval", *arguments, ranks=self.ranks).out
        found = re.fullmatch("train +loss ([0-9.]+) +accuracy .*\ntest +loss ([0-9.]+) +accuracy ([0-9.]+) .*\n", said)
        assert found, said
        return [float(part) for part in found.groups()]


@pytest.fixture
def runs(ranks):
    write_small_config()
    return Runs(ranks)


def test_weights_score_in_evaluation_as_in_the_last_row(runs):
    runs.train("out", "train.l2=0.01")
    last = read_csv("out/metrics.csv")[1]
    for way in (["out"], ["run.toml", *settings("train.l2=0.01"), "--model", "out/model.safetensors"]):
        _, test_loss, test_accuracy = runs.scores(*way)
        assert float(last["test_loss"]) == pytest.approx(test_loss, rel=1e-6)
        assert float(last["test_accuracy"]) == pytest.approx(test_accuracy, abs=1e-8, rel=0)


def test_weights_have_their_evaluations_loss_in_the_first_step_of_further_training(runs):
    runs.train("first", "train.l2=0.01")
    train_loss, *_ = runs.scores("first")
    runs.train("second", "train.l2=0.01", "train.batch_size=408", "train.init_from=first/model.safetensors")
    step = read_csv("second/steps.csv")[0]
    assert step["samples"] == "403"
    assert float(step["loss"]) == pytest.approx(train_loss, rel=1e-6)


@three_ranks_if_long
def test_weights_of_two_epochs_are_those_of_one_and_another_from_there(runs):
    # Momentum, the order of samples and the exact mode's scales have a history that a weight file does not tell.
    plain = ("data.shuffle=none", "train.momentum=0", "reduce.mode=float")
    runs.train("both", *plain)
    runs.train("first", "train.epochs=1", *plain)
    runs.train("second", "train.epochs=1", "train.init_from=first/model.safetensors", *plain)
    assert weights_hash("first") != weights_hash("both")
    assert weights_hash("second") == weights_hash("both")


@three_ranks_if_long
def test_weights_are_the_same_from_the_same_command_and_others_from_another_seed(runs):
    runs.train("first")
    runs.train("second")
    runs.train("third", "seed=4")
    assert read("first/steps.csv") == read("second/steps.csv")
    assert weights_hash("first") == weights_hash("second")
    assert weights_hash("first") != weights_hash("third")


@three_ranks_if_long
def test_weights_are_the_same_from_the_run_folders_configuration(runs):
    start = 'a "quoted" \\ folder'
    runs.train(start, "model.hidden=[7,9]")
    runs.train("first", "train.learning_rate=1e-5", "model.hidden=[7,9]", "model.init=normal(0.05)", "train.nesterov=true",
               f"train.init_from={start}/model.safetensors")
    runs.train("second", config="first/config.toml")
    assert weights_hash("first") == weights_hash("second")
    assert summary_of("first")["config"] == summary_of("second")["config"]


@three_ranks_if_long
def test_weights_learn_the_synthetic_set(runs):
    runs.train("out", "train.epochs=5", "data.train_samples=2000")
    metrics = read_csv("out/metrics.csv")
    assert float(metrics[4]["train_loss"]) < 0.7 * float(metrics[0]["train_loss"])
    assert float(metrics[4]["test_accuracy"]) > 0.5  # chance: 0.1
