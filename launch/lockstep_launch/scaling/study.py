"""A study: which runs there are to be, which there are already, and what is made of them."""

import datetime
import hashlib
import json
import os
import platform
import shlex
from pathlib import Path

from .. import machine, packages
from ..files import replace_file
from ..script import REPOSITORY, Failure, complain
from ..words import amount
from . import command_line, report
from .allocation import hosts_of, processor
from .launcher import Launcher
from .settings import Settings
from .statistics import disagreement, is_weak, results_of
from .table import Point, Prediction, Run, read_predictions, read_runs, write_rows


def main(words):
    options = command_line.parse(words)
    packages.require("matplotlib")
    if options.only_report:
        folder = Path(options.only_report)
        return conclude(folder, read_runs(folder / "runs.csv"), read_predictions(folder), read_study(folder) or {})
    settings = Settings(options)
    name = options.name or Path(options.config).stem + ("-weak" if options.weak else "")
    folder = Path(options.out) if options.out else REPOSITORY / "results/scaling" / name
    return Study(options, settings, name, folder).main()


def read_study(folder):
    """Of study.json: None where there is none."""
    path = folder / "study.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Failure(3, f"{path}: not readable: {error}") from None


def draw(folder, runs, results, base, study):
    """scaling.svg and scaling.png."""
    from ..pictures import scaling, style

    wrong = report.promises_equal_weights(study) and bool(disagreement(runs))
    style.write(scaling.draw(results, base, is_weak(runs), report.statement(runs, study), wrong), folder / "scaling")


def conclude(folder, runs, predictions, study):
    """Report and figure, and the verdict on the weights as exit code."""
    results, base = results_of(runs, predictions)
    replace_file(folder / "report.md", report.text(folder.resolve().name, runs, results, base, study))
    draw(folder, runs, results, base, study)
    complain(f"{folder}: runs.csv, report.md, scaling.svg and scaling.png")
    differing = disagreement(runs)
    if differing and report.promises_equal_weights(study):
        a, b = differing
        complain(f"the weights differ: {a.point} has {a.weights_hash} (repeat {a.repeat}), "
            f"{b.point} has {b.weights_hash} (repeat {b.repeat}), expected equal ones")  # fmt: skip
        return 1
    return 0


def turns(points, repeats):
    """(point, repeat) in the order of the runs: all points take turns, forth and back."""
    for repeat in range(1, repeats + 1):
        for point in points if repeat % 2 else reversed(points):
            yield point, repeat


class Study:
    def __init__(self, options, settings, name, folder):
        self.options = options
        self.settings = settings
        self.name = name
        self.folder = folder
        self.points = [Point(ranks, threads) for ranks in options.ranks for threads in options.threads]
        self.hosts = hosts_of(options)
        self.cores = [[host.slots, host.cores] for host in self.hosts] or machine.cores()
        self.study = {"experiment": self.experiment(), "facts": self.facts()}
        self.runs = []
        self.predictions = []

    def experiment(self):
        """What all runs of a study share: runs of another one are not mixed with them."""
        program = Path(os.environ.get("LOCKSTEP") or REPOSITORY / "build/lockstep")
        try:
            digest = hashlib.sha256(program.read_bytes()).hexdigest()
        except OSError:
            raise Failure(2, f"{program} is not a program; build it with launch/build") from None
        options = self.options
        return {
            "configuration": self.settings.text,
            "--set": options.set,
            "--epochs": options.epochs,
            "--weak": options.weak,
            "first number of ranks": options.ranks[0] if options.weak else None,
            "--bind": options.bind,
            "--mpi": options.mpi,
            "cores": self.cores,
            "program": digest,
        }

    def facts(self):
        return {
            "name": self.name,
            "command": shlex.join(["launch/scaling", *self.options.words]),
            "begun": datetime.date.today().isoformat(),
            "host": platform.node(),
            "processor": processor(),
            "system": f"{platform.system()} {platform.release()}",
        }

    def crowded(self, point):
        """Whether there are more threads than cores."""
        if not self.hosts:
            return point.workers > self.cores
        return point.ranks > sum(host.room(point.threads) for host in self.hosts)

    def take_up(self):
        """Keeps what DIR has of this study."""
        table = self.folder / "runs.csv"
        if self.options.fresh or not table.exists():
            return
        earlier = read_study(self.folder)
        if not earlier:
            raise Failure(3, f"{self.folder} has runs.csv without study.json; --fresh begins anew")
        for key, value in self.study["experiment"].items():
            if earlier["experiment"].get(key) != value:
                raise Failure(2, f"{self.folder} has the runs of another study, of another {key}: "
                                 "expected --fresh, which begins anew, or another --out")  # fmt: skip
        self.runs = read_runs(table)
        self.predictions = read_predictions(self.folder)
        self.study["facts"] = {**earlier["facts"], "command": self.study["facts"]["command"]}

    def main(self):
        self.take_up()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Failure(2, f"{self.folder}: cannot be made: {error.strerror}") from None
        if not self.runs:
            for old in ("runs.csv", "predicted.csv", "report.md", "scaling.svg", "scaling.png"):
                (self.folder / old).unlink(missing_ok=True)
        replace_file(self.folder / "study.json", json.dumps(self.study, indent=2) + "\n")
        code = self.measure()
        return code or conclude(self.folder, self.runs, self.predictions, self.study)

    def measure(self):
        """Runs what is missing. 0, or the exit code if asked to end."""
        there = {(run.point, run.repeat) for run in self.runs}
        schedule = list(turns(self.points, self.options.repeats))
        missing = [turn for turn in schedule if turn not in there or self.unpredicted(*turn)]
        if len(missing) < len(schedule):
            complain(f"{amount(len(schedule) - len(missing), 'run')} of {len(schedule)} are there already")
        launcher = Launcher(self.options, self.settings, self.hosts, self.folder / ".run")
        for number, (point, repeat) in enumerate(missing, start=1):
            if (point, repeat) not in there:
                self.train(launcher, point, repeat, f"run {number} of {len(missing)}")
            if self.unpredicted(point, repeat):
                self.predict(launcher, point, repeat)
            if launcher.asked:
                complain(f"interrupted: runs.csv has {amount(len(self.runs), 'run')}, the same command goes on")
                return launcher.asked
        return 0

    def unpredicted(self, point, repeat):
        """Whether its prediction is to be made: of points that scale, with --predict."""
        there = ((prediction.point, prediction.repeat) for prediction in self.predictions)
        return self.options.predict and not self.crowded(point) and (point, repeat) not in there

    def train(self, launcher, point, repeat, which):
        if launcher.asked:
            return
        crowded = self.crowded(point)
        run, summary = launcher.run(point, repeat, crowded)
        if run:
            self.keep(run, summary)
            complain(f"{which}: {point}, repeat {repeat}: {run.seconds:.4g} s an epoch"
                f"{', oversubscribed' if crowded else ''}, weights {run.weights_hash}")  # fmt: skip

    def predict(self, launcher, point, repeat):
        if launcher.asked:
            return
        prediction = launcher.predict(point, repeat)
        if prediction:
            self.predictions.append(prediction)
            write_rows(self.folder / "predicted.csv", Prediction, self.predictions)
            complain(f"predicted: {point}: {prediction.seconds:.4g} s an epoch")

    def keep(self, run, summary):
        facts, provenance = self.study["facts"], summary["provenance"]
        if "kernels" not in facts:
            facts["kernels"] = provenance["kernel_family"]
            facts["kernel_choice"] = provenance["kernel_choice"]
            facts["reduction"] = summary["config"]["reduce"]["mode"]
            for key in ("version", "compiler", "blis_version", "mpi"):
                facts[key] = provenance[key]
            replace_file(self.folder / "study.json", json.dumps(self.study, indent=2) + "\n")
        self.runs.append(run)
        write_rows(self.folder / "runs.csv", Run, self.runs)
