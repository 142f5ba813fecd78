"""runs.csv, a row for each finished run, and predicted.csv. Each kind of row names what must be above 0 in it."""

import csv
import io
from dataclasses import astuple, dataclass, fields
from typing import ClassVar

from ..files import replace_file
from ..tables import read_table
from ..words import amount


@dataclass(frozen=True, order=True)
class Point:
    ranks: int
    threads: int

    @property
    def workers(self):
        return self.ranks * self.threads

    def __str__(self):
        return f"{amount(self.ranks, 'rank')} x {amount(self.threads, 'thread')}"


@dataclass(frozen=True)
class Run:
    """The columns, in their order. Times are of an epoch, `placement` is each rank's host and cores, with "; " between."""

    ranks: int
    threads: int
    hosts: int
    repeat: int  # from 1
    oversubscribed: int  # 1: there were more threads than cores
    batch_size: int
    train_samples: int
    seconds: float
    samples_per_second: float
    compute_seconds: float
    wait_seconds: float
    transfer_seconds: float
    weights_hash: str
    placement: str
    ABOVE_ZERO: ClassVar = ("ranks, threads or a time", ("ranks", "threads", "seconds", "samples_per_second"))

    @property
    def point(self):
        return Point(self.ranks, self.threads)


@dataclass(frozen=True)
class Prediction:
    """A row of predicted.csv: what lockstep predict said of an epoch, from steps and sums measured beside that repeat."""

    ranks: int
    threads: int
    repeat: int
    seconds: float
    ABOVE_ZERO: ClassVar = ("ranks, threads or a time", ("ranks", "threads", "seconds"))

    @property
    def point(self):
        return Point(self.ranks, self.threads)


def columns_of(kind):
    return [field.name for field in fields(kind)]


def write_rows(path, kind, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns_of(kind))
    for row in rows:
        writer.writerow(f"{x:.9g}" if isinstance(x, float) else x for x in astuple(row))
    replace_file(path, text.getvalue())


def read_rows(path, kind, item=None):
    """Columns are found by their names; there may be others. item: what a row is, if there must be one."""
    table = read_table(path, columns_of(kind), item)
    return [read_row(table, i, kind) for i in range(len(table.rows))]


def read_runs(path):
    return read_rows(path, Run, "run")


def read_predictions(folder):
    path = folder / "predicted.csv"
    return read_rows(path, Prediction) if path.exists() else []


def read_row(table, i, kind):
    values = []
    for field in fields(kind):
        text = table.texts(field.name)[i]
        try:
            values.append(field.type(text))
            if field.type is not str and not 0 <= values[-1] < float("inf"):
                raise ValueError
        except ValueError:
            expected = {int: "a whole number", float: "a number"}[field.type]
            raise table.problem(f"line {table.lines[i]}: {field.name} is '{text}', expected {expected}") from None
    row = kind(*values)
    what, names = kind.ABOVE_ZERO
    if 0 in (getattr(row, name) for name in names):
        raise table.problem(f"line {table.lines[i]}: {what} is 0, expected more")
    return row
