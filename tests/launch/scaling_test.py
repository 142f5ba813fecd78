"""launch/scaling with the real program: a small study is complete, and all of its runs trained the same weights."""

import os
import re
from pathlib import Path

from harness.build import PROGRAM
from harness.files import header, read, read_csv, weights_hash, write
from scripts import machine, run, scripts, succeeded

COLUMNS = ("ranks,threads,hosts,repeat,oversubscribed,batch_size,train_samples,seconds,samples_per_second,compute_seconds,"
           "wait_seconds,transfer_seconds,weights_hash,placement")
IN_TURNS = ["1,1", "2,1", "3,1", "3,2", "2,2", "1,2", "1,3", "2,3", "3,3"]  # ranks and repeat: forth and back
STRONG = ["points.toml", "--ranks", "3,1,2", "--repeats", 3, "--epochs", 2, "--out", "strong"]


def study(*words):
    """Two cores of a machine of four: nothing is bound, the same on any machine."""
    if not Path("copy").exists():
        machine(scripts(), 2, 4, 4)
        write("points.toml", """
            [data]
            dataset = "circle"
            n = 240
            [model]
            hidden = [6]
            loss = "binary_cross_entropy"
            [train]
            batch_size = 16
            learning_rate = 0.1
            """)
    return succeeded(run("copy/launch/scaling", *words, LOCKSTEP=PROGRAM))


def columns(table, *names):
    return [",".join(row[name] for name in names) for row in read_csv(table)]


def test_a_study_is_complete():
    said = study(*STRONG).err
    assert sorted(os.listdir("strong")) == ["report.md", "runs.csv", "scaling.png", "scaling.svg", "study.json"]
    assert header("strong/runs.csv") == COLUMNS
    assert columns("strong/runs.csv", "ranks", "repeat") == IN_TURNS
    # Three ranks on two cores are oversubscribed, and no others.
    assert set(columns("strong/runs.csv", "ranks", "oversubscribed")) == {"1,0", "2,0", "3,1"}
    # Half of the points are trained on, in the batch that is configured.
    assert set(columns("strong/runs.csv", "train_samples", "batch_size")) == {"120,16"}
    hashes = set(columns("strong/runs.csv", "weights_hash"))
    assert len(hashes) == 1
    hash_of_all = hashes.pop()
    assert re.fullmatch("[0-9a-f]{16}", hash_of_all)
    for row in read_csv("strong/runs.csv"):
        places = row["placement"].split("; ")
        assert len(places) == int(row["ranks"]) and row["hosts"] == "1"
        assert all(re.fullmatch("[^;,]+: [-0-9,]+", place) for place in places)
    report = read("strong/report.md")
    assert f"All 9 runs ended with the same weights, {hash_of_all}" in report.replace(".**", " ")
    assert f"All 9 runs ended with the same weights, {hash_of_all}." in read("strong/scaling.svg")
    assert "`launch/scaling points.toml --ranks 3,1,2 --repeats 3 --epochs 2 --out strong`" in report
    assert re.search("run 9 of 9: 3 ranks x 1 thread, repeat 3: .* s an epoch, oversubscribed, weights", said)

    # The hash is that of a run of an epoch more, the warm-up.
    succeeded(run(PROGRAM, "train", "points.toml", "--quiet", "--set", "train.epochs=3", "--out", "alone"))
    assert weights_hash("alone") == hash_of_all

    # Predictions are added to a study that is there, for the points that scale.
    study(*STRONG, "--predict")
    assert columns("strong/predicted.csv", "ranks", "threads", "repeat") == ["1,1,1", "2,1,1", "2,1,2", "1,1,2", "1,1,3", "2,1,3"]
    assert columns("strong/runs.csv", "ranks", "repeat") == IN_TURNS, "the runs are those of before"
    assert re.search(r"^\| 2 ranks x 1 thread \| .* \| [0-9.]* \| [+-][0-9]* % \|$", read("strong/report.md"), re.MULTILINE)


def test_a_weak_study_has_a_batch_for_each_number_of_ranks_and_threads_do_not_change_weights():
    study("points.toml", "--ranks", "1,2", "--threads", "1,2", "--repeats", 1, "--epochs", 1, "--weak", "--set", "data.shards=4",
          "--out", "weak")
    assert columns("weak/runs.csv", "ranks", "threads", "batch_size") == ["1,1,16", "1,2,16", "2,1,32", "2,2,32"]
    assert len(set(columns("weak/runs.csv", "weights_hash"))) == 2
    assert "All 4 runs: equal weights wherever the batch is the same" in read("weak/report.md")
