"""Runs one point once, through launch/run, and reads what it left."""

import csv
import json
import shutil
import signal
import subprocess

from ..script import REPOSITORY, Failure
from .statistics import mean, middle
from .table import Prediction, Run

ASKED_TO_END = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 143, signal.SIGUSR1: 143}


class Commands:
    """Signals that ask for the end are handed to the command under way; `asked` is then the exit code of launch/scaling."""

    def __init__(self):
        self.process = None
        self.asked = None
        for number in ASKED_TO_END:
            signal.signal(number, self.ask)

    def ask(self, number, _frame):
        self.asked = ASKED_TO_END[number]
        if self.process:
            self.process.send_signal(signal.SIGTERM)

    def call(self, words, what):
        """Whether the command ended by itself; False if it was asked to end. Throws Failure, which begins with `what`, where it
        failed."""
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if self.asked:
            self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate()[1].splitlines()
        code, self.process = self.process.returncode, None
        if code != 0 and self.asked:
            return False
        if code != 0:
            lines = [line for line in said if line and not line.startswith("launch/run: note:")]
            own = lines[-1] if lines else f"launch/run ended with code {code}"
            raise Failure(code if code in (2, 3, 4) else 5, f"{what}: {own}")
        return True


class Launcher(Commands):
    """Of a study of layouts."""

    def __init__(self, options, settings, hosts, folder):
        super().__init__()
        self.options = options
        self.settings = settings
        self.hosts = hosts
        self.folder = folder  # of the run under way

    def words(self, point, crowded, command=()):
        """The command line of launch/run; `command` is another subcommand than train."""
        options = self.options
        words = [str(REPOSITORY / "launch/run"), "-np", str(point.ranks), "--threads", str(point.threads)]
        if options.mpi:
            words += ["--mpi", options.mpi]
        if crowded:
            words.append("--force")
        elif options.bind or self.hosts:
            words += ["--bind", options.bind or "core"]
        if self.hosts:  # as many ranks as have cores of their own, then the next host
            room = [(host.name, host.slots if crowded else host.room(point.threads)) for host in self.hosts]
            words += ["--host", ",".join(f"{name}:{ranks}" for name, ranks in room if ranks)]
        words += [*command, options.config]
        if not command:
            words += ["--quiet", "--overwrite", "--out", str(self.folder)]
        return words + self.settings.arguments(point)

    def run(self, point, repeat, crowded):
        """(the row of the run, its summary); (None, None) if it was asked to end."""
        try:
            if not self.call(self.words(point, crowded), f"{point}, repeat {repeat}"):
                return None, None
            return self.read(point, repeat, crowded)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def predict(self, point, repeat):
        """What lockstep predict says of the point in a job like it; None if it was asked to end."""
        try:  # a folder that rank 0 sees, wherever it is
            self.folder.mkdir(parents=True, exist_ok=True)
            table = self.folder / "predicted.csv"
            words = self.words(point, False, command=["predict"])
            words += ["--at", f"{point.ranks}x{point.threads}", "--csv", str(table)]
            if not self.call(words, f"{point}, repeat {repeat}"):
                return None
            with open(table, encoding="utf-8", newline="") as file:
                seconds = float(next(csv.DictReader(file))["epoch_seconds"])
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
        return Prediction(point.ranks, point.threads, repeat, seconds)

    def read(self, point, repeat, crowded):
        with open(self.folder / "summary.json", encoding="utf-8") as file:
            summary = json.load(file)
        with open(self.folder / "metrics.csv", encoding="utf-8", newline="") as file:
            epochs = list(csv.DictReader(file))[1:]  # the first one warms up
        epochs.sort(key=lambda epoch: float(epoch["seconds"]))

        def of_epoch(column):  # the one of the median time, or the two
            return mean(float(epoch[column]) for epoch in middle(epochs))

        hosts = {place.rpartition(": ")[0] for place in summary["placement"]}
        run = Run(
            ranks=point.ranks,
            threads=point.threads,
            hosts=len(hosts),
            repeat=repeat,
            oversubscribed=int(crowded),
            batch_size=self.settings.batch_of(point),
            train_samples=summary["train_samples"],
            seconds=of_epoch("seconds"),
            samples_per_second=summary["train_samples"] / of_epoch("seconds"),
            compute_seconds=of_epoch("compute_seconds"),
            wait_seconds=of_epoch("wait_seconds"),
            transfer_seconds=of_epoch("transfer_seconds"),
            weights_hash=summary["weights_hash"],
            placement="; ".join(summary["placement"]),
        )
        return run, summary
