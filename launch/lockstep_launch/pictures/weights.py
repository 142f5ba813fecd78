"""First-layer weights as images, a panel for each run, every pixel of the table a square."""

import math

import numpy as np

from . import style


def pixels(weights):
    """(height, width, 3) bytes."""
    return np.frombuffer(weights.rgb, np.uint8).reshape(weights.height, weights.width, 3)


def draw(named):
    """A figure of (name, Tiles) each."""
    across = min(len(named), 2)
    down = math.ceil(len(named) / across)
    wide = 8.0 / across + 1.5 * (across > 1)
    high = max(wide * min(weights.height / weights.width, 2) for _, weights in named) + 0.4
    figure = style.figure(across * wide, down * high)
    panels = figure.subplots(down, across, squeeze=False).flatten()
    for axes, (name, weights) in zip(panels, named):
        axes.imshow(pixels(weights), interpolation="none")  # as it is: whoever shows it makes the squares
        axes.set_axis_off()
        axes.set_title(style.shortened(f"First-layer weights: {name}", wide - 0.3))
    for axes in panels[len(named):]:
        axes.remove()
    return figure
