"""A network as boxes, from the input at the top to the outputs at the bottom: what each layer is, the shape of its outputs, its
parameters; a bracket leads from outputs to where they are added. A column for each run."""

import re

from matplotlib.patches import FancyBboxPatch

from .. import colours
from . import style

WIDE, BOX, GAP = 4.6, 0.46, 0.2  # inches: of a column, of a box, between boxes
EDGE_LEFT, ROOM = 0.25, 0.75  # beside the boxes, for brackets at the right
TINTS = [("input", colours.paler(colours.line(6), 0.25)), ("conv|whiten", colours.paler(colours.line(0), 0.22)),
         ("dense", colours.paler(colours.line(1), 0.22)), ("pool", colours.paler(colours.line(2), 0.2)),
         ("norm", colours.paler(colours.line(4), 0.22))]  # fmt: skip
OTHER = "#f1f3f6"


def tint(description):
    return next((colour for words, colour in TINTS if re.search(words, description, re.IGNORECASE)), OTHER)


def title(box):
    """What the layer is, without the shapes of its inputs and outputs, which stand beside it."""
    text = re.sub(r" \d+(x\d+)* -> \d+(x\d+)*", "", box.description)
    text = re.sub(r"^(.*?) \d+x\d+x\d+$", r"\1", text)
    return text + (f" “{box.name}”" if box.name else "")


def shape(box):
    return box.outputs.replace("x", " × ")


def total(boxes):
    return sum(box.parameters for box in boxes)


def bracket(axes, top, bottom, place):
    """From the outputs at `top` to the box at `bottom`; place: which of several, from the left."""
    right = WIDE - ROOM + 0.16 + 0.13 * place
    edge = WIDE - ROOM
    axes.plot([edge, right, right], [top, top, bottom], color=style.SOFT, linewidth=1.2, solid_joinstyle="round")
    axes.annotate("", (edge, bottom), (right, bottom), arrowprops={"arrowstyle": "-|>", "color": style.SOFT, "linewidth": 1.2,
                                                                   "shrinkA": 0, "shrinkB": 0})  # fmt: skip


def column(axes, boxes):
    """Draws in inches from the upper left corner."""
    axes.set(xlim=(0, WIDE), ylim=(height(boxes), 0))
    axes.set_axis_off()
    middle = (EDGE_LEFT + WIDE - ROOM) / 2
    tops = {}
    for i, box in enumerate(boxes):
        top = i * (BOX + GAP)
        tops[box.layer] = top
        axes.add_patch(FancyBboxPatch((EDGE_LEFT, top + 0.02), WIDE - ROOM - EDGE_LEFT, BOX - 0.04, facecolor=tint(box.description),
                                      boxstyle="round,pad=0,rounding_size=0.06", edgecolor=style.AXIS, linewidth=0.8))  # fmt: skip
        axes.text(EDGE_LEFT + 0.12, top + (0.16 if box.parameters else BOX / 2), style.shortened(title(box), 2.6), fontsize=9,
                  fontweight="semibold", va="center")  # fmt: skip
        told = f"{box.parameters:,} parameters" if box.parameters else ""
        axes.text(EDGE_LEFT + 0.12, top + 0.335, told, fontsize=8, color=style.SOFT, va="center")
        axes.text(WIDE - ROOM - 0.12, top + BOX / 2, shape(box), fontsize=9, va="center", ha="right")
        if i + 1 < len(boxes):
            axes.annotate("", (middle, top + BOX + GAP), (middle, top + BOX), arrowprops={"arrowstyle": "-|>", "color": style.AXIS,
                                                                                         "shrinkA": 0, "shrinkB": 0})  # fmt: skip
    ends = []  # of brackets: which columns are taken until where
    for box in boxes:
        if box.added is None:
            continue
        begin = tops[box.added] + BOX * 0.72
        place = next((i for i, end in enumerate(ends) if end < begin), len(ends))
        ends[place:place + 1] = [tops[box.layer] + BOX]
        bracket(axes, begin, tops[box.layer] + BOX * 0.28, place)


def height(boxes):
    return len(boxes) * (BOX + GAP) - GAP + 0.08


def draw_one(boxes):
    """The boxes alone."""
    figure = style.figure(WIDE, height(boxes))
    figure.set_layout_engine("none")
    column(figure.add_axes([0, 0, 1, 1]), boxes)
    return figure


def draw(named):
    """A figure of (name, boxes) each."""
    high = max(height(boxes) for _, boxes in named)
    above = 0.45
    figure = style.figure(WIDE * len(named), high + above)
    figure.set_layout_engine("none")
    for i, (name, boxes) in enumerate(named):
        axes = figure.add_axes([i / len(named), 1 - (above + height(boxes)) / (high + above), 1 / len(named),
                                height(boxes) / (high + above)])  # fmt: skip
        column(axes, boxes)
        told = f": {total(boxes):,} parameters"
        figure.text((i + EDGE_LEFT / WIDE) / len(named), 1 - 0.24 / (high + above),
                    style.shortened(name, WIDE - 0.5 - 0.1 * len(told)) + told, fontsize=11, fontweight="semibold", va="center")  # fmt: skip
    return figure
