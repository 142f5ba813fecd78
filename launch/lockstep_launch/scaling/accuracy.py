"""launch/scaling --time-to-accuracy: batch sizes, what each learns in equal epochs, and how long many ranks would take to an
accuracy."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

from .. import packages
from ..files import replace_file
from ..script import REPOSITORY, Failure, complain, studies
from ..words import amount
from . import accuracy_command_line, accuracy_report, folders
from .accuracy_table import EpochTime, Trained
from .launcher import Commands
from .settings import Configuration
from .table import read_rows, write_rows

KIND = "time to accuracy"  # of study
FILES = ("runs.csv", "epochs.csv", "report.md", "time_to_accuracy.svg", "time_to_accuracy.png")
# Each epoch is evaluated, and there are as many as are asked for.
SET = {"checkpoint.every_epochs": 0, "eval.every_epochs": 1, "train.max_seconds": 0, "train.patience": 0}
OPTIONS = {
    "train.batch_size": "--batches",
    "train.scale_rate": "--rules",
    "train.base_batch_size": "--base-batch",
    "train.epochs": "--epochs",
    "seed": "--seeds",
}


def main(words):
    options = accuracy_command_line.parse(words)
    packages.require("matplotlib")
    name = options.name or f"{Path(options.config).stem}-batches"
    folder = Path(options.out) if options.out else studies() / name
    return AccuracyStudy(options, name, folder).main()


def conclude(folder, study):
    """Report and figure of what the folder has."""
    from ..pictures import style, time_to_accuracy

    runs = read_rows(folder / "runs.csv", Trained, "run")
    times = read_rows(folder / "epochs.csv", EpochTime)
    replace_file(folder / "report.md", accuracy_report.text(folder.resolve().name, runs, times, study))
    style.write(time_to_accuracy.draw(runs, times, study["experiment"]["--accuracy"]), folder / "time_to_accuracy")
    complain(f"{folder}: runs.csv, epochs.csv, report.md, time_to_accuracy.svg and time_to_accuracy.png")
    return 0


class AccuracyStudy:
    def __init__(self, options, name, folder):
        self.options = options
        self.folder = folder
        self.configuration = Configuration(options.config, options.set, SET, OPTIONS)
        self.base = options.base_batch or self.configuration.number("train.batch_size", 128)
        self.epochs = options.epochs or self.configuration.number("train.epochs", 10)
        self.seeds = options.seeds or [self.configuration.value("seed", 1)]
        for batch in options.batches:
            self.shards_of(batch)
        experiment = {
            "kind": KIND,
            "configuration": self.configuration.text,
            "--set": options.set,
            "--accuracy": options.accuracy,
            "--epochs": self.epochs,
            "--base-batch": self.base,
            "--micro-batch": options.micro_batch,
            "--network": options.network,
            "--cores-per-host": options.cores_per_host,
            "program": folders.program_digest(),
        }
        self.study = {"experiment": experiment, "facts": folders.facts(name, options.words)}
        self.runs, self.times = [], []
        self.work = folder / ".run"

    def shards_of(self, batch):
        shards = self.configuration.number("data.shards", 8)
        if not self.options.micro_batch:
            if batch % shards:
                raise Failure(2, f"--batches has {batch}, expected multiples of data.shards, which is {shards}")
            return shards
        if batch % self.options.micro_batch:
            raise Failure(2, f"--batches has {batch}, expected multiples of --micro-batch, which is {self.options.micro_batch}")
        return batch // self.options.micro_batch

    def main(self):
        if folders.goes_on(self.folder, self.study, self.options.fresh):
            self.runs = read_rows(self.folder / "runs.csv", Trained)
            if (self.folder / "epochs.csv").exists():
                self.times = read_rows(self.folder / "epochs.csv", EpochTime)
        folders.begin(self.folder, self.study, bool(self.runs), FILES)
        commands = Commands()
        try:
            for step in self.steps():
                if commands.asked is None:
                    step(commands)
        finally:
            shutil.rmtree(self.work, ignore_errors=True)
        if commands.asked is not None:
            complain(f"interrupted: runs.csv has {amount(len(self.runs), 'run')}, the same command goes on")
            return commands.asked
        return conclude(self.folder, self.study)

    def steps(self):
        """What is missing: the runs, then the predictions."""
        there = {(run.rule, run.batch_size, run.seed) for run in self.runs}
        for seed in self.seeds:
            for batch in self.options.batches:
                for rule in self.options.rules:
                    if (rule, batch, seed) not in there:
                        yield lambda commands, run=(rule, batch, seed): self.train(commands, *run)
        there = {(time.batch_size, time.ranks) for time in self.times}
        for batch in self.options.batches:
            ranks = [r for r in self.options.ranks if r <= batch and (batch, r) not in there]
            if ranks:
                yield lambda commands, what=(batch, ranks): self.predict(commands, *what)

    def words(self, batch, rule, seed):
        """The --set of a run."""
        values = {
            **SET,
            "train.epochs": self.epochs,
            "train.batch_size": batch,
            "data.shards": self.shards_of(batch),
            "train.scale_rate": rule,
            "seed": seed,
        }
        if rule != "none":
            values["train.base_batch_size"] = self.base
        overrides = self.options.set + [f"{key}={value}" for key, value in values.items()]
        return [self.options.config, *(word for override in overrides for word in ("--set", override))]

    def launch(self, *words):
        return [str(REPOSITORY / "launch/run"), *(["--mpi", self.options.mpi] if self.options.mpi else []), *words]

    def train(self, commands, rule, batch, seed):
        what = f"batch {batch}, learning rate {rule}, seed {seed}"
        row = Trained(rule, batch, seed, self.shards_of(batch), self.epochs, 0.0, 0.0, 0, "diverged")
        words = self.launch(*self.words(batch, rule, seed), "--quiet", "--overwrite", "--out", str(self.work))
        try:
            if not commands.call(words, what):
                return
            row = self.with_accuracies(row)
        except Failure as failure:
            if "training diverged" not in str(failure):
                raise
        self.runs.append(row)
        write_rows(self.folder / "runs.csv", Trained, self.runs)
        reached = f"reached after {amount(row.epochs_to_accuracy, 'epoch')}" if row.epochs_to_accuracy else "not reached"
        outcome = "diverged" if row.diverged else f"accuracy {row.test_accuracy:.4f}, {self.options.accuracy:.4g} {reached}"
        complain(f"{what}: {outcome}")

    def with_accuracies(self, row):
        summary = json.loads((self.work / "summary.json").read_text(encoding="utf-8"))
        with open(self.work / "metrics.csv", encoding="utf-8", newline="") as file:
            accuracies = [float(epoch["test_accuracy"]) for epoch in csv.DictReader(file)]
        if not all(0 <= accuracy <= 1 for accuracy in accuracies):
            raise Failure(2, f"{self.options.config}: has no accuracy of test samples, expected classes and test samples")
        first = next((e for e, accuracy in enumerate(accuracies, start=1) if accuracy >= self.options.accuracy), 0)
        return replace(row, test_accuracy=accuracies[-1], best_accuracy=max(accuracies), epochs_to_accuracy=first,
                       weights_hash=summary["weights_hash"])  # fmt: skip

    def predict(self, commands, batch, ranks):
        """Of all of these numbers of ranks from one measurement: what one rank does."""
        self.work.mkdir(parents=True, exist_ok=True)
        table = self.work / "predicted.csv"
        words = self.launch("-np", "1", "--threads", "1", "predict", *self.words(batch, "none", self.seeds[0]))
        words += ["--network", self.options.network, "--cores-per-host", str(self.options.cores_per_host), "--csv", str(table)]
        words += [word for r in ranks for word in ("--at", f"{r}x1")]
        if not commands.call(words, f"batch {batch}, predicted"):
            return
        with open(table, encoding="utf-8", newline="") as file:
            self.times += [EpochTime(batch, int(row["ranks"]), int(row["shards"]), float(row["epoch_seconds"]))
                           for row in csv.DictReader(file)]  # fmt: skip
        write_rows(self.folder / "epochs.csv", EpochTime, self.times)
        complain(f"batch {batch}: epochs on {amount(ranks[-1], 'rank')} at most are predicted")
