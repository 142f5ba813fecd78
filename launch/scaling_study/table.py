"""runs.csv, a row for each finished run, and predicted.csv."""

import csv
import io
import os
from dataclasses import astuple, dataclass, fields

from .failure import Failure


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

    @property
    def point(self):
        return Point(self.ranks, self.threads)


def columns_of(kind):
    return [field.name for field in fields(kind)]


def amount(number, what):
    return f"{number} {what}{'' if number == 1 else 's'}"


def write_text(path, text):
    """Replaces the file: it is the old one or the new one at any moment."""
    new = path.with_name(path.name + ".new")
    try:
        with open(new, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError as error:
        raise Failure(2, f"{path}: cannot be written: {error.strerror}") from None


def write_rows(path, kind, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns_of(kind))
    for row in rows:
        writer.writerow(f"{x:.9g}" if isinstance(x, float) else x for x in astuple(row))
    write_text(path, text.getvalue())


def read_rows(path, kind):
    """Columns are found by their names; there may be others."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Failure(3, f"{path}: not readable: {getattr(error, 'strerror', None) or error}") from None
    for name in columns_of(kind):
        if name not in (reader.fieldnames or []):
            raise Failure(3, f"{path}: no column {name}, expected {','.join(columns_of(kind))}")
    return [read_row(path, line, row, kind) for line, row in enumerate(rows, start=2)]


def read_runs(path):
    runs = read_rows(path, Run)
    if not runs:
        raise Failure(3, f"{path}: no run yet, expected a line for each")
    return runs


def read_predictions(folder):
    path = folder / "predicted.csv"
    return read_rows(path, Prediction) if path.exists() else []


def read_row(path, line, row, kind):
    values = []
    for field in fields(kind):
        try:
            values.append(field.type(row[field.name]))
            if field.type is not str and not 0 <= values[-1] < float("inf"):
                raise ValueError
        except (TypeError, ValueError):
            text = {int: "a whole number", float: "a number"}.get(field.type, "a text")
            raise Failure(3, f"{path}: line {line}: {field.name} is '{row[field.name]}', expected {text}") from None
    result = kind(*values)
    if 0 in (result.ranks, result.threads, result.seconds, getattr(result, "samples_per_second", 1)):
        raise Failure(3, f"{path}: line {line}: ranks, threads or a time is 0, expected more")
    return result
