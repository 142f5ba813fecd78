"""Loss and accuracy over the epochs: training dashed, test solid, a colour for each run. Of regressions the loss alone."""

from matplotlib.lines import Line2D

from .. import colours
from . import style


def panel(axes, named, metric, factor=1.0):
    """That metric of (name, Metrics) each, over the epochs that have it. A run without a test set has its training curve alone, solid. Of equal curves the
    lower one is wider, so that it is seen."""
    drawn = []
    for i, (_, metrics) in enumerate(named):
        for kind in ("train", "test"):
            known = [(epoch, factor * value) for epoch, value in zip(metrics["epoch"], metrics[f"{kind}_{metric}"]) if value == value]
            if not known:
                continue
            epochs, values = map(list, zip(*known))
            hides = sum(values == other for _, other in drawn)
            dashed = kind == "train" and metrics.tested
            how = {"linestyle": style.DASHED if dashed else "-", "linewidth": 1.4 if dashed else 1.9}
            curve = style.curve(axes, epochs, values, color=colours.line(i), zorder=3 + len(drawn), **how)
            curve.set_marker(style.MARKERS[i // len(colours.LINES) % 5] if curve.get_marker() == "o" else "")
            if dashed:
                curve.set_markerfacecolor("white")
            for other, values_of_other in drawn:
                if values_of_other == values:
                    other.set_linewidth(other.get_linewidth() + 2.4 / max(hides, 1))
            drawn.append((curve, values))
    style.epoch_axis(axes, max(metrics.last("epoch") for _, metrics in named))
    return drawn


def loss(axes, named):
    """The loss; on a logarithmic axis where all are regressions whose loss falls far."""
    drawn = panel(axes, named, "loss")
    values = [value for _, curve in drawn for value in curve]
    classified = any(metrics.classified for _, metrics in named)
    if values and not classified and style.is_wide(min(values), max(values)):
        style.logarithmic(axes.yaxis, min(values), max(values))


def accuracy(axes, named):
    panel(axes, named, "accuracy", 100)


def draw(named):
    """A figure of the curves of (name, Metrics) each."""
    width = 11.0
    names = [style.shortened(name, width) for name, _ in named]
    handles = [Line2D([], [], color=colours.line(i), linewidth=2.2) for i in range(len(named))]
    if any(metrics.tested for _, metrics in named):
        handles += [Line2D([], [], color=style.SOFT, linestyle=style.DASHED, linewidth=1.4), Line2D([], [], color=style.SOFT)]
        names += ["train", "test"]
    figure = style.figure(width, 3.7, style.legend_height(names, width))
    classified = any(metrics.classified for _, metrics in named)
    panels = figure.subplots(1, 1 + classified, squeeze=False)[0]
    loss(panels[0], named)
    panels[0].set_title("Loss", loc="left")
    if classified:
        accuracy(panels[1], named)
        panels[1].set_title("Accuracy (%)", loc="left")
    style.legend(figure, handles, names, width)
    return figure
