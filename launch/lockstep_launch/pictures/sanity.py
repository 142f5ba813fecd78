"""The sheet of lockstep sanity: some samples with their labels, how many samples each class has, the curves of the short
trainings, and the checks with their verdicts. A sheet for each configuration, one below the other."""

import textwrap

import numpy as np

from .. import colours
from . import style, weights

WIDTH = 9.0  # inches
SIDE = 5  # images a row
LINE = 0.2  # inches of a check's line
WRAP = 108  # characters
MAX_CLASSES = 20
PASS, FAIL = colours.line(2), style.WRONG


def images(axes, findings):
    """The images as tiles, the label of each above it."""
    axes.set_axis_off()
    rows = -(-len(findings.images) // SIDE)
    for i, label in enumerate(findings.images):
        part = axes.inset_axes([i % SIDE / SIDE, 1 - (i // SIDE + 1) / rows, 0.96 / SIDE, 0.8 / rows])
        part.imshow(weights.pixels(findings.tiles.tile(i, len(findings.images))), interpolation="none")
        part.set_axis_off()
        part.set_title(style.shortened(label, 1.3), fontsize=7, fontweight="normal", pad=1.5)
    axes.set_title("Some training samples", loc="left")


def points(axes, findings):
    """The samples in the plane, a colour for each class."""
    for i, name in enumerate(one["name"] for one in findings.classes):
        chosen = np.array([point[:2] for point in findings.points if point[2] == name])
        if len(chosen):
            axes.scatter(chosen[:, 0], chosen[:, 1], s=14, color=colours.line(i), edgecolor="white", linewidth=0.5)
    axes.set_title("Some training samples", loc="left")


def counts(axes, findings):
    """Bars: training and test samples of each class."""
    shown = findings.classes[:MAX_CLASSES]
    places = np.arange(len(shown))
    axes.barh(places - 0.2, [one["train"] for one in shown], height=0.38, color=colours.line(0), label="training")
    axes.barh(places + 0.2, [one["test"] for one in shown], height=0.38, color=colours.line(5), label="test")
    axes.set_yticks(places, [style.shortened(one["name"], 1.3) for one in shown])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, fontsize=8.5, handlelength=1.2, borderaxespad=0.2)
    more = len(findings.classes) - len(shown)
    axes.set_title("Samples of each class" + (f", {more} more" if more else ""), loc="left")


def smoothed(losses):
    """Of many steps the mean of each with those just before it."""
    window = max(1, len(losses) // 100)
    sums = np.concatenate([[0.0], np.cumsum(losses)])
    ends = np.arange(1, len(losses) + 1)
    begins = np.maximum(0, ends - window)
    return (sums[ends] - sums[begins]) / (ends - begins)


def curves(axes, findings):
    """The losses of the short trainings, step by step, and what they are compared with."""
    lows = []
    for i, curve in enumerate(findings.curves):
        losses = smoothed([loss if loss is not None else np.nan for loss in curve["losses"]])
        style.curve(axes, range(1, len(losses) + 1), losses, color=colours.line(i), label=curve["name"], marker="")
        lows += [loss for loss in losses if loss > 0]
    for i, (name, level) in enumerate(findings.levels.items()):
        if level is not None:
            axes.axhline(level, color=style.SOFT, linewidth=1.1, linestyle=(style.DASHED, (0, (1, 2)))[i % 2], label=name, zorder=1)
    if lows and style.is_wide(min(lows), max(lows)):
        style.logarithmic(axes.yaxis, min(lows), max(lows))
    if max((len(curve["losses"]) for curve in findings.curves), default=0) > 100:
        axes.set_xscale("symlog", linthresh=100)
        axes.set_xticks([0, 50, 100, 1000], ["0", "50", "100", "1000"])
        axes.set_xlim(left=0)
    axes.set_xlabel("step")
    axes.set_title("Loss of the short trainings", loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02), fontsize=9, borderaxespad=0.3)


def told(findings):
    """(verdict or nothing, line of text) for each line of the checks."""
    for check in findings.checks:
        first, *more = textwrap.wrap(f"{check['name']}: {check['found']}", WRAP) or [check["name"]]
        yield check["holds"], first
        for line in more:
            yield None, line


def checks(axes, findings):
    axes.set_axis_off()
    lines = list(told(findings))
    axes.set_ylim(len(lines), 0)
    for i, (holds, line) in enumerate(lines):
        if holds is not None:
            axes.text(0, i + 0.5, "pass" if holds else "FAIL", color=PASS if holds else FAIL, fontsize=8.5, fontweight="semibold",
                      va="center", transform=axes.get_yaxis_transform())  # fmt: skip
        axes.text(0.06, i + 0.5, line, fontsize=8.5, va="center", transform=axes.get_yaxis_transform())


def height(findings):
    above = 4.0 if findings.images or findings.points or findings.classes else 0.0
    return above + 3.1 + 0.5 + LINE * len(list(told(findings)))


def sheet(part, name, findings):
    part.suptitle(style.shortened(f"Before training: {name}", WIDTH - 0.4), fontsize=12.5, fontweight="semibold")
    samples = images if findings.images else points if findings.points else None
    above = [drawn for drawn in (samples, counts if findings.classes else None) if drawn]
    lines = LINE * len(list(told(findings)))
    rows = part.subfigures(2 + bool(above), 1, height_ratios=[*([4.0] if above else []), 3.1, lines])
    if above:
        for draw_one, axes in zip(above, rows[0].subplots(1, len(above), squeeze=False)[0]):
            draw_one(axes, findings)
    curves(rows[-2].subplots(), findings)
    checks(rows[-1].subplots(), findings)


def draw(named):
    """A figure of (name, Sanity) each."""
    heights = [height(findings) for _, findings in named]
    figure = style.figure(WIDTH, sum(heights))
    parts = figure.subfigures(len(named), 1, squeeze=False, height_ratios=heights).flatten()
    for part, (name, findings) in zip(parts, named):
        sheet(part, name, findings)
    return figure
