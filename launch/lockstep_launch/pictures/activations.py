"""Activation functions, a panel for each: the function solid, its slope dashed."""

import math

from matplotlib.lines import Line2D

from .. import colours
from . import style


def draw(activations):
    """A figure of an Activations table."""
    functions = activations.functions
    across = min(len(functions), 3)
    down = math.ceil(len(functions) / across)
    width, names = across * 3.7, ["f(x)", "slope"]
    handles = [Line2D([], [], color=colours.line(0)), Line2D([], [], color=colours.line(1), linestyle=style.DASHED)]
    figure = style.figure(width, down * 2.9, style.legend_height(names, width))
    panels = figure.subplots(down, across, squeeze=False).flatten()
    for axes, (name, (values, slopes)) in zip(panels, functions.items()):
        for at in (axes.axhline, axes.axvline):
            at(0, color=style.AXIS, linewidth=0.9, zorder=1)
        style.curve(axes, activations.x, values, color=colours.line(0), marker="", linewidth=2.2)
        style.curve(axes, activations.x, slopes, color=colours.line(1), marker="", linestyle=style.DASHED)
        axes.margins(x=0)
        axes.set_title(name.replace("_", " "))
    for axes in panels[len(functions):]:
        axes.remove()
    style.legend(figure, handles, names, width)
    return figure
