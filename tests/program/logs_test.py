"""What other programs follow a run by: events.jsonl, --log-format json, TensorBoard's event files."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest
from harness.build import REPOSITORY
from harness.datasets import image_arrays, write_npz
from harness.event_files import curve, read_events
from harness.files import read, read_csv, resize, summary_of, weights_hash, write, write_planar_config, write_small_config
from harness.points import EPOCHS, ONE_PROCESS, STEPS_PER_EPOCH, checkpoint, disturbed, finish, newest_step, train, write_points_config
from harness.process import execute, lockstep, settings, succeed, three_ranks_if_long

BOTH = ("log.json=true", "log.tensorboard=true")


def events_of(folder):
    """All of them; the file must be whole lines."""
    text = read(f"{folder}/events.jsonl")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def kinds(events):
    return [event["event"] for event in events]


def number(cell):
    """A cell of metrics.csv as JSON has it."""
    return None if cell == "nan" else float(cell)


def interrupt(*more):
    """Trains the points into `out` until there are checkpoints of three epochs, and ends the run before it is done."""
    outcome = disturbed("out", *more, layout=ONE_PROCESS, step=3 * STEPS_PER_EPOCH, disturb=lambda ranks: os.kill(ranks[0], signal.SIGINT))
    assert outcome.code == 130, outcome


@three_ranks_if_long
def test_events_tell_a_run_from_start_to_end(ranks):
    write_small_config()
    succeed("train", "run.toml", "--out", "out", "--quiet", *settings("log.json=true"), ranks=ranks)
    events, summary = events_of("out"), summary_of("out")
    assert kinds([event for event in events if event["event"] != "checkpoint"]) == ["start", "epoch", "epoch", "end"]
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"]) for event in events)
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    start, end = events[0], events[-1]
    assert (start["step"], start["epoch"], start["name"], start["out"]) == (0, 0, "run", "out")
    for key in ("ranks", "threads", "train_samples", "parameters", "config"):
        assert start[key] == summary[key], key
    assert (end["step"], end["epoch"], end["reason"], end["weights_hash"]) == (14, 2, "done", summary["weights_hash"])
    epochs = [event for event in events if event["event"] == "epoch"]
    assert [event["step"] for event in epochs] == [7, 14]
    for event, row in zip(epochs, read_csv("out/metrics.csv"), strict=True):
        columns = {name: event[name] for name in event if name not in ("event", "time", "step")}
        assert columns == {name: number(cell) for name, cell in row.items()}
    saved = [event for event in events if event["event"] == "checkpoint"]
    assert [(event["step"], event["epoch"]) for event in saved] == [(7, 1), (14, 2)]
    assert [event["file"] for event in saved] == [f"out/checkpoints/step-{step:09d}.safetensors" for step in (7, 14)]


@three_ranks_if_long
def test_standard_output_is_the_events_alone(ranks):
    write_small_config()
    said = succeed("train", "run.toml", "--out", "out", "--log-format", "json", *settings("log.json=true"), ranks=ranks).out
    assert said == read("out/events.jsonl")
    said = succeed("train", "run.toml", "--out", "other", "--log-format=json", ranks=ranks).out
    assert kinds(map(json.loads, said.splitlines()))[-1] == "end"
    assert not Path("other/events.jsonl").exists()
    assert succeed("train", "run.toml", "--out", "quiet", "--log-format=json", "--quiet", ranks=ranks).out == ""
    assert succeed("train", "run.toml", "--out", "table", "--log-format=text", ranks=ranks).out.startswith("lockstep ")


def test_another_format_is_refused():
    outcome = lockstep("train", "run.toml", "--log-format", "yaml")
    assert (outcome.code, outcome.out) == (2, "")
    assert re.fullmatch("lockstep: train: --log-format: yaml not in .*text.*json.*\n", outcome.err)


def test_logs_change_no_bit():
    write_points_config()
    finish("plain")
    finish("logged", *BOTH)
    assert weights_hash("logged") == weights_hash("plain")
    assert not list(Path("plain").glob("*events*"))


def test_a_run_that_goes_on_has_each_epoch_once():
    """As if it had not been interrupted; the events say that it has."""
    write_points_config()
    interrupt(*BOTH)
    stopped = events_of("out")
    assert kinds(stopped)[-1] == "end" and stopped[-1]["reason"] == "interrupted"
    assert stopped[-1]["step"] == newest_step("out")
    finish("out", *BOTH, "--resume", "latest")
    events = events_of("out")
    assert events[:len(stopped)] == stopped
    assert events[len(stopped)]["event"] == "resume"
    assert events[len(stopped)]["from"].endswith(f"step-{stopped[-1]['step']:09d}.safetensors")
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == list(range(1, EPOCHS + 1))
    points = curve(read_events("out"), "train_loss")
    assert [step for step, _ in points] == [STEPS_PER_EPOCH * epoch for epoch in range(1, EPOCHS + 1)]


def test_a_run_that_goes_on_from_earlier_forgets_what_came_later():
    write_points_config()
    finish("out", *BOTH, "checkpoint.keep=100")
    first = [event for event in events_of("out") if event["step"] <= 2 * STEPS_PER_EPOCH]
    finish("out", *BOTH, "checkpoint.keep=100", "--resume", checkpoint("out", 2 * STEPS_PER_EPOCH))
    events = events_of("out")
    assert events[:len(first) + 1] == [*first, {**events[len(first)], "event": "resume"}]
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == list(range(1, EPOCHS + 1))
    points = curve(read_events("out"), "test_loss")
    assert [step for step, _ in points] == [STEPS_PER_EPOCH * epoch for epoch in range(1, EPOCHS + 1)]


def test_a_run_that_was_killed_leaves_whole_records_before_the_one_under_way():
    write_points_config()
    disturbed("out", *BOTH, layout=ONE_PROCESS, step=2 * STEPS_PER_EPOCH, disturb=lambda ranks: os.kill(ranks[0], signal.SIGKILL))
    assert events_of("out") and read_events("out")  # whole, or these fail
    for file in Path("out").glob("events.*"):
        resize(file, file.stat().st_size - 5)
    finish("out", *BOTH, "--resume", "latest")
    assert [event["epoch"] for event in events_of("out") if event["event"] == "epoch"][-1] == EPOCHS
    assert curve(read_events("out"), "train_loss")[-1][0] == STEPS_PER_EPOCH * EPOCHS


def test_events_have_warnings_and_errors():
    write_points_config()
    finish("out", "train.epochs=2", "checkpoint.keep=5")
    resize(checkpoint("out", newest_step("out")), 100)
    outcome = train("out", "train.epochs=2", "checkpoint.keep=5", "log.json=true", "--resume", "latest")
    assert outcome.code == 0
    resume, warning = events_of("out")[:2]
    assert (resume["event"], warning["event"]) == ("resume", "warning")
    assert outcome.err == f"lockstep: warning: {warning['message']}\n"
    outcome = train("wild", "log.json=true", "train.learning_rate=1e29")
    assert outcome.code == 2
    end = events_of("wild")[-1]
    assert (end["event"], end["reason"], outcome.err) == ("end", "error", f"lockstep: {end['error']}\n")


@pytest.mark.parametrize("settings, reason", [(["train.max_seconds=1e-9"], "max_seconds"),
                                              (["train.patience=1", "train.learning_rate=1e-30"], "patience")])
def test_the_end_says_why(settings, reason):
    write_points_config()
    finish("out", "log.json=true", *settings)
    assert events_of("out")[-1]["reason"] == reason


@three_ranks_if_long
def test_tensorboard_has_curves_of_every_column_and_images_at_the_end(ranks):
    write_small_config()
    more = ["log.tensorboard=true", "log.steps=true", "log.gradients=true", "eval.every_epochs=2"]
    succeed("train", "run.toml", "--out", "out", "--quiet", *settings(*more), ranks=ranks)
    events = read_events("out")
    assert events[0].version == "brain.Event:2"
    assert events[1].starts
    assert [event.time for event in events] == sorted(event.time for event in events)

    def near(points):
        return [(step, pytest.approx(value, rel=1e-6)) for step, value in points]

    rows = read_csv("out/metrics.csv")
    for column in rows[0]:
        assert curve(events, column) == near((7 * (i + 1), float(row[column])) for i, row in enumerate(rows) if row[column] != "nan")
    assert [step for step, _ in curve(events, "test_loss")] == [14]
    assert curve(events, "loss") == near((int(row["step"]), float(row["loss"])) for row in read_csv("out/steps.csv"))
    for i, row in enumerate(read_csv("out/gradients.csv")):
        for tensor in set(row) - {"epoch"}:
            assert curve(events, f"gradients/{tensor}")[i] == near([(7 * (i + 1), float(row[tensor]))])[0]

    images = {tag: (event.step, image) for event in events for tag, image in event.images.items()}
    assert {tag: step for tag, (step, _) in images.items()} == {"weights": 14, "confusion": 14}
    succeed("eval", "out", "--confusion", "--weights", ranks=ranks)
    weights = images["weights"][1]
    assert Path("out/weights.ppm").read_bytes() == b"P6\n%d %d\n255\n" % (weights.width, weights.height) + b"".join(weights.rows)
    confusion = images["confusion"][1]
    side = confusion.width // 10
    for actual, row in enumerate(read_csv("out/confusion.csv")):
        counts = [int(count) for name, count in row.items() if name != "actual"]
        shades = [confusion.rows[side * actual][3 * side * taken] for taken in range(10)]
        assert shades == pytest.approx([255 * (1 - count / max(sum(counts), 1)) for count in counts], abs=0.51, rel=0)


def test_both_have_the_column_that_more_than_10_classes_add():
    write_npz("data.npz", image_arrays())
    write("run.toml", '[data]\ndataset = "numpy"\nfile = "data.npz"\nshards = 4\n[model]\nhidden = []\n[train]\nepochs = 2\nbatch_size = 16\n')
    succeed("train", "run.toml", "--out", "out", "--quiet", *settings(*BOTH, "eval.every_epochs=2"))
    column = [row["test_top5_accuracy"] for row in read_csv("out/metrics.csv")]
    epochs = [event for event in events_of("out") if event["event"] == "epoch"]
    assert column[0] == "nan" and [event["test_top5_accuracy"] for event in epochs] == [number(cell) for cell in column]
    assert curve(read_events("out"), "test_top5_accuracy") == [(epochs[1]["step"], pytest.approx(float(column[1]), rel=1e-6))]


TOLD = """
import contextlib
import json
def told(call, *parameters):
    print(json.dumps([call, *parameters]))
"""
MODULES = {"mlflow": TOLD + """
def start_run(run_name):
    told("start_run", run_name)
    return contextlib.nullcontext()
def log_params(params):
    told("log_params", params)
def log_metrics(metrics, step):
    told("log", metrics, step)
""", "wandb": TOLD + """
class Run:
    def log(self, data, step):
        told("log", data, step)
def init(project, name, config):
    told("init", name, config)
    return contextlib.nullcontext(Run())
"""}


@pytest.mark.parametrize("service", MODULES)
def test_readmes_example_sends_a_run_elsewhere(service):
    """To modules with the names and parameters that it calls: the services themselves are not at hand."""
    blocks = re.findall("^```python\n(.*?)^```$", read(REPOSITORY / "README.md"), re.MULTILINE | re.DOTALL)
    (example,) = [block for block in blocks if f"import {service}" in block]
    write("import_run.py", example)
    write(f"{service}.py", MODULES[service])
    write_planar_config()
    succeed("train", "run.toml", "--out", "out", "--quiet", *settings("log.json=true", "eval.every_epochs=2"))
    outcome = execute([sys.executable, "import_run.py", "out", service])
    assert (outcome.code, outcome.err) == (0, ""), outcome
    calls = [json.loads(line) for line in outcome.out.splitlines()]
    sent = [call[1:] for call in calls if call[0] == "log"]
    for (fields, step), row in zip(sent, read_csv("out/metrics.csv"), strict=True):
        assert step == 5 * int(row["epoch"])
        assert fields == {"step": step, **{name: float(cell) for name, cell in row.items() if cell != "nan"}}
    if service == "mlflow":
        assert calls[0] == ["start_run", "run"]
        assert calls[1][1]["train.epochs"] == 4
    else:
        assert calls[0][:2] == ["init", "run"]
        assert calls[0][2]["train"]["epochs"] == 4


def test_the_next_run_takes_the_place_of_the_logs():
    write_planar_config()
    succeed("train", "run.toml", "--out", "out", "--quiet", *settings(*BOTH))
    succeed("train", "run.toml", "--out", "out", "--quiet", "--overwrite", *settings(*BOTH, "train.epochs=2"))
    assert [event["epoch"] for event in events_of("out") if event["event"] == "epoch"] == [1, 2]
    assert len(curve(read_events("out"), "train_loss")) == 2
    succeed("train", "run.toml", "--out", "out", "--quiet", "--overwrite")
    assert not list(Path("out").glob("*events*"))


def test_a_log_that_cannot_be_written_is_refused():
    write_planar_config()
    write("out/events.jsonl", "mine\n")
    outcome = lockstep("train", "run.toml", "--out", "out", *settings("log.json=true"))
    assert (outcome.code, outcome.err) == (2, "lockstep: out/events.jsonl: is in the way, and not known to be of a run, expected another --out\n")
