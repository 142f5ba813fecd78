"""lockstep predict: tables of more ranks than there are, from measurements that a file keeps."""

import tempfile
from pathlib import Path

import pytest
from harness.files import header, read, read_csv, read_json, write, write_small_config
from harness.process import ALONE, lockstep, settings, succeed, three_ranks_if_long

ONE_THREAD = settings("compute.threads=1")
MEASURED = ["--calibration", "measured.json"]


@pytest.fixture(autouse=True)
def small_config(folder):
    write_small_config()


def test_predict_writes_a_row_for_every_network_and_layout(ranks):
    out = succeed("predict", "run.toml", "--network", "1gbit,40:2", "--at", "1x1,2x1,64x1", "--cores-per-host", "2", "--csv",
                  "table.csv", *ONE_THREAD, ranks=ranks).out
    assert header("table.csv").startswith("network,cores,hosts,ranks,threads,shards,batch_size,")
    rows = [",".join(row.values()) for row in read_csv("table.csv")]
    assert len(rows) == 6
    assert rows[0].startswith("1gbit,1,1,1,1,")
    assert rows[2].startswith("1gbit,64,32,64,1,64,")
    assert rows[5].startswith("40:2,64,32,64,1,64,")
    assert rows[0].endswith(",1,1.00000")  # the speed-up of one over one
    assert "over 40:2" in out
    assert "64*" in out


def test_a_calibration_gathers_layouts_and_is_enough(ranks):
    succeed("predict", "run.toml", *MEASURED, *ONE_THREAD, "--at", "1x1", ranks=ranks)
    succeed("predict", "run.toml", *MEASURED, *settings("compute.threads=2"), "--at", "1x1,1x2", ranks=ranks)
    file = read_json("measured.json")
    assert len(file["layouts"]) == (2 if ranks == ALONE else 4)
    assert ("within_host" in file) == (ranks != ALONE)
    before = read("measured.json")
    first, second = (succeed("predict", "run.toml", *MEASURED, "--no-measure", "--most", "8", ranks=ranks) for _ in range(2))
    assert read("measured.json") == before
    assert first == second


@three_ranks_if_long
def test_predict_takes_data_without_a_test_set(ranks):
    """Six points, none of them for testing, in batches of four."""
    write("points.csv", "1,2,a\n2,1,b\n1,3,a\n3,1,b\n1,4,a\n4,1,b\n")
    write("run.toml", "[data]\ndataset = 'csv'\nfile = 'points.csv'\nshards = 4\n[train]\nbatch_size = 4\n")
    out = succeed("predict", "run.toml", "--most", "16", *ONE_THREAD, ranks=ranks).out
    assert "\n    8 " not in out, "more ranks than the batch has samples"


@pytest.fixture(scope="module")
def measurements():
    """The text of a file of measurements with one thread."""
    with tempfile.TemporaryDirectory(prefix="lockstep-test-") as folder:
        config, file = Path(folder, "run.toml"), Path(folder, "measured.json")
        write_small_config(config)
        succeed("predict", config, "--calibration", file, *ONE_THREAD, "--at", "1x1")
        return read(file)


@three_ranks_if_long
@pytest.mark.parametrize("words, says", [
    ("--network fast", ['the network is "fast"', "25gbit", "GBIT:MICROSECONDS"]),
    ("--at 4", ["--at is 4", "RANKSxTHREADS"]),
    ("--at 4x7 --set compute.threads=1", ["--at is 4x7", "threads that was measured: 1"]),
    ("--at 4096x1 --set compute.threads=1", ["--at is 4096x1", "train.batch_size"]),
    ("--most 1 --set compute.threads=2", ["nothing to predict", "2 threads", "--most"]),
    ("--no-measure --calibration measured.json --set reduce.mode=float", ["measured.json", "exact reduction", "expected"]),
    ("--no-measure", ["--no-measure", "--calibration"]),
    ("--no-measure --calibration none.json", ["none.json", "cannot be read"]),
    ("--no-measure --calibration empty.json", ["empty.json", "expected what lockstep predict"]),
    ("--no-measure --calibration measured.json --set model.hidden=[3]", ["measured.json", "another network"]),
])
def test_predict_refuses_what_it_cannot_use(words, says, measurements, ranks):
    write("empty.json", "{}")
    write("measured.json", measurements)
    outcome = lockstep("predict", "run.toml", *words.split(), ranks=ranks)
    assert outcome.code == 2
    assert [part for part in says if part not in outcome.err] == []
    assert outcome.err.count("\n") == 1


def test_predict_takes_convolutions_and_no_micro_batch_too_small_for_batch_norm():
    """Of micro-batches of 16 samples it also measures smaller ones, but a batch norm of plain rows needs two samples."""
    network = ('model.layers=[{type="conv", filters=4, size=3}, {type="relu"}, {type="max_pool", size=4}, {type="dense", units=6}, '
               '{type="batch_norm"}, {type="relu"}, {type="dense"}]')
    words = ["predict", "run.toml", *MEASURED, *ONE_THREAD, *settings(network, "train.batch_size=128"), "--at", "1x1,8x1"]
    assert "most is lost to" in succeed(*words).out
    file = read_json("measured.json")
    assert file["tensors"] == [108, 4, 1536, 6, 6, 6, 6, 6, 60, 10]
    # Of backward: the first layer computes no gradient of its inputs, and running statistics have none of their own.
    assert file["backward_work"] == [1024 * 108, 1024 * 4, 2 * 1536, 12, 12, 12, 6, 6, 120, 20]
    # A layer that needs all of its tensors goes forward with the last one.
    assert file["forward_work"] == [0, 1024 * 108 + 1024 * 4, 1536, 6, 0, 0, 0, 24, 60, 10]
    assert file["in_slices"] == [False, False, True, False, False, False, False, False, True, False]
    # Losses and requests to stop, two statistics of six channels, and counters of ten tensors.
    assert (file["few_bytes"], file["part_sums"]) == (8 * 8 + 8 * 3 * 12 + 4 * 128 * 10, [])
    measured = {(step["blocks"], step["rows"]) for step in file["layouts"][0]["steps"]}
    assert (8, 128) in measured and (8, 32) in measured and (8, 8) not in measured
    smaller = lockstep(*words, "--set", "model.layers.2.size=2", "--set", "model.layers.3.units=6", "--no-measure")
    assert (smaller.code, "another network" in smaller.err) == (2, True)
