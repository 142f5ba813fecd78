"""Runs that stop by themselves: early, by the clock; and which checkpoints they leave."""

import json
import shutil
from pathlib import Path

import pytest
from harness.files import read_csv, read_safetensors, summary_of, weights_hash, write_safetensors, xxh3
from harness.points import (EPOCHS, ONE_PROCESS, STEPS_PER_EPOCH, THREE_RANKS, Layout, best_epoch, checkpoint, difference, finish,
                            newest_step, steps_kept, train, write_points_config)

EARLY = ["train.patience=2", "train.monitor=test_accuracy"]


@pytest.fixture(autouse=True)
def config(folder):
    write_points_config()


def epoch_of_best_checkpoint(out):
    state = json.loads(read_safetensors(f"{out}/checkpoints/best.safetensors").header["__metadata__"]["state"])
    epoch, rest = divmod(state["step"], STEPS_PER_EPOCH)
    assert rest == 0
    return epoch


def metrics_of(out):
    return read_csv(f"{out}/metrics.csv")


def test_the_best_is_the_epoch_of_the_lowest_test_loss():
    finish("out")
    lowest = best_epoch(metrics_of("out"), "test_loss")
    assert lowest < EPOCHS, "so that it is not simply the last"
    assert epoch_of_best_checkpoint("out") == lowest


@pytest.mark.parametrize("monitor", ["test_accuracy", "train_accuracy", "test_loss", "train_loss"])
def test_the_best_is_of_what_the_configuration_monitors(monitor):
    finish("out", f"train.monitor={monitor}")
    assert epoch_of_best_checkpoint("out") == best_epoch(metrics_of("out"), monitor)


def test_the_best_has_the_weights_of_its_epoch():
    finish("out")
    epoch = epoch_of_best_checkpoint("out")
    finish("short", f"train.epochs={epoch}", "--resume", "out/checkpoints/best.safetensors")
    assert weights_hash("short") == read_csv("out/steps.csv")[epoch * STEPS_PER_EPOCH - 1]["weights_hash"]


def test_three_ranks_and_one_stop_at_the_same_epoch_without_improvement():
    finish("one", *EARLY)
    finish("three", *EARLY, layout=THREE_RANKS)
    assert difference("one", "three") is None
    metrics = metrics_of("three")
    assert len(metrics) < EPOCHS
    assert len(metrics) == best_epoch(metrics, "test_accuracy") + 2
    assert checkpoint("three", len(metrics) * STEPS_PER_EPOCH).exists()


def hash_of(model):
    """Of the floats in a model's file: its tensors lie in the arena's order."""
    return xxh3(read_safetensors(model).data)


@pytest.mark.parametrize("layout", [ONE_PROCESS, THREE_RANKS], ids=["one_process", "three_ranks"])
def test_they_leave_the_best_epochs_weights_as_the_model_and_the_last_beside(layout):
    """Even if no checkpoint was due at the best epoch; and after a kill, from the checkpoint of that epoch."""
    keys = [*EARLY, "checkpoint.every_epochs=0", "checkpoint.every_steps=0"]
    finish("out", *keys, layout=layout)
    metrics, steps, summary = metrics_of("out"), read_csv("out/steps.csv"), summary_of("out")
    best, done = best_epoch(metrics, "test_accuracy"), len(metrics)

    def hash_after(epoch):
        return steps[epoch * STEPS_PER_EPOCH - 1]["weights_hash"]

    assert done == best + 2
    assert (summary["best_epoch"], summary["epochs"], summary["weights_of"]) == (best, done, "best")
    assert summary["weights_hash"] == hash_after(best)
    assert summary["test_loss"] == pytest.approx(float(metrics[best - 1]["test_loss"]), rel=0, abs=1e-8)
    assert hash_of("out/model.safetensors") == hash_after(best)
    assert hash_of("out/last.safetensors") == hash_after(done)
    # What a resumed run says of the best is what a run in one go says.
    Path("out/model.safetensors").unlink()
    finish("out", *keys, "--resume", "latest", layout=layout)
    assert hash_of("out/model.safetensors") == hash_after(best)


def test_the_best_epochs_metrics_are_those_of_metrics_where_the_checkpoint_kept_none():
    """As version 0.1 wrote it: without the best epoch's row, which metrics.csv has."""
    finish("out", *EARLY)
    best, before = best_epoch(metrics_of("out"), "test_accuracy"), summary_of("out")
    newest = checkpoint("out", newest_step("out"))
    tensors = read_safetensors(newest)
    kept = tensors.header["__metadata__"]
    record = json.loads(kept["run"])
    del record["best_row"]
    kept["run"] = json.dumps(record)
    kept["checksum"] = 16 * "0"
    write_safetensors(newest, tensors)
    content = newest.read_bytes()
    newest.write_bytes(content.replace(b'"' + 16 * b"0" + b'"', f'"{xxh3(content)}"'.encode(), 1))
    finish("out", *EARLY, "--resume", "latest")
    after = summary_of("out")
    assert after["best_epoch"] == best
    for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
        assert after[name] == pytest.approx(before[name], rel=0, abs=1e-8), name


def test_without_patience_the_model_is_the_last_epochs():
    finish("out", "train.epochs=3")
    assert summary_of("out")["weights_of"] == "last"
    assert not Path("out/last.safetensors").exists()


def test_it_warns_where_the_best_epochs_weights_are_gone():
    keys = ["train.patience=5", "train.monitor=test_accuracy"]
    finish("whole", *keys)
    best = best_epoch(metrics_of("whole"), "test_accuracy")
    finish("out", *keys, f"train.epochs={best + 1}")
    Path("out/checkpoints/best.safetensors").unlink()
    outcome = train("out", *keys, "--resume", "latest")
    assert outcome.code == 0
    assert outcome.err.startswith("lockstep: warning: out/checkpoints/best.safetensors does not have"), outcome.err


def test_patience_remembers_the_best_of_before_the_checkpoint():
    finish("whole", *EARLY)
    best = best_epoch(metrics_of("whole"), "test_accuracy")
    for epochs in (best, best + 1):
        shutil.rmtree("out", ignore_errors=True)
        finish("out", *EARLY, f"train.epochs={epochs}")
        finish("out", *EARLY, "--resume", "latest")
        assert difference("whole", "out") is None


def test_three_ranks_and_fewer_go_on_where_their_time_was_over():
    """A time so short that every step is the last, over the ends of epochs."""
    finish("whole")
    steps = read_csv("whole/steps.csv")
    finish("out", "train.max_seconds=1e-9", layout=THREE_RANKS)
    for step in range(1, STEPS_PER_EPOCH + 3):
        assert newest_step("out") == step
        assert weights_hash("out") == steps[step - 1]["weights_hash"]
        finish("out", "train.max_seconds=1e-9", "--resume", "latest", layout=Layout(1 + step % 3))
    finish("out", "--resume", "latest", layout=Layout(2))
    assert difference("whole", "out") is None


def test_it_saves_where_it_stops_even_if_epochs_are_not_saved():
    keys = ["checkpoint.every_steps=0", "checkpoint.every_epochs=0", "train.max_seconds=1e-9"]
    finish("out", *keys)
    for step in range(1, STEPS_PER_EPOCH + 1):
        assert newest_step("out") == step
        finish("out", *keys, "--resume", "latest")


@pytest.mark.parametrize("keys, steps", [
    ("checkpoint.every_steps=0", [7, 14, 21, 28]),
    ("checkpoint.every_steps=10", [7, 10, 14, 20, 21, 28]),
    ("checkpoint.every_steps=7 checkpoint.every_epochs=0", [7, 14, 21, 28]),
    ("checkpoint.every_steps=0 checkpoint.every_epochs=3", [21, 28]),
    ("checkpoint.every_steps=0 checkpoint.every_epochs=0", []),
    ("checkpoint.every_steps=0 checkpoint.keep=2", [21, 28])])
def test_checkpoints_come_as_often_as_the_configuration_says(keys, steps):
    finish("out", "train.epochs=4", "checkpoint.keep=100", *keys.split())
    assert steps_kept("out") == steps
