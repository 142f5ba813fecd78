"""A scaling study over several hosts: ranks fill the hosts in order, and weights are the same on one host and two. Runs in a world of
two hosts."""

import re

from harness.build import PROGRAM, REPOSITORY
from harness.files import read, read_csv, write
from harness.points import write_points_config
from harness.process import execute
from hosts import on
from jobs import OPEN_MPI

# ranks, threads, hosts, oversubscribed, places: ranks that have cores of their own fill the hosts in order, more of them are
# oversubscribed.
EXPECTED = ["2,1,1,0,h0; h0", "2,2,2,0,h0; h1", "3,1,2,0,h0; h0; h1", "3,2,2,1,h0; h0; h1", "5,1,2,1,h0; h0; h0; h1; h1",
            "5,2,2,1,h0; h0; h0; h1; h1"]


def test_ranks_fill_the_hosts_in_order_and_weights_are_the_same():
    write_points_config(model="", train="")
    write("hosts", "h0 slots=2\nh1 slots=2\n")
    # The hosts share this machine's cores, of which there may be few: nothing is bound.
    study = ["points.toml", "--ranks", "2,3,5", "--threads", "1,2", "--repeats", 1, "--epochs", 1, "--hostfile", "hosts", "--bind",
             "none", "--out", "study", "--mpi", OPEN_MPI]
    outcome = execute(on("h0", "env", f"LOCKSTEP={PROGRAM}", REPOSITORY / "launch/scaling", *study), limit=120)
    assert outcome.code == 0, outcome
    columns = ("ranks", "threads", "hosts", "oversubscribed", "placement")
    places = [re.sub(": [-0-9,]+", "", ",".join(row[name] for name in columns)) for row in read_csv("study/runs.csv")]
    assert places == EXPECTED
    assert "All 6 runs ended with the same weights" in read("study/report.md")
