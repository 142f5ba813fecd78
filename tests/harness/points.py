"""A small training run on points in the plane that is interrupted and goes on, and what must be equal afterwards.

All of it is in the working folder: the configuration points.toml, 7 steps per epoch of which the last is short, a checkpoint every 5
steps and every epoch, with everything logged; and the runs' folders, named by `out`.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from .files import read_csv, timeless, weights_hash, write
from .jobs import ranks_below, wait_for_launcher, wait_until_gone
from .process import ALONE, Running, execute, settings, words_of

EPOCHS, STEPS_PER_EPOCH = 20, 7
LIMIT = 60  # seconds for a run, on a busy machine too
START_LIMIT = 30  # seconds until it has begun
YIELDING = ["nice", "-n", 19]  # before the words of a job that is not to outrun the test that watches it


class Layout(NamedTuple):
    ranks: int = ALONE
    threads: int = 1


ONE_PROCESS = Layout()
THREE_RANKS = Layout(3)


MODEL = """dropout = 0.1
loss = "binary_cross_entropy"
"""
TRAIN = """epochs = 20
l2 = 0.0001
warmup_epochs = 1.5
[checkpoint]
every_steps = 5
[log]
steps = true
gradients = true
"""


def write_points_config(model=MODEL, train=TRAIN):
    """points.toml: 800 points of the plane, with these keys of model, then these of train and the sections after it."""
    write("points.toml", f"""seed = 11
[data]
dataset = "circle"
n = 800
noise = 0.2
[model]
hidden = [32, 16]
activation = "tanh"
{model}[train]
batch_size = 64
learning_rate = 0.3
momentum = 0.9
{train}""")


def words(out, *more, layout=ONE_PROCESS):
    """The words of a training run into that folder; `more` are words, or settings with a '='."""
    keys = [word for word in more if "=" in str(word)]
    return words_of(["train", "points.toml", "--quiet", "--out", out, *settings(f"compute.threads={layout.threads}", *keys),
                     *(word for word in more if word not in keys)], layout.ranks)


def train(out, *more, layout=ONE_PROCESS):
    return execute(words(out, *more, layout=layout), limit=LIMIT)


def finish(out, *more, layout=ONE_PROCESS):
    """Trains to the end, with nothing to remark on."""
    outcome = train(out, *more, layout=layout)
    assert (outcome.code, outcome.err) == (0, "")


def disturbed(out, *more, layout, step, disturb):
    """Starts a run and calls `disturb` with the ids of the job's ranks when there is a checkpoint of `step` or later. Its Outcome, when
    all of its ranks have ended."""
    with Running([*YIELDING, *words(out, *more, layout=layout)], limit=LIMIT) as job:
        ranks = ranks_of(job, max(layout.ranks, 1))
        wait_for_step(out, step)
        disturb(ranks)
        wait_for_launcher(job.pid)
        outcome = job.wait()
    assert wait_until_gone(ranks), "a rank goes on after its job has ended"
    return outcome


def ranks_of(job, number):
    """The ids of a job's ranks as soon as all are there: a run is short, and to look for them takes a while."""
    deadline = time.monotonic() + START_LIMIT
    while len(ranks := ranks_below(job.pid)) < number:
        if time.monotonic() > deadline:
            pytest.fail(f"{len(ranks)} of {number} ranks after {START_LIMIT} s")
        time.sleep(0.005)
    return ranks


def wait_for_step(out, step):
    """Until there is a checkpoint of that step or a later one."""
    deadline = time.monotonic() + START_LIMIT
    while newest_step(out) < step:
        if time.monotonic() > deadline:
            pytest.fail(f"no checkpoint of step {step} after {START_LIMIT} s")
        time.sleep(0.001)


def difference(a, b):
    """The file in which two finished runs differ but for the time they took, None if there is none."""
    for file in ("model.safetensors", "steps.csv", "gradients.csv"):
        if Path(a, file).read_bytes() != Path(b, file).read_bytes():
            return file
    if timeless(read_csv(f"{a}/metrics.csv")) != timeless(read_csv(f"{b}/metrics.csv")):
        return "metrics.csv"
    return None if weights_hash(a) == weights_hash(b) else "summary.json"


def checkpoint(out, step):
    return Path(out, f"checkpoints/step-{step:09d}.safetensors")


def steps_kept(out):
    """The steps after which there is a checkpoint, in order."""
    try:
        names = os.listdir(f"{out}/checkpoints")
    except FileNotFoundError:
        return []
    return sorted(int(name[5:14]) for name in names if name.startswith("step-") and name.endswith(".safetensors"))


def newest_step(out):
    """0 if there is no checkpoint."""
    return max(steps_kept(out), default=0)


def best_epoch(metrics, column):
    """The epoch of the lowest loss or the highest accuracy in a column of metrics.csv, the first of equals."""
    values = [float(row[column]) for row in metrics]
    return values.index(min(values) if column.endswith("loss") else max(values)) + 1
