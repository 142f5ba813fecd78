"""Every subcommand whose ranks work together is ended in order by a signal, and does not hang where one of its ranks stops."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from harness.build import SANITIZED
from harness.files import read_csv, write
from harness.jobs import ranks_below
from harness.process import Running, settings, succeed, words_of
from lockstep_launch import heartbeats

POINTS = """
[data]
dataset = "circle"
n = 800
[model]
hidden = [32, 16]
[train]
epochs = 2
batch_size = 64
[run]
watchdog_seconds = 10
"""
WIDTH = 50 if SANITIZED else 1500
IMAGES = f"""
[data]
dataset = "synthetic"
train_samples = 8
test_samples = 8
[model]
hidden = [{WIDTH}, {WIDTH}]
[train]
epochs = 1
batch_size = 8
[run]
watchdog_seconds = 20
"""
# The last of these trials takes as long as it is given.
SEARCH = """
config = "points.toml"
search = "grid"
score = "test_loss"
[parameters]
"train.epochs" = [1, 2, 100000000]
"""


def endless_verify():
    return ["verify", "points.toml", "--steps", 1000000000]


def endless_gradcheck():
    return ["gradcheck", "points.toml", *settings("model.hidden=[2000,2000]"), "--elements", 1000000]


def endless_sweep():
    write("search.toml", SEARCH)
    return ["sweep", "search.toml", "--out", "search", "--ranks-per-trial", 3]


def long_eval():
    """Takes seconds: many images through a wide network, no pass of which takes as long as the watchdog's patience."""
    write("images.toml", IMAGES)
    succeed("train", "images.toml", "--quiet", "--out", "out")
    return ["eval", "out", *settings("data.train_samples=50000")]


COMMANDS = [endless_verify, endless_gradcheck, endless_sweep, long_eval]


@pytest.fixture(autouse=True)
def points():
    write("points.toml", POINTS)


def at_work(job):
    """The job's ranks, when all of them are past the set-up."""
    while True:
        for folder in ["search/.heartbeat", *Path(os.environ["TMPDIR"]).glob("lockstep-heartbeats-*")]:
            if [beat.rank for beat in heartbeats.read(folder) if beat.phase != "set-up"] == [0, 1, 2]:
                return ranks_below(job.pid)
        assert job.pid in map(int, filter(str.isdigit, os.listdir("/proc"))), "the job has ended"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def folder_of_heartbeats(folder, monkeypatch):
    (folder / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(folder / "tmp"))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("number,code,word", [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")])
def test_a_signal_to_one_of_three_ranks_ends_all_in_order(command, number, code, word):
    with Running(words_of(command(), 3)) as job:
        os.kill(at_work(job)[1], number)
        outcome = job.wait()
    assert outcome.code == code
    assert re.fullmatch(f"lockstep: {word} .*\n", outcome.err), outcome.err
    assert not list((Path.cwd() / "tmp").glob("lockstep-*"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_rank_that_stops_ends_the_job_with_one_line(command):
    with Running(words_of(command(), 3)) as job:
        os.kill(at_work(job)[1], signal.SIGSTOP)
        outcome = job.wait()
    assert outcome.code == 5
    assert re.fullmatch(r"lockstep: rank 1 on .*, has stopped or cannot be reached: nothing has moved for .* s "
                        r"\(run\.watchdog_seconds is [12]0\)\n", outcome.err), outcome.err


def test_a_sweep_that_is_interrupted_keeps_its_finished_trials_and_goes_on():
    with Running(words_of(endless_sweep(), 3)) as job:
        while not Path("search/trials.csv").exists() or len(read_csv("search/trials.csv")) < 2:
            time.sleep(0.02)
        os.kill(ranks_below(job.pid)[0], signal.SIGINT)
        outcome = job.wait()
    assert outcome.code == 130, outcome.err
    assert outcome.err == "lockstep: interrupted in 0003; the same command goes on\n"
    assert [row["train.epochs"] for row in read_csv("search/trials.csv")] in (["1", "2"], ["2", "1"])
    write("search.toml", SEARCH.replace(", 100000000", ""))
    outcome = succeed("sweep", "search.toml", "--out", "search")
    assert "0001: done before" in outcome.out and "0002: done before" in outcome.out


def test_a_rank_whose_trials_are_done_waits_for_the_others_and_misses_one_that_stops():
    """Trials of one rank each: rank 2 has the endless one."""
    write("search.toml", SEARCH)
    with Running(words_of(["sweep", "search.toml", "--out", "search"], 3)) as job:
        while [beat.phase for beat in heartbeats.read("search/.heartbeat")][:2] != ["waiting for other groups"] * 2:
            time.sleep(0.02)
        time.sleep(8)  # longer than the watchdog's patience
        os.kill(ranks_below(job.pid)[2], signal.SIGSTOP)
        outcome = job.wait()
    assert outcome.code == 5
    assert outcome.err.startswith("lockstep: rank 2 on "), outcome.err
    assert outcome.err.count("\n") == 1
