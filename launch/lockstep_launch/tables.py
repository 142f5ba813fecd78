"""CSV tables with a header: columns are found by their names, and whatever is wrong is one line that names the file."""

import csv
import math

from .script import Failure


class Table:
    """A header and its rows, each as long as the header. lines: the line of the file where a row ends."""

    def __init__(self, path, header, rows, lines):
        self.path, self.header, self.rows, self.lines = path, header, rows, lines
        self.place = {name: column for column, name in enumerate(header)}

    def problem(self, what):
        return Failure(3, f"{self.path}: {what}")

    def texts(self, name):
        """That column."""
        return [row[self.place[name]] for row in self.rows]

    def numbers(self, name):
        """That column as numbers; nan where one is not finite."""
        return [self.number(i, name) for i in range(len(self.rows))]

    def number(self, i, name):
        text = self.rows[i][self.place[name]]
        try:
            value = float(text)
        except ValueError:
            raise self.problem(f"line {self.lines[i]}: {name} is '{text}', expected a number") from None
        return value if math.isfinite(value) else math.nan


def read_text(path):
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except FileNotFoundError:
        raise Failure(3, f"{path}: no such file") from None
    except OSError as error:
        raise Failure(3, f"{path}: not readable: {error.strerror}") from None


def read_table(path, needed, item):
    """needed: the columns it must have. item: what a row is about, of which there must be one; None if there need not."""
    reader = csv.reader(read_text(path).splitlines())
    lines, rows = [], []
    try:
        for row in reader:
            if row:
                lines.append(reader.line_num)
                rows.append(row)
    except csv.Error as error:
        raise Failure(3, f"{path}: line {reader.line_num}: {error}, expected a CSV file") from None
    if not rows:
        raise Failure(3, f"{path}: an empty file, expected a header with {','.join(needed)}")
    header = rows.pop(0)
    table = Table(path, header, rows, lines[1:])
    for name in needed:
        if name not in table.place:
            raise table.problem(f"no column {name}, found '{','.join(header)[:80]}'")
    for row, line in zip(rows, table.lines):
        if len(row) != len(header):
            raise table.problem(f"line {line}: {len(row)} fields, expected {len(header)}")
    if item and not rows:
        raise table.problem(f"no {item} yet, expected a line for each")
    return table
