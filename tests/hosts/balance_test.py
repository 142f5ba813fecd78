"""Shards move to the host that is faster, and the weights are the same, also where a rank is lost meanwhile. Runs in a world of two
hosts, of which one is held to half of its processor time."""

import functools
import re
import shutil
import time

from faults import FAULTS
from harness.files import summary_of
from hosts import half_the_time
from jobs import Job, step, trained

TRAINING = ["data.shards=16", "model.hidden=[512,512]", "train.epochs=300"]
STEPS = 300 * 7  # half of 800 points in batches of 64


@functools.cache
def weights_of_one_process():
    summary = trained(1, "h0:1", *TRAINING)
    shutil.rmtree("out")
    assert re.fullmatch("[0-9a-f]{16}", summary["weights_hash"])
    assert (summary["shards"], summary["steps"]) == ([16], STEPS)
    return summary["weights_hash"]


def test_a_host_that_is_held_to_half_its_time_has_fewer_shards_and_the_weights_are_the_same():
    expected = weights_of_one_process()
    job = Job(2, "h0:1,h1:1", *TRAINING, launch=["--balance"])
    job.wait_until_it_trains()
    with half_the_time("h1", "lockstep"):
        job.wait(120)
    assert (job.code, job.out, job.err) == (0, "", "")
    summary = summary_of("out")
    fast, slow = summary["shards"]
    assert fast + slow == 16
    assert fast > slow
    assert summary["weights_hash"] == expected


def test_after_a_rank_is_lost_the_run_goes_on_as_the_same_run():
    expected = weights_of_one_process()
    shutil.rmtree("out", ignore_errors=True)
    job = Job(2, "h0:1,h1:1", *TRAINING, launch=["--balance", "--retries", "1"])
    job.wait_until_it_trains()
    with half_the_time("h1", "lockstep"):
        limit = time.monotonic() + 60
        while step() < STEPS // 2:
            assert time.monotonic() < limit, "it comes half the way, and is not over by then"
            time.sleep(0.05)
        FAULTS["killed_rank"][1]()
        job.wait(120)
    assert job.code == 0, job.err
    assert job.err.count("\n") == 1 and "going on from the newest checkpoint" in job.err, job.err
    assert summary_of("out")["weights_hash"] == expected
