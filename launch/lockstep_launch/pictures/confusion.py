"""Confusion matrices, a panel for each run: a row is a true class, its colour the part that is taken for the column's class, with
the count in it; at the right the accuracy of the class."""

import math

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from .. import colours
from . import style

SHARES = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#d6e6f2", "#5ba3cf", "#08427a"])
MAX_NUMBERED = 40  # classes; the counts of more would be too small to read


def panel(axes, confusion, numbers=True):
    """The matrix. numbers: counts in the cells, names along the edges, and the accuracies."""
    classes = len(confusion.names)
    shares = np.nan_to_num(np.array(confusion.shares()))
    axes.imshow(shares, cmap=SHARES, vmin=0, vmax=1, interpolation="nearest", aspect="equal")
    axes.grid(False)
    axes.spines[:].set_visible(True)
    axes.tick_params(length=0)
    axes.set_ylabel("actual")
    if not numbers:
        axes.set_xlabel("predicted")
        return
    for (row, column), count in np.ndenumerate(np.array(confusion.counts)):
        tint = "white" if shares[row, column] > 0.7 else style.INK if count else "#b4bac3"
        axes.text(column, row, str(count), ha="center", va="center", fontsize=8.5, color=tint)
    longest = max(map(len, confusion.names))
    slanted = longest > 4
    axes.set_xticks(range(classes), confusion.names, rotation=40 if slanted else 0, ha="left" if slanted else "center",
                    rotation_mode="anchor")  # fmt: skip
    axes.set_yticks(range(classes), confusion.names)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("predicted", labelpad=6)
    right = axes.secondary_yaxis("right")
    right.tick_params(length=0)
    right.set_yticks(range(classes), [f"{100 * share[i]:.1f} %" if math.isfinite(share[i]) else "–"
                                      for i, share in enumerate(confusion.shares())])  # fmt: skip
    right.spines[:].set_visible(False)
    right.set_ylabel("accuracy", rotation=270, va="bottom", color=style.SOFT)


def draw(named):
    """A figure of (name, Confusion) each."""
    across = min(len(named), 2)
    down = math.ceil(len(named) / across)
    classes = max(len(confusion.names) for _, confusion in named)
    digits = max(len(str(count)) for _, confusion in named for row in confusion.counts for count in row)
    names = max(len(name) for _, confusion in named for name in confusion.names)
    numbers = classes <= MAX_NUMBERED
    cell = max(0.44 if classes <= 12 else 0.36, 0.078 * digits + 0.1) if numbers else 0.12
    side = max(cell * classes, 3.0)
    wide, high = side + 0.09 * names + 1.5, side + 0.06 * names + 1.2
    figure = style.figure(across * wide, down * high)
    panels = figure.subplots(down, across, squeeze=False).flatten()
    for axes, (name, confusion) in zip(panels, named):
        panel(axes, confusion, numbers)
        share = 100 * confusion.right / confusion.samples
        told = f": {share:.2f} % of {confusion.samples} are right"
        axes.set_title(style.shortened(name, wide - 0.105 * len(told)) + told, fontsize=11)
    for axes in panels[len(named):]:
        axes.remove()
    return figure


def cell_colour(share):
    """As in the pictures, for a page's table: a mixture of white and the first colour."""
    return tuple(round(255 - share * (255 - part)) for part in colours.bytes_of(colours.line(0)))
