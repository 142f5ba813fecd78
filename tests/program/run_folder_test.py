"""What a run leaves behind: the files that scripts read. Alone and on three ranks."""

import math
import os
import re
import socket
from pathlib import Path

import pytest
from harness.build import VERSION
from harness.files import header, read_csv, read_safetensors, summary_of, weights_hash, write_small_config, xxh3, zero_tensors
from harness.process import ALONE, execute, settings, succeed, three_ranks_if_long, words_of

EPOCHS, STEPS, SAMPLES = 2, 14, 403  # of run.toml
COLUMNS = "epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,samples_per_second"
# Keys of the resolved configuration.
KEYS = """data.dataset data.shards data.shuffle data.normalize data.train_samples data.test_samples model.init model.loss train.epochs
    train.batch_size train.momentum train.nesterov train.l2 train.schedule train.init_from reduce.mode compute.threads log.steps""".split()


@pytest.fixture(autouse=True)
def small_config(folder):
    write_small_config()


def train(ranks, *keys, more=()):
    succeed("train", "run.toml", "--out", "out", "--quiet", *settings(*keys), *more, ranks=ranks)


def significant_digits(number):
    """Digits from the first that is not 0, as in "0.01230" (4) or "1.5e-3" (2)."""
    return len(re.sub("[^0-9]", "", number.partition("e")[0]).lstrip("0"))


def test_metrics_have_a_row_per_epoch(ranks):
    train(ranks)
    assert re.match(f"{COLUMNS}(,|$)", header("out/metrics.csv"))
    metrics = read_csv("out/metrics.csv")
    assert [row["epoch"] for row in metrics] == ["1", "2"]
    for row in metrics:
        for loss in ("train_loss", "test_loss"):
            assert significant_digits(row[loss]) >= 9, row[loss]
        # Accuracies are fractions of 403 and 150 samples, so whole numbers of samples.
        for column, samples in (("train_accuracy", SAMPLES), ("test_accuracy", 150)):
            correct = float(row[column]) * samples
            assert correct == pytest.approx(round(correct), rel=0, abs=1e-4), column
            assert 0 <= correct <= samples
        assert float(row["learning_rate"]) == 0.05
        assert float(row["samples_per_second"]) > 0


def test_steps_have_a_row_per_step_and_add_up_to_the_epoch(ranks):
    train(ranks, "log.steps=true", "train.l2=0.001")
    assert header("out/steps.csv") == "step,epoch,samples,loss,weights_hash"
    steps = read_csv("out/steps.csv")
    per_epoch = STEPS // EPOCHS
    assert [(int(row["step"]), int(row["epoch"])) for row in steps] == [(i + 1, i // per_epoch + 1) for i in range(STEPS)]
    for row in steps:
        assert significant_digits(row["loss"]) >= 9
        assert re.fullmatch("[0-9a-f]{16}", row["weights_hash"])
    for row, before in zip(steps[1:], steps):
        assert row["weights_hash"] != before["weights_hash"]
    for epoch, metrics in enumerate(read_csv("out/metrics.csv")):
        rows = steps[epoch * per_epoch:(epoch + 1) * per_epoch]
        assert sum(int(row["samples"]) for row in rows) == SAMPLES
        mean = math.fsum(int(row["samples"]) * float(row["loss"]) for row in rows) / SAMPLES
        assert mean == pytest.approx(float(metrics["train_loss"]), rel=1e-8)
    assert steps[-1]["weights_hash"] == weights_hash("out")


def test_summary_tells_the_whole_run(ranks):
    threads = 2 if ranks == ALONE else 1
    train(ranks, f"compute.threads={threads}", "train.learning_rate=0.03")
    summary, last = summary_of("out"), read_csv("out/metrics.csv")[-1]
    for key in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
        assert summary[key] == pytest.approx(float(last[key]), rel=0, abs=1e-8), key
    assert re.fullmatch("[0-9a-f]{16}", summary["weights_hash"])
    assert summary["ranks"] == max(ranks, 1)
    assert (summary["threads"], summary["train_samples"]) == (threads, SAMPLES)
    provenance, config = summary["provenance"], summary["config"]
    for key in ("version", "compiler", "flags", "blis_version", "kernel_family", "mpi"):
        assert provenance[key] != "", key
    assert provenance["version"] == VERSION
    assert config["seed"] == 3  # from the file
    assert config["train"]["learning_rate"] == 0.03  # from --set
    assert config["model"]["activation"] == "sigmoid"  # by default
    assert config["model"]["hidden"] == [8]
    assert [key for key in KEYS if key.split(".")[1] not in config[key.split(".")[0]]] == []


def test_summary_has_each_ranks_host_and_the_cores_it_may_run_on(ranks):
    core = max(os.sched_getaffinity(0))
    job = words_of(["train", "run.toml", "--out", "out", "--quiet"], ranks)
    outcome = execute(["taskset", "--cpu-list", core, *job])
    assert outcome.code == 0, outcome
    assert summary_of("out")["placement"] == max(ranks, 1) * [f"{socket.gethostname()}: {core}"]


@three_ranks_if_long
def test_model_has_pytorchs_names_and_shapes_and_the_hash_of_its_bytes(ranks):
    train(ranks, "model.hidden=[8,5]")
    model = read_safetensors("out/model.safetensors")
    del model.header["__metadata__"]
    expected = zero_tensors(3072, 8, 5, 10)  # whose tensors lie in the arena's order
    assert model.header == expected.header
    assert len(model.data) == len(expected.data)
    assert xxh3(model.data) == weights_hash("out")


@three_ranks_if_long
def test_the_folder_is_the_next_runs_alone_after_it(ranks):
    train(ranks, "log.steps=true")
    first = weights_hash("out")
    train(ranks, "train.epochs=1", more=["--overwrite"])
    assert weights_hash("out") != first
    assert len(read_csv("out/metrics.csv")) == 1
    assert not Path("out/steps.csv").exists()
    assert [name for name in os.listdir("out") if ".tmp" in name] == []


@three_ranks_if_long
def test_the_folder_is_named_after_the_configuration_unless_out_says_otherwise(ranks):
    succeed("train", "run.toml", ranks=ranks)
    assert Path("runs/run/summary.json").exists()
