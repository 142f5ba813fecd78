"""The rows of a study of batch sizes, runs.csv and epochs.csv, and what is made of them."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Optional

from .statistics import mean

RULES = ("none", "linear", "sqrt")  # of train.scale_rate


@dataclass(frozen=True)
class Trained:
    """A row of runs.csv: what a run with that batch learnt. A run that diverged has no weights, and accuracies of 0."""

    rule: str
    batch_size: int
    seed: int
    shards: int
    epochs: int
    test_accuracy: float  # after the last epoch
    best_accuracy: float  # of any epoch
    epochs_to_accuracy: int  # the first epoch with that accuracy; 0: none has it
    weights_hash: str
    ABOVE_ZERO: ClassVar = ("batch_size or epochs", ("batch_size", "epochs"))

    @property
    def diverged(self):
        return self.weights_hash == "diverged"


@dataclass(frozen=True)
class EpochTime:
    """A row of epochs.csv: what lockstep predict says of an epoch. shards: what so many ranks need of data.shards."""

    batch_size: int
    ranks: int
    shards: int
    seconds: float
    ABOVE_ZERO: ClassVar = ("batch_size, ranks or a time", ("batch_size", "ranks", "seconds"))


class Learnt(NamedTuple):
    """Of the runs of a rule and a batch, one for each seed."""

    rule: str
    batch_size: int
    runs: list
    accuracy: float  # the mean of the last epochs'
    spread: float  # between the least and the largest of them
    epochs: Optional[float]  # to the accuracy, the mean; None unless all reach it

    @property
    def reached(self):
        return sum(run.epochs_to_accuracy > 0 for run in self.runs)


def learnt_by(runs):
    """A Learnt for each rule and batch, in that order."""
    found = []
    for rule in sorted({run.rule for run in runs}, key=RULES.index):
        for batch in sorted({run.batch_size for run in runs if run.rule == rule}):
            own = [run for run in runs if (run.rule, run.batch_size) == (rule, batch)]
            last = [run.test_accuracy for run in own]
            all_reach = all(run.epochs_to_accuracy for run in own)
            found.append(Learnt(rule, batch, own, mean(last), max(last) - min(last),
                                mean(run.epochs_to_accuracy for run in own) if all_reach else None))  # fmt: skip
    return found


def fastest_rules(learnt):
    """For each batch with which some rule reaches the accuracy, the one that needs the fewest epochs."""
    best = {}
    for one in learnt:
        if one.epochs is not None and (one.batch_size not in best or one.epochs < best[one.batch_size].epochs):
            best[one.batch_size] = one
    return [best[batch] for batch in sorted(best)]


def seconds_to_accuracy(fastest, times):
    """{(batch size, ranks): seconds}: epochs times the epoch's predicted time."""
    epochs = {one.batch_size: one.epochs for one in fastest}
    return {(time.batch_size, time.ranks): epochs[time.batch_size] * time.seconds for time in times if time.batch_size in epochs}
