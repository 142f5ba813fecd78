"""A run in the test's folder, and the tables that lockstep eval makes of it."""

import os
from pathlib import Path

from .process import ALONE, lockstep, settings, succeed


def train(*keys):
    succeed("train", "run.toml", "--quiet", "--out", "out", "--overwrite", *settings(*keys))


def evaluate(*words, ranks=ALONE):
    """What eval says of the run."""
    return succeed("eval", "out", *words, ranks=ranks).out


def expect_the_same_from_three_ranks(flags, files):
    """Writes tables into the folders 1 and 3, on one and on three ranks; they are these files, and the words are the same too."""
    said = []
    for name, ranks in (("1", ALONE), ("3", 3)):
        text = evaluate(*flags, "--out", name, ranks=ranks)
        last = f"tables written to {name}\n"
        assert text.endswith(last)
        said.append(text.removesuffix(last))
    assert said[0] == said[1]
    assert sorted(os.listdir("1")) == sorted(os.listdir("3")) == sorted(files)
    assert [file for file in files if Path("1", file).read_bytes() != Path("3", file).read_bytes()] == []


def expect_refusal(words, code, says, ranks=ALONE):
    """eval ends with that code and one line that begins like this. Returns the outcome."""
    outcome = lockstep("eval", "out", *words, ranks=ranks)
    assert outcome.code == code
    assert outcome.err.startswith(f"lockstep: {says}") and outcome.err.count("\n") == 1, outcome.err
    return outcome
