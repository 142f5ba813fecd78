"""Batch sizes: accuracy after equal epochs and epochs to an accuracy, a colour for each rule of the learning rate; and the predicted
time to the accuracy over the ranks, a colour for each batch."""

import math

from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .. import colours
from ..scaling.accuracy_table import fastest_rules, learnt_by, seconds_to_accuracy
from . import style

NAMES = {"none": "learning rate as it is", "linear": "× k", "sqrt": "× √k"}


def powers_axis(axes, values, label):
    """These numbers, logarithmic; of many every other one is named."""
    values = sorted(set(values))
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(values[:: 1 + len(values) // 7]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axes.set_xlim(values[0] / 1.25, values[-1] * 1.25)
    axes.set_xlabel(label)


def by_rule(axes, learnt, value):
    """A curve for each rule of value(one), where it is not None."""
    for i, rule in enumerate(dict.fromkeys(one.rule for one in learnt)):
        own = [one for one in learnt if one.rule == rule and value(one) is not None]
        axes.plot([one.batch_size for one in own], [value(one) for one in own], color=colours.line(i), marker=style.MARKERS[i % 5],
                  markersize=6)  # fmt: skip
    powers_axis(axes, [one.batch_size for one in learnt], "batch")


def times(axes, fastest, epoch_times):
    seconds = seconds_to_accuracy(fastest, epoch_times)
    axes.set_title("Predicted seconds to it", loc="left")
    if not seconds:
        axes.text(0.5, 0.5, "no batch reached it", ha="center", transform=axes.transAxes, color=style.SOFT)
        return
    for i, one in enumerate(fastest):
        ranks = sorted(r for batch, r in seconds if batch == one.batch_size)
        axes.plot(ranks, [seconds[one.batch_size, r] for r in ranks], color=colours.line(i), marker=style.MARKERS[i % 5], markersize=5)
    powers_axis(axes, [r for _, r in seconds], "ranks")
    style.logarithmic(axes.yaxis, min(seconds.values()), max(seconds.values()))


def draw(runs, epoch_times, accuracy):
    """A figure of the rows of runs.csv and epochs.csv."""
    learnt = learnt_by(runs)
    fastest = fastest_rules(learnt)
    rules = list(dict.fromkeys(one.rule for one in learnt))
    handles = [Line2D([], [], color=colours.line(i), marker=style.MARKERS[i % 5], markersize=6) for i in range(len(rules))]
    names = [NAMES[rule] for rule in rules]
    handles += [Line2D([], [], color=colours.line(i), marker=style.MARKERS[i % 5], markersize=5) for i in range(len(fastest))]
    names += [f"batch {one.batch_size}" for one in fastest]
    width = 12.5
    figure = style.figure(width, 3.7, style.legend_height(names, width))
    panels = figure.subplots(1, 3)
    by_rule(panels[0], learnt, lambda one: 100 * one.accuracy)
    panels[0].set_title("Accuracy after all epochs (%)", loc="left")
    by_rule(panels[1], learnt, lambda one: one.epochs)
    highest = panels[1].dataLim.y1
    panels[1].set_ylim(0, 1.06 * highest if math.isfinite(highest) else 1)
    panels[1].set_title(f"Epochs to {100 * accuracy:.4g} %", loc="left")
    times(panels[2], fastest, epoch_times)
    style.legend(figure, handles, names, width)
    return figure
