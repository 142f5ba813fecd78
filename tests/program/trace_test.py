"""Where the time goes: --trace, the split in metrics.csv, sums that overlap with backward, and doctor. Alone and on three ranks."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from harness.files import read_csv, read_json, weights_hash, write_small_config
from harness.process import lockstep, settings, succeed


@pytest.fixture(autouse=True)
def small_config(folder):
    write_small_config()


def train(ranks, out, *keys, more=()):
    succeed("train", "run.toml", "--quiet", "--overwrite", "--out", out, *settings(*keys), *more, ranks=ranks)


def test_trace_has_every_ranks_steps_on_one_clock(ranks):
    train(ranks, "out", "reduce.overlap=always", more=["--trace", "trace.json"])
    activities, steps, first_update = defaultdict(set), defaultdict(set), {}
    for event in read_json("trace.json")["traceEvents"]:
        rank = event["pid"]
        if event["ph"] == "X":
            activities[rank].add(event["name"])
            assert event["ts"] >= 0
            if event["name"] == "update":
                steps[rank].add(event["args"]["step"])
                first_update.setdefault(rank, event["ts"])
        elif event["ph"] == "b":
            activities[rank].add("bucket")
    assert sorted(activities) == list(range(max(ranks, 1)))
    for rank, seen in activities.items():
        assert {"gather", "forward", "backward", "wait", "transfer", "update", "evaluation"} <= seen
        assert ("bucket" in seen) == (ranks > 1)
        assert steps[rank] == steps[0]
        # All wait for the slowest before they update: on one clock the first updates lie close together. Microseconds.
        assert first_update[rank] == pytest.approx(first_update[0], rel=0, abs=5e6)
    assert min(steps[0]) == 1


def test_a_trace_that_cannot_be_written_is_one_line(ranks):
    outcome = lockstep("train", "run.toml", "--quiet", "--out", "out", "--trace", "missing/trace.json", ranks=ranks)
    assert outcome.code == 2
    assert re.fullmatch("lockstep: missing/trace.json: cannot be written.*\n", outcome.err), outcome.err
    assert not Path("out/model.safetensors").exists(), "refused before it trains"


def test_metrics_split_the_seconds_of_an_epoch(ranks):
    train(ranks, "out")
    for row in read_csv("out/metrics.csv"):
        compute, wait, transfer = (float(row[f"{name}_seconds"]) for name in ("compute", "wait", "transfer"))
        seconds = float(row["seconds"])
        assert compute > 0 and wait >= 0 and transfer >= 0
        assert compute + wait + transfer <= 1.05 * seconds + 0.01  # ranks' means against rank 0's clock
        assert compute + wait + transfer >= 0.3 * seconds


def test_overlap_changes_no_bit_of_the_weights(ranks):
    train(ranks, "plain", "reduce.overlap=never")
    for size in (0, 100, 5000, 100000000):
        train(ranks, "out", "reduce.overlap=always", f"reduce.bucket_bytes={size}")
        assert weights_hash("out") == weights_hash("plain"), size


def test_doctor_says_what_there_is(ranks):
    said = succeed("doctor", ranks=ranks).out
    for part in ("kernels", "GFLOP/s", "ranks", " to run on", "threads", "allreduce", "data", "launch/get-cifar10",
                 f"{max(ranks, 1)} on 1 host"):
        assert part in said
    assert ("microseconds" in said) == (ranks > 1)
    assert ("in memory that the ranks share" in said) == (ranks > 1)
