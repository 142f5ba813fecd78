"""A run folder that holds a run: refused, replaced, gone on with, or begun from."""

import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest
from harness.build import PROGRAM
from harness.files import read, summary_of, weights_hash, write
from harness.jobs import ranks_below
from harness.points import (EPOCHS, LIMIT, ONE_PROCESS, STEPS_PER_EPOCH, THREE_RANKS, difference, finish, newest_step, train, words,
                            write_points_config)
from harness.process import Running, execute, lockstep

BOTH = pytest.mark.parametrize("layout", [ONE_PROCESS, THREE_RANKS], ids=["one_process", "three_ranks"])


@pytest.fixture(autouse=True)
def config(folder):
    write_points_config()


def files_of(folder):
    """Paths within a folder, and contents."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*")
            if path.is_file() and path.name != ".lock"}


def refused(outcome, *says):
    """With code 2 and one line that has these parts."""
    assert (outcome.code, outcome.out) == (2, ""), outcome
    assert re.fullmatch("lockstep: .*\n", outcome.err), outcome
    assert [part for part in says if part not in outcome.err] == [], outcome


def kill_a_replacement(layout=ONE_PROCESS):
    """Ends a run by force that replaces the one in `out`, after an epoch, before it has a checkpoint."""
    shutil.rmtree("out/.next", ignore_errors=True)
    endless = ["train.epochs=1000000", "seed=5", "checkpoint.every_steps=0", "checkpoint.every_epochs=1000000", "log.gradients=false"]
    with Running(words("out", "--overwrite", *endless, layout=layout), limit=LIMIT) as job:
        metrics, deadline = Path("out/.next/metrics.csv"), time.monotonic() + 30
        while not metrics.exists() or metrics.stat().st_size < 300:
            assert time.monotonic() < deadline, "no second row of metrics.csv after 30 s"
            time.sleep(0.001)
        for rank in ranks_below(job.pid):
            os.kill(rank, signal.SIGKILL)
        assert job.wait().code != 0


@BOTH
def test_a_folder_that_holds_a_run_is_refused(layout):
    finish("out", "train.epochs=2")
    before = files_of("out")
    for more in ([], ["train.learning_rate=0.1"], ["train.epochs=2"]):
        refused(train("out", *more, layout=layout), "out: holds a run", "--resume latest", "another --out", "--overwrite")
        assert files_of("out") == before


def test_so_it_is_where_it_is_the_working_folder(monkeypatch):
    finish("out", "train.epochs=2")
    before = files_of("out")
    monkeypatch.chdir("out")
    refused(lockstep("train", "../points.toml", "--out", "."), ".: holds a run")
    assert files_of(".") == before


@BOTH
def test_the_run_is_as_it_would_be_in_a_folder_of_its_own(layout):
    finish("whole")
    finish("out", "train.epochs=3", "seed=5")
    write("out/notes.txt", "mine")
    write("out/predictions.csv", "of the old run")
    finish("out", "--overwrite", layout=layout)
    assert difference("whole", "out") is None
    assert newest_step("out") == EPOCHS * STEPS_PER_EPOCH
    assert read("out/notes.txt") == "mine"
    assert not Path("out/predictions.csv").exists() and not Path("out/.next").exists()


def test_without_checkpoints_it_takes_the_place_at_the_end():
    keys = ["checkpoint.every_steps=0", "checkpoint.every_epochs=0", "train.epochs=3"]
    finish("whole", *keys)
    finish("out", "train.epochs=2", "seed=5")
    finish("out", *keys, "--overwrite")
    assert difference("whole", "out") is None
    assert newest_step("out") == 0


@BOTH
def test_replacements_that_are_killed_before_a_checkpoint_leave_the_old_run_whole(layout):
    finish("whole")
    finish("out", "train.epochs=4")
    before = files_of("out")
    kill_a_replacement(layout)
    after = files_of("out")
    assert {name: after.get(name) for name in before} == before
    finish("out", "--resume", "latest")  # the old run goes on
    assert difference("whole", "out") is None
    assert not Path("out/.next").exists()


def test_an_attempt_after_one_that_was_killed_replaces_too():
    """As launch/run --retries does it."""
    finish("whole", "seed=5")
    finish("out", "train.epochs=4")
    kill_a_replacement()
    finish("out", "seed=5", "--overwrite", "--resume", "auto")
    assert difference("whole", "out") is None


def test_auto_begins_and_then_goes_on():
    finish("whole")
    finish("out", "train.epochs=4", "--resume", "auto")
    finish("out", "--resume", "auto")
    assert difference("whole", "out") is None


def test_it_goes_on_in_the_folder_of_its_own_configuration():
    finish("whole")
    finish("out", "train.epochs=4")
    outcome = lockstep("train", "out/config.toml", "--resume", "latest", "--set", "train.epochs=20")
    assert outcome.code == 0, outcome
    assert difference("whole", "out") is None
    assert not Path("runs").exists()


def test_a_resume_that_has_nothing_to_do_says_so():
    finish("out", "train.epochs=3")
    done = lockstep("train", "points.toml", "--out", "out", "--resume", "latest", "--set", "train.epochs=3")
    assert done.code == 0
    assert "nothing left to do: all 3 epochs of train.epochs are done\n" in done.out
    before = files_of("out")
    refused(train("out", "train.epochs=2", "--resume", "latest"), "has 3 epochs done, and train.epochs is 2", "expected at least 3")
    assert files_of("out") == before


def test_other_settings_are_a_new_run_with_its_weights_and_momentum():
    last = "first/checkpoints/step-000000021.safetensors"
    finish("first", "train.epochs=3")
    refused(train("first", "train.learning_rate=0.1", "--resume", "latest"), "train.learning_rate", f"--resume-from {last}", "--out")
    finish("from_model", "train.init_from=first/model.safetensors", "train.momentum=0", "train.epochs=2")
    finish("from_run", "--resume-from", "first", "train.momentum=0", "train.epochs=2")
    assert difference("from_model", "from_run") is None
    finish("with_momentum", "--resume-from", last, "train.epochs=2")
    finish("without", "train.init_from=first/model.safetensors", "train.epochs=2")
    assert weights_hash("with_momentum") != weights_hash("without")
    assert summary_of("with_momentum")["steps"] == 2 * STEPS_PER_EPOCH
    began_from = f"{last} (step 21, weights {weights_hash('first')})"
    assert summary_of("with_momentum")["began_from"] == began_from
    finish("with_momentum", "--resume", "latest", "train.epochs=3")
    assert summary_of("with_momentum")["began_from"] == began_from


def test_a_run_begins_from_one_thing():
    finish("first", "train.epochs=3")
    refused(train("out", "--resume-from", "first", "train.init_from=first/model.safetensors"),
            "--resume-from first", "train.init_from", "expected one of them")
    refused(train("out", "--resume", "latest", "--resume-from", "first"),
            "--resume latest", "--resume-from first", "expected one of them")
    weights_alone = train("out", "--resume-from", "first/model.safetensors")
    assert weights_alone.code == 4
    assert "not a checkpoint" in weights_alone.err


def test_tables_of_others_are_in_the_way_of_eval_and_sweep():
    finish("out", "train.epochs=1")

    def in_the_way(path, outcome):
        assert outcome.code == 2
        assert f"{path}: is in the way" in outcome.err

    evaluate = [PROGRAM, "eval", "out", "--predictions", "--out", "tables"]
    assert execute(evaluate).code == 0
    assert execute(evaluate).code == 0, "its own"
    write("tables/predictions.csv", "x,y\n1,2\n")
    in_the_way("tables/predictions.csv", execute(evaluate))
    assert read("tables/predictions.csv") == "x,y\n1,2\n"
    write("sweep.toml", 'config = "points.toml"\n[set]\n"train.epochs" = 1\n[parameters]\n"train.l2" = [0.0]\n')
    write("sweep/trials.csv", "mine\n")
    in_the_way("sweep/trials.csv", lockstep("sweep", "sweep.toml", "--out", "sweep"))
    assert read("sweep/trials.csv") == "mine\n"
