"""lockstep train --resume: what it goes on from, and what it refuses."""

import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from harness.files import read, read_safetensors, resize, write, zero_tensors
from harness.points import (EPOCHS, ONE_PROCESS, STEPS_PER_EPOCH, THREE_RANKS, Layout, checkpoint, difference, disturbed, finish,
                            newest_step, train, write_points_config)

BOTH = pytest.mark.parametrize("layout", [ONE_PROCESS, THREE_RANKS], ids=["one_process", "three_ranks"])


@pytest.fixture(autouse=True)
def config(folder):
    write_points_config()


def interrupt(out, *more):
    """Trains until there are checkpoints of two epochs, and ends the run before it is done."""
    outcome = disturbed(out, *more, layout=ONE_PROCESS, step=3 * STEPS_PER_EPOCH, disturb=lambda ranks: os.kill(ranks[0], signal.SIGINT))
    assert outcome.code == 130, outcome


def refused(*more, code, says, layout=ONE_PROCESS):
    """Training on into `out` is refused with this code and one line that has these parts."""
    outcome = train("out", *more, layout=layout)
    assert (outcome.code, outcome.out) == (code, ""), outcome
    assert re.fullmatch("lockstep: .*\n", outcome.err), outcome
    assert [part for part in says if part not in outcome.err] == [], outcome


def cut(file):
    """Replaces a file by its first half."""
    resize(file, os.path.getsize(file) // 2)


@BOTH
def test_a_folder_without_checkpoints_is_refused(layout):
    refused("--resume", "latest", code=4, says=["out/checkpoints", "no checkpoint"], layout=layout)
    assert not Path("out").exists()
    Path("out/checkpoints").mkdir(parents=True)
    refused("--resume", "latest", code=4, says=["out/checkpoints", "no checkpoint"], layout=layout)


@pytest.mark.parametrize("layout", [ONE_PROCESS, pytest.param(THREE_RANKS, marks=pytest.mark.long)],
                         ids=["one_process", "three_ranks"])
def test_a_file_that_is_not_a_checkpoint_is_refused(layout):
    finish("other", "train.epochs=2")
    for file, says in (("other/missing", ["other/missing", "No such file"]), ("other", ["other", "directory"]),
                       ("other/model.safetensors", ["other/model.safetensors", "not a checkpoint"]),
                       ("points.toml", ["points.toml", "safetensors"])):
        refused("--resume", file, code=4, says=says, layout=layout)
    cut(checkpoint("other", 14))
    refused("--resume", checkpoint("other", 14), code=4, says=["step-000000014.safetensors"], layout=layout)
    assert not Path("out").exists()


def test_three_ranks_and_one_refuse_another_experiment_and_name_the_keys():
    interrupt("out")
    metrics, newest = read("out/metrics.csv"), newest_step("out")
    for setting in ("train.learning_rate=0.2", "seed=12", "data.noise=0.1", "data.shards=4", "model.hidden=[32,17]",
                    "train.momentum=0.8", "train.momentum=0", "reduce.mode=float", "train.batch_size=32", "model.activation=relu"):
        refused(setting, "--resume", "latest", code=2, says=[setting.partition("=")[0]])
    refused("train.learning_rate=0.2", "seed=5", "--resume", "latest", code=2, says=["train.learning_rate", "seed"],
            layout=THREE_RANKS)
    assert (read("out/metrics.csv"), newest_step("out")) == (metrics, newest)


def test_resume_may_change_what_the_numbers_do_not_depend_on():
    interrupt("out")
    finish("whole")
    finish("out", "--resume", "latest", "checkpoint.every_steps=3", "checkpoint.keep=1", "train.monitor=train_loss",
           "run.watchdog_seconds=5", "train.check_replicas_every=4", "train.max_seconds=1000")
    assert difference("whole", "out") is None


def test_two_ranks_skip_a_broken_checkpoint_with_a_warning():
    finish("whole")
    interrupt("out")
    newest = checkpoint("out", newest_step("out"))
    cut(newest)
    outcome = train("out", "--resume", "latest", layout=Layout(2))
    assert outcome.code == 0
    assert re.fullmatch(f"lockstep: warning: skipped {newest}.*\n", outcome.err), outcome.err
    assert difference("whole", "out") is None


def test_a_broken_checkpoint_does_not_take_the_place_of_a_good_one():
    finish("whole")
    interrupt("out")
    newest = newest_step("out")
    for i in (1, 2, 3):  # as many as are kept, far ahead
        broken = checkpoint("out", EPOCHS * STEPS_PER_EPOCH + i)
        shutil.copy(checkpoint("out", newest), broken)
        cut(broken)
    outcome = train("out", "--resume", "latest", "train.max_seconds=1e-9")
    assert outcome.code == 0, outcome
    assert newest_step("out") == newest + 1
    finish("out", "--resume", "latest")
    assert difference("whole", "out") is None


def test_resume_from_an_older_file_forgets_the_later_ones():
    finish("whole")
    finish("out", "train.epochs=6", "checkpoint.keep=100")
    finish("out", "--resume", checkpoint("out", 10), "train.max_seconds=1e-9")
    assert newest_step("out") == 11
    finish("out", "--resume", "latest")
    assert difference("whole", "out") is None


def test_resume_into_a_new_folder_has_the_same_weights_and_metrics():
    no_tables = ["log.steps=false", "log.gradients=false"]
    finish("whole", *no_tables)
    interrupt("first")
    finish("out", "--resume", checkpoint("first", newest_step("first")), *no_tables)
    for run in ("whole", "out"):
        for table in ("steps.csv", "gradients.csv"):
            write(f"{run}/{table}", "")
    assert difference("whole", "out") is None


def test_two_ranks_may_go_on_with_other_kernels():
    finish("whole")
    interrupt("out", "compute.kernels=portable")
    finish("out", "--resume", "latest", "compute.kernels=auto", layout=Layout(2))
    assert difference("whole", "out") is None


def test_ranks_that_divide_shards_by_speed_go_on_where_others_were():
    finish("whole")
    interrupt("out")
    finish("out", "--resume", "latest", "compute.balance=true", layout=Layout(2))
    assert difference("whole", "out") is None


def test_resume_of_a_finished_run_changes_nothing():
    finish("whole")
    finish("out")
    finish("out", "--resume", "latest")
    assert difference("whole", "out") is None


def test_resume_may_train_for_more_epochs_with_a_constant_rate():
    finish("long", "train.epochs=24")
    finish("out")
    finish("out", "train.epochs=24", "--resume", "latest")
    assert difference("long", "out") is None


def test_resume_may_not_train_for_more_epochs_with_a_rate_that_knows_the_end():
    finish("out", "train.schedule=cosine", "train.epochs=4")
    refused("train.schedule=cosine", "train.epochs=5", "--resume", "latest", code=2, says=["train.epochs"])


def test_a_new_run_removes_the_checkpoints_of_the_old_one():
    finish("out")
    finish("out", "train.epochs=1", "--overwrite")
    assert newest_step("out") == STEPS_PER_EPOCH


def test_two_ranks_that_write_to_a_folder_keep_others_out():
    def try_meanwhile(ranks):
        os.kill(ranks[1], signal.SIGSTOP)  # so that it is not done before the other job
        refused(code=2, says=["out: another run writes there", str(ranks[0])])
        refused("--resume", "latest", code=2, says=["out: another run writes there"])
        os.kill(ranks[1], signal.SIGCONT)

    finish("whole")
    outcome = disturbed("out", layout=Layout(2), step=5, disturb=try_meanwhile)
    assert outcome.code == 0, outcome
    assert difference("whole", "out") is None


def test_two_ranks_go_on_training_when_their_checkpoints_are_removed():
    finish("whole")
    outcome = disturbed("out", layout=Layout(2), step=5, disturb=lambda _: os.rename("out/checkpoints", "gone"))
    assert outcome.code == 0
    assert outcome.err.startswith("lockstep: warning: out/checkpoints/step-"), outcome.err
    assert "cannot be written: No such file or directory; training goes on\n" in outcome.err
    assert difference("whole", "out") is None


def test_checkpoints_are_tensors_that_other_programs_read():
    finish("out")
    model = read_safetensors("out/model.safetensors")
    last = read_safetensors(checkpoint("out", EPOCHS * STEPS_PER_EPOCH))
    size = len(model.data)
    assert last.data[:size] == model.data
    for name, entry in zero_tensors(2, 32, 16, 1).header.items():
        assert last.header[name] == entry
        momentum = last.header[f"momentum.{name}"]
        assert (momentum["dtype"], momentum["shape"]) == ("F32", entry["shape"])
        assert momentum["data_offsets"][0] == size + entry["data_offsets"][0]
    assert last.header["reducer"]["dtype"] == "I32"
    assert last.header["reducer"]["data_offsets"][1] == len(last.data)
