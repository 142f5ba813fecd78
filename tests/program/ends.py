"""How a run is ended, and what it then is: the run that was not."""

import os
import signal
from pathlib import Path

from harness.jobs import parent_of, wait_until_gone
from harness.points import EPOCHS, STEPS_PER_EPOCH, difference, disturbed, finish, newest_step


def kill_launcher(ranks):
    """While no step can end, so that the ranks do not outrun it: it takes them a while to notice that mpirun is gone."""
    os.kill(ranks[-1], signal.SIGSTOP)
    os.kill(parent_of(ranks[0]), signal.SIGKILL)
    assert wait_until_gone(ranks[:-1])
    os.kill(ranks[-1], signal.SIGCONT)


def interrupt_all(ranks):
    for rank in ranks:
        os.kill(rank, signal.SIGINT)


# How a job is ended, and with which exit code; None: any but 0.
ENDS = {
    "kill_of_a_rank": (lambda ranks: os.kill(ranks[0], signal.SIGKILL), None),
    "int_to_a_rank": (lambda ranks: os.kill(ranks[-1], signal.SIGINT), 130),
    "term_to_a_rank": (lambda ranks: os.kill(ranks[-1], signal.SIGTERM), 143),
    "usr1_to_a_rank": (lambda ranks: os.kill(ranks[0], signal.SIGUSR1), 143),
    "int_to_all_ranks": (interrupt_all, 130),
}
ENDS_OF_MPIRUN = {
    "kill_of_mpirun": (kill_launcher, None),
    "usr1_to_mpirun": (lambda ranks: os.kill(parent_of(ranks[0]), signal.SIGUSR1), 143),
}


def goes_on_as_the_same_run(end, code, first, second, last):
    """Ended at two moments, of which the second is in another epoch; then trained to the end. Each part on its layout."""
    def has_ended(outcome):
        assert outcome.code == code if code else outcome.code != 0, outcome

    finish("whole")
    has_ended(disturbed("out", layout=first, step=3, disturb=end))
    step = newest_step("out")
    assert step < EPOCHS * STEPS_PER_EPOCH
    assert not Path("out/summary.json").exists()
    has_ended(disturbed("out", "--resume", "latest", layout=second, step=step + 6, disturb=end))
    finish("out", "--resume", "latest", layout=last)
    assert difference("whole", "out") is None
