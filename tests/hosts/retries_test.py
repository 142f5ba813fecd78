"""launch/run --retries goes on after a rank or a host was lost, on the hosts that are left, and the run is the same run. Runs in a world
of two hosts."""

import functools
import re
import shutil
import time
from pathlib import Path

import pytest
from faults import FAULTS
from harness.files import summary_of
from hosts import limit_rate
from jobs import Job, of_a_rank, trained

# With momentum, of which each rank has a part.
TRAINING = ["train.epochs=120", "checkpoint.every_epochs=5"]
AT = "at step [0-9]+ in [a-z -]+"
AGAIN = r"going on from the newest checkpoint in 1 s \(retry 1 of 2\)"


@functools.cache
def undisturbed():
    """The hash of the weights of one process that nothing happens to."""
    weights = trained(1, "h0:1", *TRAINING)["weights_hash"]
    assert re.fullmatch("[0-9a-f]{16}", weights)
    shutil.rmtree("out")
    return weights


# The host is gone afterwards: that comes last.
@pytest.mark.parametrize("fault, ranks, notes", [
    ("killed_rank", 4, [f"{of_a_rank(f'rank [23] on h1, {AT}, was ended by SIGKILL')}; {AGAIN}"]),
    ("killed_host", 2, [f"host h1 was lost with ranks 2, 3, {AT}; {AGAIN}", "h1 does not answer: going on with h0:2"])])
def test_it_goes_on_as_the_same_run(fault, ranks, notes):
    expected = undisturbed()
    limit_rate("h0", "2mbit")  # not to be done before the fault
    job = Job(4, "h0:2,h1:2", *TRAINING, launch=["--retries", "2"])
    job.wait_until_it_trains()
    while not list(Path("out/checkpoints").glob("step-*.safetensors")):
        time.sleep(0.1)
    FAULTS[fault][1]()
    limit_rate("h0", "1gbit")
    job.wait(120)
    assert job.code == 0, job.err
    assert re.fullmatch("".join(f"launch/run: note: {note}\n" for note in notes), job.err), job.err
    summary = summary_of("out")
    assert (summary["ranks"], summary["weights_hash"]) == (ranks, expected)
