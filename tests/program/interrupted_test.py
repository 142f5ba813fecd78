"""A run of one process that is ended at any moment, and goes on with other numbers of threads, is the run that was not. What two ranks
say, and do at a second signal."""

import os
import shutil
import signal
import time

import pytest
from ends import ENDS, goes_on_as_the_same_run
from harness.jobs import is_alive
from harness.points import (LIMIT, YIELDING, Layout, checkpoint, difference, disturbed, finish, newest_step, ranks_of, wait_for_step,
                            write_points_config)
from harness.process import ALONE, Running, words_of


@pytest.fixture(autouse=True)
def config(folder):
    write_points_config()


@pytest.mark.parametrize("end, code", ENDS.values(), ids=ENDS)
def test_one_process_is_the_same_run_whatever_ends_it(end, code):
    goes_on_as_the_same_run(end, code, Layout(ALONE, 2), Layout(ALONE, 1), Layout(ALONE, 3))


def while_a_step_lasts(meanwhile, go_on):
    """Stops rank 1 so that rank 0 cannot end its step, then has it go on after `meanwhile`."""
    def disturb(ranks):
        os.kill(ranks[1], signal.SIGSTOP)
        time.sleep(0.1)
        meanwhile(ranks[0])
        if go_on:
            os.kill(ranks[1], signal.SIGCONT)
    return disturb


def test_two_ranks_end_at_once_at_a_second_interrupt():
    def interrupt_twice(waiting):
        os.kill(waiting, signal.SIGINT)
        time.sleep(0.5)
        assert is_alive(waiting)
        os.kill(waiting, signal.SIGINT)

    outcome = disturbed("out", layout=Layout(2), step=5, disturb=while_a_step_lasts(interrupt_twice, go_on=False))
    assert outcome.code == 130, outcome


def test_two_ranks_save_once_however_often_usr1_comes():
    def ask_often(waiting):
        for _ in range(4):
            os.kill(waiting, signal.SIGUSR1)
            time.sleep(0.15)
        assert is_alive(waiting)

    finish("whole")
    outcome = disturbed("out", layout=Layout(2), step=5, disturb=while_a_step_lasts(ask_often, go_on=True))
    assert (outcome.code, outcome.err) == (143, "")
    finish("out", "--resume", "latest")
    assert difference("whole", "out") is None


def ended_by(number, before=lambda: None):
    """Two ranks, not quiet, of which one is sent the signal after step 5: the Outcome."""
    with Running([*YIELDING, *words_of(["train", "points.toml", "--out", "out"], 2)], limit=LIMIT) as job:
        ranks = ranks_of(job, 2)
        wait_for_step("out", 5)
        before()
        os.kill(ranks[-1], number)
        return job.wait()


def test_two_ranks_say_where_the_state_is_saved():
    outcome = ended_by(signal.SIGINT)
    step = newest_step("out")
    assert f"interrupted after step {step}: saved {checkpoint('out', step)}" in outcome.out
    assert "--resume latest" in outcome.out
    assert outcome.err == ""


def test_two_ranks_do_not_say_that_they_have_saved_what_they_could_not():
    outcome = ended_by(signal.SIGTERM, before=lambda: shutil.move("out/checkpoints", "elsewhere"))
    assert outcome.code == 143
    assert ": saved" not in outcome.out
    assert "cannot be written" in outcome.err
