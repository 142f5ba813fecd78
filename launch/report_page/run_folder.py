"""A run's folder as Python values. What cannot be read ends in an UnusableRun whose message names the file, what was found
and what was expected."""

import csv
import json
import math
import struct
import tomllib
from dataclasses import dataclass, field
from pathlib import Path


class UnusableRun(Exception):
    """A folder or a file in it is missing or wrong."""


@dataclass
class Run:
    folder: Path
    name: str
    metrics: dict  # column: numbers, one an epoch
    gradients: dict | None  # as metrics; a column a tensor
    summary: dict | None  # of a finished run
    config: dict  # "section.key": text
    weights: Path | None  # the model, or the newest checkpoint of a run that is not finished
    shapes: dict  # tensor of the network: its shape
    tables: dict = field(default_factory=dict)  # "confusion", "weights" or "grid": a class of pictures.py
    notes: list = field(default_factory=list)  # why a table is not there: (words, command that makes it)

    @property
    def hash(self):
        return str(self.summary.get("weights_hash", "")) if self.summary else ""

    @property
    def epochs(self):
        return len(self.metrics["epoch"])

    @property
    def classified(self):
        """Whether there is an accuracy: a regression has none."""
        return any(map(math.isfinite, self.metrics["train_accuracy"] + self.metrics["test_accuracy"]))

    @property
    def tested(self):
        return any(map(math.isfinite, self.metrics["test_loss"]))

    def last(self, column):
        """The last epoch's number; nan where there is no such column."""
        return self.metrics.get(column, [math.nan])[-1]


def read_text(path):
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except FileNotFoundError:
        raise UnusableRun(f"{path}: no such file") from None
    except OSError as error:
        raise UnusableRun(f"{path}: not readable: {error.strerror}") from None


def read_rows(path):
    """A CSV file's header and rows; every row has as many fields as the header."""
    try:
        rows = [row for row in csv.reader(read_text(path).splitlines()) if row]
    except csv.Error as error:
        raise UnusableRun(f"{path}: {error}, expected a CSV file") from None
    if not rows:
        raise UnusableRun(f"{path}: empty, expected a CSV file with a header")
    header, body = rows[0], rows[1:]
    for i, row in enumerate(body):
        if len(row) != len(header):
            raise UnusableRun(f"{path}: row {i + 1} has {len(row)} fields, expected {len(header)}")
    return header, body


def read_columns(path, needed):
    """A CSV file of numbers by column."""
    header, rows = read_rows(path)
    for name in needed:
        if name not in header:
            raise UnusableRun(f"{path}: no column {name}, found '{','.join(header)}'")
    columns = {name: [] for name in header}
    for i, row in enumerate(rows):
        for name, cell in zip(header, row):
            try:
                columns[name].append(float(cell))
            except ValueError:
                raise UnusableRun(f"{path}: {name} in row {i + 1} is '{cell}', expected a number") from None
    return columns


def read_summary(path):
    try:
        summary = json.loads(read_text(path))
    except ValueError as error:
        raise UnusableRun(f"{path}: not JSON ({error}), expected the summary of a run") from None
    if not isinstance(summary, dict) or not all(isinstance(summary.get(key), dict) for key in ("config", "provenance")):
        raise UnusableRun(f"{path}: no object with config and provenance, expected the summary of a run")
    return summary


def read_config(path):
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise UnusableRun(f"{path}: not TOML ({error}), expected the configuration of a run") from None


def layer_text(layer):
    """dense(units=64, bias=False): what is not as it always is."""
    options = [f"{key}={value}" for key, value in layer.items()
               if key != "type" and value not in (0, "", None) and not (key == "bias" and value is True)]
    return str(layer.get("type", "?")) + (f"({', '.join(options)})" if options else "")


def flat(config, prefix=""):
    """{"data": {"n": 1}} as {"data.n": "1"}."""
    values = {}
    for key, value in config.items():
        if isinstance(value, dict):
            values.update(flat(value, f"{prefix}{key}."))
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            values[prefix + key] = ", ".join(map(layer_text, value))
        else:
            values[prefix + key] = value if isinstance(value, str) else json.dumps(value)
    return values


def read_shapes(path):
    """The shapes in a safetensors file's header."""
    try:
        with open(path, "rb") as file:
            length, = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, 1 << 24)))
        return {name: [int(size) for size in entry["shape"]] for name, entry in header.items()
                if name.startswith("layers.")}
    except (OSError, struct.error, ValueError, AttributeError, KeyError, TypeError):
        raise UnusableRun(f"{path}: not readable, expected weights in safetensors format") from None


def newest_weights(folder):
    if (folder / "model.safetensors").exists():
        return folder / "model.safetensors"
    checkpoints = (folder / "checkpoints").glob("step-*.safetensors")
    return max(checkpoints, key=lambda path: (len(path.name), path.name), default=None)


def read_run(folder, name):
    if not folder.is_dir():
        raise UnusableRun(f"{folder}: no such folder, expected that of a run")
    if not (folder / "metrics.csv").exists():
        raise UnusableRun(f"{folder}/metrics.csv: no such file, expected the metrics of a run")
    metrics = read_columns(folder / "metrics.csv",
                           ["epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy"])
    if not metrics["epoch"]:
        raise UnusableRun(f"{folder}/metrics.csv: no epoch yet, expected a row for each")
    gradients = None
    if (folder / "gradients.csv").exists():
        gradients = read_columns(folder / "gradients.csv", ["epoch"])
    summary = read_summary(folder / "summary.json") if (folder / "summary.json").exists() else None
    config = {}
    if summary:
        config = summary["config"]
    elif (folder / "config.toml").exists():
        config = read_config(folder / "config.toml")
    weights = newest_weights(folder)
    return Run(folder, name, metrics, gradients, summary, flat(config), weights, read_shapes(weights) if weights else {})
