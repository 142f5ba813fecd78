"""The tables that training, sweeps and `lockstep activations` write: metrics.csv, gradients.csv, trials.csv."""

import math
from dataclasses import dataclass

from .tables import read_table

METRICS = ["epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy"]
MORE_METRICS = ["learning_rate", "samples_per_second", "compute_seconds", "wait_seconds", "transfer_seconds"]


@dataclass
class Metrics:
    """metrics.csv: columns of numbers, one per epoch; nan where there is none."""

    columns: dict

    @classmethod
    def read(cls, path):
        table = read_table(path, METRICS, "epoch")
        return cls({name: table.numbers(name) for name in METRICS + MORE_METRICS if name in table.place})

    def __getitem__(self, name):
        return self.columns[name]

    def get(self, name):
        """That column; none of an older version's table."""
        return self.columns.get(name, [])

    def last(self, name):
        return self.columns[name][-1]

    @property
    def epochs(self):
        return len(self["epoch"])

    @property
    def classified(self):
        """Whether there is an accuracy: a regression has none."""
        return any(map(math.isfinite, self["train_accuracy"] + self["test_accuracy"]))

    @property
    def tested(self):
        return any(map(math.isfinite, self["test_loss"]))


@dataclass
class Gradients:
    """gradients.csv: the epochs, and the gradient norm of each layer's weights by the layer's name."""

    epochs: list
    layers: dict

    @classmethod
    def read(cls, path):
        table = read_table(path, ["epoch"], "epoch")
        ending = ".weight"
        weights = [name for name in table.header if name.endswith(ending)]
        if not weights:
            raise table.problem("no column of a weight, as layers.0.weight")
        return cls(table.numbers("epoch"), {name[: -len(ending)]: table.numbers(name) for name in weights})


@dataclass
class Trial:
    name: str
    values: dict  # parameter: text
    score: float  # nan of one that failed
    deviation: float  # standard deviation over seeds and folds; 0 of one run


@dataclass
class Trials:
    """trials.csv: a sweep's trials, best first. varying: the parameters that have several values."""

    trials: list
    varying: list

    @classmethod
    def read(cls, path):
        needed = ["trial", "status", "score", "score_std", "runs", "seconds", "error"]
        table = read_table(path, needed, "trial")
        parameters = table.header[table.place["runs"] + 1 : table.place["seconds"]]
        names, columns = table.texts("trial"), [table.texts(name) for name in parameters]
        trials = []
        for i, status in enumerate(table.texts("status")):
            if status not in ("ok", "failed"):
                raise table.problem(f"line {table.lines[i]}: status is '{status}', expected ok or failed")
            score, deviation = table.number(i, "score"), table.number(i, "score_std")
            values = {name: column[i] for name, column in zip(parameters, columns)}
            trials.append(Trial(names[i], values, score if status == "ok" else math.nan,
                                deviation if math.isfinite(deviation) else 0.0))  # fmt: skip
        if not any(math.isfinite(trial.score) for trial in trials):
            raise table.problem(f"none of {len(trials)} trials has a score, expected one at least")
        return cls(trials, [name for name, column in zip(parameters, columns) if len(set(column)) > 1])

    @property
    def scored(self):
        return [trial for trial in self.trials if math.isfinite(trial.score)]

    def single_number(self):
        """The parameter that alone varies, if its values are numbers: the score is a curve over it. Else None."""
        if len(self.varying) != 1:
            return None
        try:
            numbers = [float(trial.values[self.varying[0]]) for trial in self.trials]
        except ValueError:
            return None
        return self.varying[0] if all(map(math.isfinite, numbers)) else None


@dataclass
class Activations:
    """The table of `lockstep activations`: x, and of each function by its name (its values, its slopes)."""

    x: list
    functions: dict

    @classmethod
    def read(cls, path):
        table = read_table(path, ["x"], "point")
        functions = [name for name in table.header if name != "x" and not name.endswith("_slope")]
        if not functions:
            raise table.problem("no column of a function beside x")
        for name in functions:
            if f"{name}_slope" not in table.place:
                raise table.problem(f"no column {name}_slope beside {name}")
        return cls(table.numbers("x"),
                   {name: (table.numbers(name), table.numbers(f"{name}_slope")) for name in functions})  # fmt: skip
