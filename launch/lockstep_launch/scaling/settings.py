"""The configuration of a study: what each run gets with --set, and what can be told before any run."""

import tomllib
from pathlib import Path

from ..script import Failure
from ..words import amount

# Training only, all of it, at full length.
TRAINING_ONLY = {
    "log.steps": "false",
    "log.gradients": "false",
    "log.json": "false",
    "log.tensorboard": "false",
    "log.layers": "false",
    "log.film": "false",
    "checkpoint.every_epochs": "0",
    "checkpoint.every_steps": "0",
    "train.check_replicas_every": "0",
    "train.max_seconds": "0",
    "train.patience": "0",
}
FEW_TEST_SAMPLES = "100"
OPTIONS = {"train.epochs": "--epochs", "compute.threads": "--threads"}


class Configuration:
    """The file with its overrides: what matters here; lockstep itself checks the rest."""

    def __init__(self, path, overrides, values, options):
        """values: of keys that a study sets itself; options: of launch/scaling, by which it sets a key."""
        try:
            self.text = Path(path).read_text(encoding="utf-8")
            self.table = tomllib.loads(self.text)
        except OSError as error:
            raise Failure(2, f"{path}: cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise Failure(2, f"{path}: {error}") from None
        for key, _, value in (override.partition("=") for override in overrides):
            if key in values:
                raise Failure(2, f"--set {key}: a study sets it to {values[key]}")
            if key in options:
                raise Failure(2, f"--set {key}: a study sets it, expected {options[key]}")
            self.override(key, value)

    def override(self, key, value):
        try:
            value = tomllib.loads(f"value = {value}")["value"]
        except ValueError:
            pass  # a text without quotes
        *sections, name = key.split(".")
        table = self.table
        for section in sections:
            table = table.setdefault(section, {}) if isinstance(table, dict) else {}
        if isinstance(table, dict):
            table[name] = value

    def value(self, key, default):
        *sections, name = key.split(".")
        table = self.table
        for section in sections:
            table = table.get(section, {}) if isinstance(table, dict) else {}
        return table.get(name, default) if isinstance(table, dict) else default

    def number(self, key, default):
        value = self.value(key, default)
        if type(value) is not int or value < 1:
            raise Failure(2, f"{key} is {value!r}, expected a whole number, at least 1")
        return value


class Settings(Configuration):
    """Of a study of layouts."""

    def __init__(self, options):
        super().__init__(options.config, options.set, TRAINING_ONLY, OPTIONS)
        self.overrides = options.set
        self.epochs = options.epochs
        self.ranks = options.ranks
        self.weak = options.weak
        self.shards = self.number("data.shards", 8)
        self.batch_size = self.number("train.batch_size", 128)
        self.check_ranks()

    def check_ranks(self):
        most = max(self.ranks)
        if most > self.shards:
            raise Failure(
                2,
                f"--ranks has {most}, but data.shards is {self.shards}: expected {amount(self.shards, 'rank')} at most, "
                f"or --set data.shards={most} and a train.batch_size that is a multiple of it",
            )
        for ranks in self.ranks if self.weak else []:
            if self.batch_size * ranks % (self.ranks[0] * self.shards):
                raise Failure(
                    2,
                    f"--weak: {amount(ranks, 'rank')} would have a batch of {self.batch_size} x {ranks} / {self.ranks[0]}, "
                    f"expected a multiple of data.shards, which is {self.shards}",
                )

    def batch_of(self, point):
        return self.batch_size * point.ranks // self.ranks[0] if self.weak else self.batch_size

    def arguments(self, point):
        """The --set of a run."""
        values = {
            **TRAINING_ONLY,
            "train.epochs": self.epochs + 1,
            "train.batch_size": self.batch_of(point),
            "compute.threads": point.threads,
        }
        if self.value("data.dataset", "cifar10") in ("cifar10", "synthetic"):
            values["data.test_samples"] = FEW_TEST_SAMPLES
        overrides = self.overrides + [f"{key}={value}" for key, value in values.items()]
        return [word for override in overrides for word in ("--set", override)]
