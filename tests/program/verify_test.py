"""lockstep verify: a difference between these ranks and one process is its exit code."""

import os
import re

import pytest
from harness.files import read_csv, write_small_config
from harness.process import ALONE, lockstep, settings, succeed

VERIFY = ["verify", "run.toml", "--steps", "9"]


@pytest.fixture(autouse=True)
def small_config(folder):
    write_small_config()


def test_verify_finds_the_weights_that_training_has_and_writes_no_files(ranks):
    """In the second epoch, which begins with step 8."""
    outcome = succeed(*VERIFY, ranks=ranks)
    assert os.listdir() == ["run.toml"]
    layout = "1 rank x 1 thread" if ranks == ALONE else "3 ranks x 1 thread"
    found = re.fullmatch(
        f"[^\n]*\nidentical after each of 9 steps: weights ([0-9a-f]{{16}}), {layout} against 1 x 1\n", outcome.out)
    assert found, outcome.out
    succeed("train", "run.toml", "--out", "out", "--quiet", *settings("log.steps=true"), ranks=ranks)
    assert found[1] == read_csv("out/steps.csv")[8]["weights_hash"]


def test_verify_accepts_float_sums_within_the_tolerance(ranks):
    succeed(*VERIFY, *settings("reduce.mode=float"), "--tolerance", "1e-3", ranks=ranks)


def test_three_ranks_are_told_that_float_sums_drift_from_one_processs():
    outcome = lockstep(*VERIFY, *settings("reduce.mode=float"), ranks=3)
    assert (outcome.code, outcome.err) == (1, "")
    assert re.search("drift after 9 steps, .*above the tolerance of 0 ", outcome.out), outcome.out
