"""A job that is stopped, as by Ctrl-Z, stops on every host, for longer than a watchdog waits, and goes on. Runs in a world of two
hosts."""

import os
import signal
import time

from hosts import processes
from jobs import Job, step


def ranks_are(states):
    """The four ranks of both hosts are in one of these states of /proc/PID/stat, within 20 s."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        found = [state_of(pid) for host in ("h0", "h1") for pid in processes(host, "lockstep")]
        if len(found) == 4 and all(state in states for state in found):
            return True
        time.sleep(0.1)
    return False


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return stat.read().rpartition(")")[2].split()[0]


def test_a_job_stops_on_every_host_and_goes_on():
    job = Job(4, "h0:2,h1:2", "train.epochs=1000000", "checkpoint.every_epochs=1000", "run.watchdog_seconds=4")
    job.wait_until_it_trains()
    os.kill(job.pid, signal.SIGTSTP)
    assert ranks_are("T"), "all ranks stop"
    stopped = step()
    time.sleep(6)
    assert ranks_are("T"), "they are still there"
    os.kill(job.pid, signal.SIGCONT)
    assert ranks_are("RSD"), "all go on"
    limit = time.monotonic() + 20
    while step() <= stopped + 20:
        assert time.monotonic() < limit, "they train"
        time.sleep(0.1)
    os.kill(job.pid, signal.SIGTERM)
    job.wait(60)
    assert (job.code, job.err) == (143, ""), "it ends as it was asked to"
