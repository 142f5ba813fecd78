"""launch/run under mpirun: interrupted ranks have the time to save their state, and none is left running."""

import os
import signal
import time
from pathlib import Path

import pytest
from harness.build import OPEN_MPI
from harness.files import read
from harness.jobs import is_alive
from scripts import AS_ROOT, LAUNCH, stand_in, start

# Every rank is asked by USR1.
PROGRAM = """
    trap 'asked=yes' USR1
    echo $$ >"pid.$RANK.new" && mv pid.$RANK{.new,}
    exec 2>/dev/null
    until [[ -n ${asked-} ]]; do sleep 0.1; done
    trap '' USR1
    sleep "$SAVING"
    touch "saved.$RANK"
    exit 143"""


def until(claim, condition):
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, claim
        time.sleep(0.05)


def pids():
    return [int(read(file)) for file in Path().glob("pid.?")]


def job(saving):
    """launch/run with two ranks whose saving takes so many seconds; they run."""
    running = start(LAUNCH / "run", AS_ROOT, "-np", 2, "--force", "c.toml", LOCKSTEP=stand_in("lockstep", PROGRAM), SAVING=saving)
    until("both ranks run", lambda: len(pids()) == 2)
    return running


@pytest.mark.parametrize("number, code, saving", [(signal.SIGTERM, 143, 2.5),  # longer than the 2 s that mpirun would grant
                                                  (signal.SIGINT, 130, 0)])
def test_every_rank_has_the_time_to_save(number, code, saving):
    with job(saving) as running:
        os.kill(running.pid, number)  # as timeout sends it: to the process, then to its group
        os.killpg(running.pid, number)
        outcome = running.wait()
    assert (outcome.code, outcome.err) == (code, "")
    assert len(list(Path().glob("saved.?"))) == 2


def test_another_signal_does_not_wait_for_that():
    with job(20) as running:
        for seconds in (2.1, 0.3, 0):
            os.kill(running.pid, signal.SIGTERM)
            time.sleep(seconds)
            if not is_alive(running.pid):
                break
        outcome = running.wait()
    assert outcome.code == 143
    code = 1 if OPEN_MPI else 137
    assert f"interrupted: the ranks ended (code {code}) before training was done" in outcome.err
    until("no rank goes on", lambda: not any(map(is_alive, pids())))


def test_no_rank_goes_on_where_launch_run_is_killed():
    with job(20) as running:
        os.kill(running.pid, signal.SIGKILL)
        until("no rank goes on", lambda: not any(map(is_alive, pids())))
        running.wait()
