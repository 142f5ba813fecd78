"""A study: which runs there are to be, which there are already, and what is made of them."""

from pathlib import Path

from .. import machine, packages
from ..files import replace_file
from ..script import complain, studies
from ..words import amount
from . import accuracy, command_line, folders, report
from .allocation import hosts_of
from .launcher import Launcher
from .settings import Settings
from .statistics import disagreement, is_weak, results_of
from .table import Point, Prediction, Run, read_predictions, read_runs, write_rows


def main(words):
    if "--time-to-accuracy" in words:
        return accuracy.main(words)
    options = command_line.parse(words)
    packages.require("matplotlib")
    if options.only_report:
        folder = Path(options.only_report)
        study = folders.read_study(folder) or {}
        if study.get("experiment", {}).get("kind") == accuracy.KIND:
            return accuracy.conclude(folder, study)
        return conclude(folder, read_runs(folder / "runs.csv"), read_predictions(folder), study)
    settings = Settings(options)
    name = options.name or Path(options.config).stem + ("-weak" if options.weak else "")
    folder = Path(options.out) if options.out else studies() / name
    return Study(options, settings, name, folder).main()


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
        self.study = {"experiment": self.experiment(), "facts": folders.facts(name, options.words)}
        self.runs = []
        self.predictions = []

    def experiment(self):
        """What all runs of a study share: runs of another one are not mixed with them."""
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
            "program": folders.program_digest(),
        }

    def crowded(self, point):
        """Whether there are more threads than cores."""
        if not self.hosts:
            return point.workers > self.cores
        return point.ranks > sum(host.room(point.threads) for host in self.hosts)

    def main(self):
        if folders.goes_on(self.folder, self.study, self.options.fresh):
            self.runs = read_runs(self.folder / "runs.csv")
            self.predictions = read_predictions(self.folder)
        folders.begin(self.folder, self.study, bool(self.runs), ("runs.csv", "predicted.csv", "report.md", "scaling.svg", "scaling.png"))
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
            folders.write_study(self.folder, self.study)
        self.runs.append(run)
        write_rows(self.folder / "runs.csv", Run, self.runs)
