"""A sweep over run.toml, points of the plane."""

from harness.files import read_csv, write
from harness.process import ALONE, lockstep, settings, succeed


def write_sweep(text):
    """sweep.toml: its configuration is run.toml, the rest this text."""
    write("sweep.toml", f'config = "run.toml"\n{text}')


def sweep(ranks=ALONE, out="out", *more):
    return lockstep("sweep", "sweep.toml", "--out", out, *more, ranks=ranks)


def trials_of(ranks=ALONE, out="out", *more):
    """The table of a sweep that must end well."""
    succeed("sweep", "sweep.toml", "--out", out, *more, ranks=ranks)
    return read_csv(f"{out}/trials.csv")


def by_number(trials):
    """The rows in the order of the trials' numbers, which are 1, 2, ..."""
    rows = sorted(trials, key=lambda row: int(row["trial"]))
    assert [int(row["trial"]) for row in rows] == list(range(1, len(rows) + 1))
    return rows


def trained(metric, *keys):
    """A metric of the last epoch of run.toml with these settings, by lockstep train."""
    succeed("train", "run.toml", "--quiet", "--overwrite", "--out", "trained", *settings(*keys))
    return float(read_csv("trained/metrics.csv")[-1][metric])
