"""Gradient norms over the epochs, a panel for each run, a line for each layer from blue (first) to orange (last). All panels have
one range, so that a vanishing gradient is seen beside one that does not vanish."""

import math

from matplotlib.colors import LinearSegmentedColormap, to_hex

from . import style

LAYERS = LinearSegmentedColormap.from_list("layers", ["#3a5fcd", "#b8459c", "#e08a1e"])  # on white, and on a dark page


def shade(layer, layers):
    return to_hex(LAYERS(layer / (layers - 1) if layers > 1 else 0.0))


def span(several):
    """The least and the largest norm above 0 of several Gradients; (1, 1) without one."""
    norms = [norm for gradients in several for layer in gradients.layers.values() for norm in layer if norm > 0]
    return (min(norms), max(norms)) if norms else (1, 1)


def panel(axes, gradients, low, high):
    """The curves of one run. low, high: the span of the axis' norms."""
    layers = len(gradients.layers)
    step = math.ceil(layers / 14)  # of more layers not all are named
    for i, (name, norms) in enumerate(gradients.layers.items()):
        named = i == layers - 1 or (i % step == 0 and layers - 1 - i >= step)
        style.curve(axes, gradients.epochs, [norm if norm > 0 else math.nan for norm in norms], color=shade(i, layers),
                    linewidth=1.3 if layers > 8 else 1.8, label=name if named else f"_{name}")  # fmt: skip
    style.epoch_axis(axes, gradients.epochs[-1])
    style.logarithmic(axes.yaxis, low, high)
    axes.set_ylim(low / 1.5, high * 1.5)


def draw(named):
    """A figure of (name, Gradients) each."""
    across = 2 if len(named) == 4 else min(len(named), 3)
    down = math.ceil(len(named) / across)
    wide = {1: 8.0, 2: 5.4}.get(across, 4.4)
    figure = style.figure(across * wide, down * 3.6)
    low, high = span([gradients for _, gradients in named])
    panels = figure.subplots(down, across, squeeze=False).flatten()
    for axes, (name, gradients) in zip(panels, named):
        panel(axes, gradients, low, high)
        axes.set_title(style.shortened(f"Gradient norm per layer: {name}", wide - 0.6), loc="left")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02), handlelength=1.3, borderaxespad=0.2, labelspacing=0.3)
    for axes in panels[len(named):]:
        axes.remove()
    return figure
