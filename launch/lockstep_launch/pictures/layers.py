"""What the layers of a network do over the epochs: the spread of their outputs and of the gradients of these, the share of dead units,
and the ratio of an update to the parameters. A row of panels for each run; bands hold the middle half and nine tenths of the
numbers, in the layers' colours from blue (first) to orange (last)."""

import math

from . import gradients, style

MOST = 8  # layers shown, evenly, the first and the last among them
WIDE, HIGH = 3.1, 2.0  # inches of a small panel
SMALL = 2.6  # height of the two below


def shown(layers, column):
    """The layers that have such numbers, at most MOST."""
    some = [layer for layer in layers if layer.has(column)]
    if len(some) <= MOST:
        return some
    return [some[round(i * (len(some) - 1) / (MOST - 1))] for i in range(MOST)]


def colour(layers, layer):
    return gradients.shade(layers.index(layer), len(layers))


def spread(axes, epochs, layer, of, tint):
    """The bands of one layer's outputs or gradients."""
    columns = layer.columns
    axes.fill_between(epochs, columns[f"{of}_p05"], columns[f"{of}_p95"], color=tint, alpha=0.18, linewidth=0)
    axes.fill_between(epochs, columns[f"{of}_p25"], columns[f"{of}_p75"], color=tint, alpha=0.35, linewidth=0)
    style.curve(axes, epochs, columns[f"{of}_p50"], color=tint, linewidth=1.5, marker="" if len(epochs) > 1 else "o")
    style.epoch_axis(axes, epochs[-1])
    axes.tick_params(labelsize=8)
    axes.yaxis.get_major_formatter().set_powerlimits((-3, 4))
    axes.set_xlabel("")


def lines(axes, data, column, logarithmic):
    """A line for each layer over the epochs."""
    values = []
    for layer in shown(data.layers, column):
        style.curve(axes, data.epochs, layer.columns[column], color=colour(data.layers, layer), linewidth=1.5,
                    label=style.shortened(layer.name, 3.2))  # fmt: skip
        values += [value for value in layer.columns[column] if math.isfinite(value) and value > 0]
    style.epoch_axis(axes, data.epochs[-1])
    if not logarithmic:
        axes.set_ylim(-0.02, 1.02)
    elif values:
        style.logarithmic(axes.yaxis, min(values), max(values) if max(values) > min(values) else 10 * min(values))


def over_epochs(axes, data, column, title, logarithmic):
    """The same with a title and a legend."""
    lines(axes, data, column, logarithmic)
    axes.set_title(title, loc="left", fontsize=10.5)
    if shown(data.layers, column):
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02), fontsize=8, handlelength=1.3, borderaxespad=0.2, labelspacing=0.3)


def rows_of(data):
    """[(which numbers, layers)] of the small panels."""
    return [(of, some) for of in ("output", "gradient") if (some := shown(data.layers, f"{of}_p50"))]


def height(data):
    small = sum(math.ceil(len(some) / 4) * HIGH + 0.35 for _, some in rows_of(data))
    return 0.4 + small + 2 * SMALL


def sheet(part, name, data):
    part.suptitle(style.shortened(f"Layers: {name}", 4 * WIDE - 0.4), fontsize=12.5, fontweight="semibold")
    rows = rows_of(data)
    small = [math.ceil(len(some) / 4) * HIGH + 0.35 for _, some in rows]
    parts = part.subfigures(len(rows) + 1, 1, squeeze=False, height_ratios=[*small, 2 * SMALL]).flatten()
    for (of, some), row in zip(rows, parts):
        row.suptitle("Outputs: median, the middle half, and nine tenths" if of == "output" else
                     "Gradients of the mean loss by a layer's outputs", fontsize=10.5, x=0.01, ha="left")  # fmt: skip
        panels = row.subplots(math.ceil(len(some) / 4), 4, squeeze=False).flatten()
        for axes, layer in zip(panels, some):
            spread(axes, data.epochs, layer, of, colour(data.layers, layer))
            axes.set_title(style.shortened(layer.name, WIDE - 0.5), fontsize=9, loc="left", fontweight="normal", pad=4)
        for axes in panels[len(some):]:
            axes.remove()
    dead, update = parts[-1].subplots(2, 1)
    over_epochs(dead, data, "dead", "Share of units that give the same for all samples", logarithmic=False)
    over_epochs(update, data, "update", "Norm of the epoch's last update over that of the parameters", logarithmic=True)


def draw(named):
    """A figure of (name, Layers) each."""
    heights = [height(data) for _, data in named]
    figure = style.figure(4 * WIDE, sum(heights))
    parts = figure.subfigures(len(named), 1, squeeze=False, height_ratios=heights).flatten()
    for part, (name, data) in zip(parts, named):
        sheet(part, name, data)
    return figure
