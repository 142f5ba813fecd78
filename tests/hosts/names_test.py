"""Hosts that differ in their domains alone are two: Open MPI itself would take both for gpu1. Runs in a world of these two."""

import shutil
import signal

from hosts import processes, send
from jobs import Job, of_a_rank, trained

BOTH = "gpu1.east:1,gpu1.west:1"


def test_a_rank_that_is_lost_is_named_with_its_whole_host():
    job = Job(2, BOTH, "train.epochs=1000000", "checkpoint.every_epochs=1000")
    job.wait_until_it_trains()
    assert [len(processes(host, "lockstep")) for host in ("h0", "h1")] == [1, 1], "each has a rank"
    send(signal.SIGKILL, processes("h1", "lockstep"))
    job.wait(60)
    job.refused(5, f"launch/run: {of_a_rank('rank 1 on gpu1.west, at step [0-9]+ in [a-z -]+, was ended by SIGKILL')}")


def test_two_such_hosts_have_the_weights_of_one_process():
    alone = trained(1, "gpu1.west:1", "train.epochs=3")["weights_hash"]
    shutil.rmtree("out")
    assert trained(2, BOTH, "train.epochs=3")["weights_hash"] == alone
