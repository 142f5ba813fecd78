"""lockstep sweep: how runs end, what an interrupted sweep leaves to the next, and who does the work."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
from harness.files import read, read_csv, read_json, timeless, write, write_planar_config
from harness.jobs import ranks_below
from harness.process import ALONE, Running, settings, succeed, words_of
from sweeps import sweep, trials_of, write_sweep

FOUR_TRIALS = '[parameters]\n"train.l2" = [0.0, 0.1]\n"train.epochs" = [2, 3]\n'
TWO_TRIALS = '[parameters]\n"train.l2" = [0.0, 0.1]\n'


@pytest.fixture(autouse=True)
def config(folder):
    write_planar_config()


def done_before(outcome):
    """The runs that this output says were done before."""
    assert outcome.code == 0, outcome
    return sorted(re.findall("^(.*): done before$", outcome.out, re.MULTILINE))


def test_groups_of_ranks_of_any_size_have_the_same_trials():
    write_sweep("seeds = [1, 2]\n" + FOUR_TRIALS)
    expected = timeless(trials_of(ALONE, "alone"))
    assert len(expected) == 4
    for ranks, group in ((1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)):
        out = f"{ranks}by{group}"
        assert timeless(trials_of(ranks, out, "--ranks-per-trial", group)) == expected, out


def test_trials_that_fail_are_reported_and_it_goes_on(ranks):
    """One that diverges, one whose batch the 4 shards do not divide."""
    write_sweep('[parameters]\n"train.learning_rate" = [1e29, 0.1]\n"train.batch_size" = [8, 30]\n')
    trials = trials_of(ranks)
    assert [row["trial"] for row in trials] == ["2", "1", "3", "4"], "failures come last"
    indivisible = "train.batch_size is 30, expected a multiple of data.shards"
    assert trials[0]["status"] == "ok" and trials[0]["error"] == "" and trials[0]["score"] != "nan"
    for row, error in zip(trials[1:], ("training diverged at step", indivisible, indivisible)):
        assert (row["status"], row["score"]) == ("failed", "nan")
        assert error in row["error"]


def test_it_fails_where_every_trial_does_and_keeps_the_table(ranks):
    write_sweep('[parameters]\n"train.learning_rate" = [1e28, 1e29]\n')
    outcome = sweep(ranks)
    assert outcome.code == 2
    assert re.fullmatch("lockstep: every trial failed, the first: training diverged.*\n", outcome.err), outcome.err
    assert len(read_csv("out/trials.csv")) == 2


UNTESTED = '[set]\n"data.test_fraction" = 0\n' + TWO_TRIALS


@pytest.mark.parametrize("text, refusal", [
    ("folds = 37\n" + TWO_TRIALS, "data.folds is 37, expected 2 to 36, the number of training samples"),
    (UNTESTED, 'score is "test_accuracy", which there will not be: circle has no test samples'),
    ('score = "test_loss"\n' + UNTESTED, 'score is "test_loss", which there will not be: circle has no test samples'),
    ('[set]\n"data.dataset" = "function"\n"model.loss" = "mse"\n' + TWO_TRIALS,
     'score is "test_accuracy", which there will not be: the targets of function are values, not classes'),
    ('score = "test_largest_error"\n' + TWO_TRIALS,
     'score is "test_largest_error", which there will not be: the network has 2 outputs, not one')],
    ids=["folds", "accuracy_without_test", "loss_without_test", "accuracy_of_values", "error_of_two_outputs"])
def test_without_hope_of_a_score_it_does_not_begin(text, refusal):
    """It would train everything in vain."""
    does_not_begin(text, refusal, ALONE)


def test_nor_do_three_ranks():
    does_not_begin(UNTESTED, 'score is "test_accuracy", which there will not be: circle has no test samples', 3)


def does_not_begin(text, refusal, ranks):
    write_sweep(text)
    outcome = sweep(ranks)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"lockstep: sweep.toml: no trial can run: {refusal}\n"
    assert not Path("out").exists()


def test_a_trial_that_cannot_have_the_score_is_not_trained():
    write_sweep('score = "test_loss"\n[parameters]\n"data.test_fraction" = [0, 0.4]\n')
    outcome = sweep()
    assert outcome.code == 0, outcome
    assert '0001: failed: score is "test_loss", which there will not be' in outcome.out
    assert read_csv("out/trials.csv")[0]["trial"] == "2"


def test_it_goes_on_where_it_was_killed(ranks):
    """The last trial is long: when two others are done, all ranks are killed."""
    write_sweep('[parameters]\n"train.epochs" = [1, 2, 3, 6000]\n')
    expected = timeless(trials_of(ALONE, "expected"))
    with Running(words_of(["sweep", "sweep.toml", "--out", "out"], ranks)) as job:
        deadline = time.monotonic() + 30
        while not all(Path("out", file).exists() for file in ("runs/0001.json", "runs/0002.json", "trials.csv")):
            assert time.monotonic() < deadline, "two trials are done"
            time.sleep(0.01)
        for rank in ranks_below(job.pid):
            os.kill(rank, signal.SIGKILL)
        assert job.wait().code != 0
    assert not Path("out/runs/0004.json").exists(), "killed too late to say anything"
    assert len(read_csv("out/trials.csv")) < 4
    done = [name for name in ("0001", "0002", "0003") if Path(f"out/runs/{name}.json").exists()]
    assert done_before(sweep(ranks)) == done
    assert timeless(read_csv("out/trials.csv")) == expected


def test_runs_are_done_once():
    write_sweep("folds = 2\n" + FOUR_TRIALS)
    first = trials_of()
    assert len(done_before(sweep(2))) == 8
    assert read_csv("out/trials.csv") == first, "the times too"


def test_runs_that_lost_their_file_or_have_a_broken_one_are_done_again_and_no_others():
    write_sweep(FOUR_TRIALS)
    first = timeless(trials_of())
    Path("out/runs/0003.json").unlink()
    whole = read("out/runs/0002.json")
    write("out/runs/0002.json", whole[:len(whole) // 2])
    assert done_before(sweep()) == ["0001", "0004"]
    assert timeless(read_csv("out/trials.csv")) == first


def test_runs_with_files_of_other_kinds_are_done_again():
    """Valid JSON, and not what a sweep writes."""
    write_sweep(FOUR_TRIALS)
    first = timeless(trials_of())
    good = read_json("out/runs/0002.json")
    wrong = [[1], "ok", {}]
    for key in ("status", "seconds", "test_accuracy", "config", "files", "program"):
        values = ["x", None] if key in ("seconds", "test_accuracy") else [5, "x", None]  # those two are numbers
        wrong += [{**good, key: value} for value in values]
    for content in wrong:
        write("out/runs/0002.json", json.dumps(content))
        assert done_before(sweep()) == ["0001", "0003", "0004"], content
    assert timeless(read_csv("out/trials.csv")) == first


def test_runs_of_changed_files_or_another_program_are_done_again():
    def write_data(last):
        write("data.csv", f"1,5,0\n2,6,1\n3,7,0\n{last}\n")

    def write_start(seed):
        succeed("train", "run.toml", "--quiet", "--overwrite", "--out", "start", *settings("train.epochs=1", f"seed={seed}"))

    def once():
        write("run.toml", re.sub("n = 60\nnoise = 0.1\n", "", planar))  # which are of points alone
        done = done_before(sweep())
        write("run.toml", planar)
        return done

    write_planar_config(model="hidden = [5]\n")
    planar = read("run.toml")
    write_data("4,8,1")
    write_start(1)
    write_sweep('score = "train_loss"\n[set]\n"data.dataset" = "csv"\n"data.file" = "data.csv"\n"data.test_fraction" = 0\n'
                '"train.init_from" = "start"\n' + TWO_TRIALS)
    assert once() == []
    assert once() == ["0001", "0002"]
    write_data("4,9,1")
    assert once() == []
    assert once() == ["0001", "0002"]
    write_start(2)
    assert once() == []
    assert once() == ["0001", "0002"]
    result = read_json("out/runs/0001.json")
    result["program"]["version"] = "0.0.0"
    write("out/runs/0001.json", json.dumps(result))
    assert once() == ["0002"]


def test_runs_of_a_changed_configuration_are_done_again():
    write_sweep(FOUR_TRIALS)
    trials_of()
    write("run.toml", read("run.toml") + 'init = "he"\n')
    assert done_before(sweep()) == []
    assert timeless(read_csv("out/trials.csv")) == timeless(trials_of(out="anew"))


def test_runs_of_a_wider_grid_are_not_taken_for_others():
    write_sweep(TWO_TRIALS)
    trials_of()
    write_sweep('[parameters]\n"train.l2" = [0.0, 0.01, 0.1]\n')
    assert done_before(sweep()) == ["0001"]
    assert timeless(read_csv("out/trials.csv")) == timeless(trials_of(out="anew"))


def test_runs_that_failed_are_tried_again():
    write_sweep('[parameters]\n"train.learning_rate" = [0.1, 1e29]\n')
    trials_of()
    assert done_before(sweep()) == ["0001"]
