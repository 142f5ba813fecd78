"""Weights know the data that they were trained on: they are used with other files, without the training data, from a checkpoint, from
another folder; and other data, or other bytes, are noticed. Alone and on three ranks."""

import os
import re
import shutil
from pathlib import Path

import pytest
from harness.build import MPIRUN, PROGRAM
from harness.files import read_safetensors, summary_of, weights_hash, write, write_safetensors
from harness.process import execute, lockstep, settings, succeed, three_ranks_if_long

MODEL = "out/model.safetensors"


def rows_of(classes, offset=0.0, rows=60):
    """Rows of three classes that lie apart along x: class c around x = 5 c + offset."""
    text = "x,y,label\n"
    for i in range(rows):
        label = classes[i % len(classes)]
        x = 5.0 * (ord(label) - ord("a")) + offset + 0.01 * (i * 37 % 100)
        text += f"{x:f},{0.02 * (i * 53 % 100):f},{label}\n"
    return text


@pytest.fixture(autouse=True)
def files(folder):
    write("train.csv", rows_of("abc"))
    write("run.toml", """
        [data]
        dataset = "csv"
        file = "train.csv"
        normalize = "mean_std"
        shards = 4
        [model]
        hidden = [8]
        activation = "tanh"
        [train]
        epochs = 30
        batch_size = 12
        learning_rate = 0.3
        [compute]
        threads = 1
        """)


class Program:
    def __init__(self, ranks):
        self.ranks = ranks

    def __call__(self, *words):
        return lockstep(*words, ranks=self.ranks)

    def train(self, *keys, out="out", more=()):
        succeed("train", "run.toml", "--out", out, "--quiet", *settings(*keys), *more, ranks=self.ranks)

    def try_to_train(self, *keys, out="more", more=()):
        return self("train", "run.toml", "--out", out, "--quiet", *settings(*keys), *more)

    def evaluate(self, *keys, run="out"):
        return self("eval", run, *settings(*keys))


@pytest.fixture
def program(ranks):
    return Program(ranks)


def accuracy(outcome, split):
    """What eval prints of a split."""
    assert outcome.code == 0, outcome
    return float(re.search(rf"{split} +loss \S+ +accuracy (\S+) ", outcome.out)[1])


def refused(outcome, code, *says):
    """With this code and one line that has these parts."""
    assert outcome.code == code, outcome
    assert re.fullmatch("lockstep: .*\n", outcome.err), outcome
    assert [part for part in says if part not in outcome.err] == [], outcome


def said(outcome, part):
    assert outcome.code == 0, outcome
    assert part in outcome.out


def test_classes_and_statistics_are_those_of_training_not_of_the_file_that_is_evaluated(program):
    """Two of the classes, whose mean is not that of the three, and whose places are not theirs."""
    program.train()
    write("other.csv", rows_of("bc"))
    other = program.evaluate("data.file=other.csv")
    assert accuracy(other, "train") == 1.0
    said(other, "other.csv: not the data that the network was trained on, train.csv")
    assert accuracy(program.evaluate("data.test_file=other.csv"), "test") == 1.0


def test_other_columns_and_classes_are_refused_by_name(program):
    program.train()
    write("classes.csv", rows_of("abd"))
    write("columns.csv", "x,z,label\n1,2,a\n2,3,b\n")
    for way in (program.evaluate, lambda key: program.try_to_train(f"train.init_from={MODEL}", key)):
        refused(way("data.file=classes.csv"), 3, "classes.csv:4: ", 'is "d"', "one of the classes a, b, c")
        refused(way("data.file=columns.csv"), 3, 'columns.csv:1: has no column "y"', "expected the columns of")


def test_it_is_used_without_the_training_data(program):
    program.train()
    Path("train.csv").unlink()
    write("other.csv", rows_of("ac"))
    assert accuracy(program.evaluate("data.file=other.csv"), "train") == 1.0
    tested = program.evaluate("data.test_file=other.csv")
    assert accuracy(tested, "test") == 1.0
    assert "train " not in tested.out
    said(tested, "train.csv is not there: only other.csv is evaluated")


def test_it_is_trained_further_with_its_own_statistics(program):
    """The features' mean and scale are those that the weights were made for, also where all lies elsewhere."""
    program.train()
    write("moved.csv", rows_of("cb", 3.0))
    program.train("data.file=moved.csv", "train.epochs=1", "train.learning_rate=1e-9", f"train.init_from={MODEL}", out="more")
    before = accuracy(program.evaluate("data.file=moved.csv"), "train")
    assert summary_of("more")["train_accuracy"] == pytest.approx(before, rel=0, abs=1e-6)
    assert before < 1.0
    refused(program.try_to_train("data.normalize=none", f"train.init_from={MODEL}", out="other"), 2,
            'data.normalize is "none", expected "mean_std"', MODEL)


@three_ranks_if_long
def test_it_is_any_checkpoint_of_a_run(program):
    program.train("train.epochs=3")
    model = program("eval", "out").out
    newest = "out/checkpoints/step-000000015.safetensors"
    assert program("eval", "out", "--model", "latest").out == model
    assert program("eval", "out", "--model", newest).out == model
    best = program("eval", "out", "--model", "best").out
    assert program("eval", "out", "--model", "out/checkpoints/best.safetensors").out == best
    for start in (newest, "out"):
        program.train("train.epochs=1", "train.learning_rate=1e-30", f"train.init_from={start}", out="more", more=["--overwrite"])
        assert weights_hash("more") == weights_hash("out")
    refused(program("eval", "out", "--model", "out/checkpoints/none.safetensors"), 4, "none.safetensors", "cannot be read")


@three_ranks_if_long
def test_of_a_run_that_is_not_finished_it_is_the_newest_checkpoint(program):
    program.train("train.epochs=3")
    finished = program("eval", "out").out
    Path(MODEL).unlink()
    Path("out/summary.json").unlink()
    outcome = program("eval", "out", "--predictions")
    said(outcome, "no model.safetensors yet: these are the weights of out/checkpoints/step-000000015")
    said(outcome, finished)
    shutil.rmtree("out/checkpoints")
    refused(program("eval", "out"), 4, "out/checkpoints", "no checkpoint")


@three_ranks_if_long
def test_it_is_refused_where_a_bit_is_wrong(program):
    program.train("train.epochs=1")
    content = bytearray(Path(MODEL).read_bytes())
    content[-9] ^= 4
    write(MODEL, bytes(content))
    parts = [f"{MODEL}: its bytes have the checksum", "expected"]
    refused(program("eval", "out"), 4, *parts)
    refused(program("inspect", MODEL), 4, *parts)
    refused(program.try_to_train(f"train.init_from={MODEL}"), 4, *parts)
    said(program("inspect", "out"), f"model            broken: {MODEL}")


@three_ranks_if_long
def test_that_of_another_program_is_prepared_by_the_training_data(program):
    program.train()
    own = program("eval", "out").out
    tensors = read_safetensors(MODEL)
    del tensors.header["__metadata__"]
    write_safetensors("plain.safetensors", tensors)
    outcome = program("eval", "run.toml", "--model", "plain.safetensors")
    said(outcome, "plain.safetensors does not say what it was trained on")
    said(outcome, own)


@three_ranks_if_long
def test_it_is_found_from_any_folder_with_its_data(program, monkeypatch):
    program.train()
    here = program("eval", "out").out
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert program("eval", "../out").out == here
    again = program("train", "../out/config.toml", "--out", "again", "--quiet")
    assert again.code == 0, again
    assert weights_hash("again") == weights_hash("../out")


def test_it_does_not_go_on_with_other_data(program):
    """Of the same shape, so that nothing else would notice."""
    write("test.csv", rows_of("abc", 0.0, 9))
    program.train("train.epochs=2", "data.test_file=test.csv")

    def go_on(test_file="test.csv"):
        return program.try_to_train("train.epochs=3", f"data.test_file={test_file}", out="out", more=["--resume", "latest"])

    write("train.csv", rows_of("abc", 0.125))
    refused(go_on(), 3, "train.csv: its training samples have the fingerprint ", f"expected {summary_of('out')['data']['train']}",
            "out/checkpoints/step-000000010")
    write("train.csv", rows_of("abc"))
    write("test.csv", rows_of("acb", 0.0, 9))
    refused(go_on(), 3, "test.csv: its test samples have the fingerprint ")
    write("moved.csv", rows_of("abc", 0.0, 9))
    Path("test.csv").unlink()
    outcome = go_on("moved.csv")  # where a file is does not matter
    assert outcome.code == 0, outcome


def test_it_goes_on_with_the_statistics_that_it_began_with(program):
    """The network that it began with is told neither again, nor is it there any more: the checkpoint knows."""
    program.train("train.epochs=2", out="first")
    write("moved.csv", rows_of("cb", 3.0))
    moved, begins = "data.file=moved.csv", "train.init_from=first"
    program.train(moved, begins, "train.epochs=4", out="whole")
    for out in ("unnamed", "gone"):
        program.train(moved, begins, "train.epochs=2", out=out)
    program.train(moved, "train.epochs=4", out="unnamed", more=["--resume", "latest"])
    shutil.rmtree("first")
    program.train(moved, begins, "train.epochs=4", out="gone", more=["--resume", "latest"])
    for out in ("unnamed", "gone"):
        assert weights_hash(out) == weights_hash("whole")
        assert Path(out, "model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()


def test_it_begins_anew_with_its_own_statistics_and_classes(program):
    program.train("train.epochs=2")
    begin = {"more": ["--resume-from", "out"]}
    slow = ["train.epochs=1", "train.learning_rate=1e-9"]
    write("moved.csv", rows_of("cb", 3.0))
    program.train(*slow, "data.file=moved.csv", out="more", **begin)
    expected = accuracy(program.evaluate("data.file=moved.csv"), "train")
    assert summary_of("more")["train_accuracy"] == pytest.approx(expected, rel=0, abs=1e-6)
    write("classes.csv", rows_of("bcd"))
    refused(program.try_to_train(*slow, "data.file=classes.csv", out="other", **begin), 3, "classes.csv:4: ", 'is "d"',
            "one of the classes a, b, c")
    assert not Path("other").exists()


@three_ranks_if_long
@pytest.mark.parametrize("first", [1700000000, 0], ids=["unix_times", "offsets"])
def test_it_sees_differences_of_columns_that_are_far_from_zero(program, first):
    places = [i * 7 % 120 for i in range(120)]
    write("times.csv", "unix_time,late\n" + "".join(f"{first + place},{'no' if place < 60 else 'yes'}\n" for place in places))
    program.train("data.file=times.csv")
    assert summary_of("out")["train_accuracy"] >= 0.95


@pytest.mark.parametrize("command", ["train", "verify", "gradcheck"])
def test_two_ranks_of_different_data_are_refused_by_file_rank_and_host(command):
    """Each in a folder of its own, as hosts have their own copies."""
    here = os.getcwd()
    write("run.toml", '[data]\ndataset = "csv"\nfile = "d.csv"\n[train]\nepochs = 1\nbatch_size = 8\n')
    write("start", f'cd rank${{OMPI_COMM_WORLD_RANK-$PMI_RANK}} && exec {PROGRAM} "$@"\n')
    write("rank0/d.csv", rows_of("abc"))
    more = ["--quiet", "--overwrite", "--out", f"{here}/out"] if command == "train" else []
    job = [*MPIRUN, "-np", 2, "sh", "start", command, f"{here}/run.toml", *more]
    write("rank1/d.csv", rows_of("abc"))
    same = execute(job)
    assert same.code == 0, same
    write("rank1/d.csv", rows_of("acb"))
    other = execute(job)
    assert other.code == 3, other
    assert re.fullmatch(r"lockstep: d.csv: the ranks read different files, expected the same on every host: rank 0 on \S+ has the "
                        r"fingerprint [0-9a-f]{16}, but rank 1 on \S+ \([0-9a-f]{16}\)\n", other.err), other.err
