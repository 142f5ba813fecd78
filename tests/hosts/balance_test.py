"""Shards move to the host that is faster, and the weights are the same. Runs in a world of two hosts, of which one is held to half of
its processor time."""

import re
import shutil

from harness.files import summary_of
from hosts import half_the_time
from jobs import Job, trained

TRAINING = ["data.shards=16", "model.hidden=[512,512]", "train.epochs=80"]


def test_a_host_that_is_held_to_half_its_time_has_fewer_shards_and_the_weights_are_the_same():
    expected = trained(1, "h0:1", *TRAINING)
    assert re.fullmatch("[0-9a-f]{16}", expected["weights_hash"])
    assert expected["shards"] == [16]
    shutil.rmtree("out")
    job = Job(2, "h0:1,h1:1", *TRAINING, launch=["--balance"])
    job.wait_until_it_trains()
    with half_the_time("h1", "lockstep"):
        job.wait(120)
    assert (job.code, job.out, job.err) == (0, "", "")
    summary = summary_of("out")
    fast, slow = summary["shards"]
    assert fast + slow == 16
    assert fast > slow
    assert summary["weights_hash"] == expected["weights_hash"]
