"""The most confident mistakes of a network on images, a sheet for each run: above each image what it is taken for, how surely, and
what it is."""

import math

from . import style, weights
from ..words import percent

ACROSS = 5  # images side by side
SIDE = 1.3  # inches of one, with the words above it


def sheet(part, name, some):
    """part: the figure, or the part of one, that the sheet fills."""
    part.suptitle(style.shortened(f"Wrong and sure of it: {name}" if some else f"No mistakes: {name}", ACROSS * SIDE),
                  fontsize=12, fontweight="semibold")  # fmt: skip
    panels = part.subplots(max(1, math.ceil(len(some) / ACROSS)), ACROSS, squeeze=False).flatten()
    for axes, mistake in zip(panels, some):
        axes.imshow(weights.pixels(mistake.image), interpolation="none")
        axes.set_title(f"{style.shortened(mistake.predicted, 1.4)} {percent(mistake.probability, 0)}\n"
                       f"is {style.shortened(mistake.actual, 1.4)}", fontsize=8, fontweight="normal", pad=3)  # fmt: skip
    for axes in panels:
        axes.set_axis_off()


def draw(named):
    """A figure of (name, mistakes) each."""
    across = min(len(named), 2)
    down = math.ceil(len(named) / across)
    rows = max(1, max(math.ceil(len(some) / ACROSS) for _, some in named))
    figure = style.figure(across * ACROSS * SIDE, down * (rows * (SIDE + 0.15) + 0.4))
    parts = figure.subfigures(down, across, squeeze=False).flatten()
    for part, (name, some) in zip(parts, named):
        sheet(part, name, some)
    return figure
