"""A rank holds its own shards and a few copies of the parameters, whatever the size of the data set."""

import re
import sys

import pytest
from harness.build import MPIRUN, PROGRAM, SANITIZED
from harness.files import read, write, write_small_config
from harness.process import ALONE, execute, settings, succeed

MIB = 1 << 20
SAMPLE_BYTES = 3073  # features and label
SHARDS = 8
# Runs a command and writes the bytes of its largest resident set to peak.RANK.
MEASURE = """
import os, resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
with open("peak." + os.environ.get("OMPI_COMM_WORLD_RANK", os.environ.get("PMI_RANK", "0")), "w", encoding="ascii") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))  # the system counts in KiB
sys.exit(code)
"""


def train(ranks, *keys):
    """Leaves each rank's bytes in peak.RANK."""
    write("measure.py", MEASURE)
    words = [sys.executable, "measure.py", PROGRAM, "train", "run.toml", "--out", "out", *settings(*keys)]
    outcome = execute([*([] if ranks == ALONE else [*MPIRUN, "-np", ranks]), *words])
    assert outcome.code == 0, outcome


@pytest.mark.parametrize("ranks, samples, hidden", [(ALONE, 50000, [100]), (2, 50000, [100]), (ALONE, 2048, [1024, 1024]),
                                                    (2, 2048, [1024, 1024])],
                         ids=["one_process_holds_the_samples_once", "two_ranks_hold_half_of_the_samples_each",
                              "one_process_holds_few_copies_of_a_large_networks_parameters",
                              "two_ranks_hold_few_copies_of_a_large_networks_parameters"])
def test_memory_is_bounded(ranks, samples, hidden):
    """Every rank stays within its shards' bytes, six times the parameters' and 100 MiB."""
    write_small_config()
    train(ranks, f"data.train_samples={samples}", "data.test_samples=10000", f"model.hidden={hidden}", "train.batch_size=4096",
          "train.epochs=1")

    widths = [3072, *hidden, 10]
    parameters = sum((inputs + 1) * outputs for inputs, outputs in zip(widths, widths[1:]))
    number = max(ranks, 1)
    for rank in range(number):
        shards = SHARDS * (rank + 1) // number - SHARDS * rank // number
        held = shards * (samples // SHARDS + 1) * SAMPLE_BYTES
        limit = held + 6 * 4 * parameters + 100 * MIB
        if SANITIZED:
            limit += limit // 2 + 300 * MIB  # of shadow and quarantine
        peak = int(read(f"peak.{rank}"))
        assert peak > held, f"rank {rank} cannot have held its samples"
        assert peak <= limit, f"rank {rank} took {peak / MIB:.0f} MiB, expected at most {limit / MIB:.0f}"


CONVOLUTIONAL = """
[data]
dataset = "synthetic"
train_samples = 2048
test_samples = 2048
[train]
epochs = 1
batch_size = 1024
[[model.layers]]
type = "conv"
filters = 32
size = 3
[[model.layers]]
type = "relu"
[[model.layers]]
type = "max_pool"
size = 2
[[model.layers]]
type = "conv"
filters = 32
size = 3
[[model.layers]]
type = "batch_norm"
[[model.layers]]
type = "relu"
[[model.layers]]
type = "global_average_pool"
[[model.layers]]
type = "dense"
"""


@pytest.mark.parametrize("ranks", [ALONE, 2], ids=["one_process", "two_ranks"])
def test_inspect_predicts_what_a_convolutional_network_takes(ranks):
    write("run.toml", CONVOLUTIONAL)
    line = succeed("inspect", "run.toml").out.splitlines()[-1]
    number = max(ranks, 1)
    predicted = int(re.search(rf"(\d+) MiB with {number}\b", line)[1])
    train(ranks, "compute.threads=1")
    measured = int(read("peak.0")) / MIB
    most = 10 * predicted if SANITIZED else 1.1 * predicted  # shadow memory and quarantine are not the program's
    assert 0.9 * predicted <= measured <= most, f"{predicted} MiB predicted, {measured:.0f} measured"
