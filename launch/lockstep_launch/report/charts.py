"""The page's charts: panels of the pictures as SVG in the page itself, in its colours and fonts, telling values under the pointer."""

import base64
import html
import io
import math
import re

from matplotlib.image import imsave

from .. import colours
from ..pictures import boundary, confusion, curves, film, fit, gradients, layers, network, style, weights
from ..words import number

MAX_BANDS = 100  # places along x that tell their values
MAX_BARS = 40
PARTS = ["compute", "wait", "transfer"]
OF_FRAMES = {"text", "soft", "line", "axis"}  # colours of what is around a panel


def inline(figure, key, description, tips=(), framed_only=False):
    """The figure as an element of the page. key: of this chart alone, for the names in it. tips: rectangles (left, right, bottom, top
    in inches from the lower left corner, text). framed_only: what is within the panel keeps its colours on a dark page."""
    width, height = (72 * inches for inches in figure.get_size_inches())
    style.fill(figure, "none")
    content = style.as_bytes(figure, "svg").decode()
    content = re.sub(r"<metadata>.*?</metadata>|<style .*?</style>", "", content[content.index("<svg") :], flags=re.DOTALL)
    content = content[content.index(">") + 1 : content.rindex("</svg>")]
    used = set(re.findall(r'(?:url\(#|href="#)([\w-]+)', content))
    content = re.sub(r' id="([^"]+)"', lambda found: f' id="{key}-{found[1]}"' if found[1] in used else "", content)
    content = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{key}-", content)
    content = re.sub(r"\n\s*", "\n", content).replace("xlink:href", "href")
    for name, (light, _) in colours.names().items():
        if name in OF_FRAMES or not framed_only:
            content = content.replace(light, f"var(--{name})")
    if not framed_only:
        content = content.replace("#ffffff", "var(--card)")
    bands = "".join(
        f'<rect class="band" x="{72 * left:.1f}" y="{height - 72 * top:.1f}" width="{72 * (right - left):.1f}" '
        f'height="{72 * (top - bottom):.1f}"><title>{html.escape(text)}</title></rect>'
        for left, right, bottom, top, text in tips
    )
    return (f'<svg class="chart" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{html.escape(description)}">'
            f"{content}{bands}</svg>")  # fmt: skip


def box(axes):
    """The panel's left, right, bottom and top, in inches from the lower left corner of the figure, when it has been laid out."""
    width, height = axes.figure.get_size_inches()
    place = axes.get_position()
    return place.x0 * width, place.x1 * width, place.y0 * height, place.y1 * height


def across(axes, x):
    """Where x is, in inches."""
    left, right, _, _ = box(axes)
    return left + (right - left) * axes.transAxes.inverted().transform(axes.transData.transform((x, 0)))[0]


def bands(axes, lines, x_name, unit=""):
    """Columns over the whole panel that tell the values of lines, (name, xs, ys), under the pointer."""
    values = {}
    for name, xs, ys in lines:
        for x, y in zip(xs, ys):
            if math.isfinite(x) and math.isfinite(y):
                values.setdefault(x, []).append(f"{name}: {number(y)}{unit}")
    xs = sorted(values)
    xs = sorted(set(xs[:: math.ceil(len(xs) / MAX_BANDS) or 1] + xs[-1:]))
    left, right, bottom, top = box(axes)
    middles = [(across(axes, a) + across(axes, b)) / 2 for a, b in zip(xs, xs[1:])]
    for x, begin, end in zip(xs, [left, *middles], [*middles, right]):
        yield begin, end, bottom, top, "\n".join([f"{x_name} {number(x)}", *values[x]])


def panel(width=5.4, height=3.1):
    figure = style.figure(width, height)
    return figure, figure.subplots()


def metric(named, name, key, description, factor=1.0, unit=""):
    """Loss or accuracy of (name, Metrics) each; None where none has it."""
    lines = []
    for run, metrics in named:
        for kind in ("train", "test"):
            label = f"{run} {kind}" if len(named) > 1 else kind
            lines.append((label, metrics["epoch"], [factor * y for y in metrics[f"{kind}_{name}"]]))
    if not any(math.isfinite(y) for _, _, ys in lines for y in ys):
        return None
    figure, axes = panel()
    (curves.loss if name == "loss" else curves.accuracy)(axes, named)
    style.lay_out(figure)
    return inline(figure, key, description, bands(axes, lines, "epoch", unit))


def learning_rate(named, key, description):
    """None where it is the same all the time."""
    lines = [(run, metrics["epoch"], metrics.get("learning_rate")) for run, metrics in named if metrics.get("learning_rate")]
    if all(len(set(rates)) <= 1 for _, _, rates in lines):
        return None
    figure, axes = panel()
    for i, (_, epochs, rates) in enumerate(lines):
        style.curve(axes, epochs, rates, color=colours.line(i))
    style.epoch_axis(axes, max(epochs[-1] for _, epochs, _ in lines))
    style.lay_out(figure)
    told = lines if len(lines) > 1 else [("learning rate", *lines[0][1:])]
    return inline(figure, key, description, bands(axes, told, "epoch"))


def gradient_norms(norms, key, description):
    figure, axes = panel()
    gradients.panel(axes, norms, *gradients.span([norms]))
    style.lay_out(figure)
    return inline(figure, key, description, bands(axes, [(name, norms.epochs, ys) for name, ys in norms.layers.items()], "epoch"))


def stacks(metrics):
    """(the epochs before it, its last, the mean seconds of its parts) of each bar: of many epochs a bar is the mean of some."""
    columns = [metrics[f"{part}_seconds"] for part in PARTS]
    count = min(metrics.epochs, MAX_BARS)
    ends = [(i * metrics.epochs // count, (i + 1) * metrics.epochs // count) for i in range(count)]
    return [(begin, end, [sum(column[begin:end]) / (end - begin) for column in columns]) for begin, end in ends]


def epoch_times(metrics, highest, key, description):
    """Bars of each epoch's parts. highest: the end of the axis, in seconds."""
    figure, axes = panel()
    tips = []
    for begin, end, means in stacks(metrics):
        below = 0.0
        for i, mean in enumerate(means):
            axes.bar((begin + end + 1) / 2, mean, bottom=below, width=0.72 * (end - begin), color=colours.part(i))
            below += mean
        epoch = f"epoch {begin + 1}" if end - begin == 1 else f"mean of epochs {begin + 1} to {end}"
        told = [f"{name}: {number(mean, 3)} s" for name, mean in zip(PARTS, means)]
        tips.append((begin, end, "\n".join([epoch, *told])))
    style.epoch_axis(axes, metrics.epochs)
    axes.set_xlim(0.5, metrics.epochs + 0.5)
    axes.set_ylim(0, 1.05 * highest or 1)
    axes.grid(axis="x", visible=False)
    style.lay_out(figure)
    _, _, bottom, top = box(axes)
    places = [(across(axes, begin + 0.5), across(axes, end + 0.5), bottom, top, told) for begin, end, told in tips]
    return inline(figure, key, description, places)


def plane(grid, key, description):
    figure, axes = panel(4.6, 4.4)
    boundary.panel(axes, grid)
    return inline(figure, key, description, framed_only=True)


def line(grid, key, description):
    figure, axes = panel(5.4, 3.4)
    fit.outputs(axes, [grid])
    style.lay_out(figure)
    lines = [("network", grid.x0, grid.output)] + ([("target", grid.x0, grid.target)] if grid.target else [])
    return inline(figure, key, description, bands(axes, lines, "input"))


def confusion_matrix(matrix, key, description):
    """Of more classes than a table has room for."""
    figure, axes = panel(5.4, 5.2)
    confusion.panel(axes, matrix, numbers=False)
    return inline(figure, key, description, framed_only=True)


def network_boxes(boxes, key, description):
    return inline(network.draw_one(boxes), key, description, framed_only=True)


def of_layers(data, column, key, description, logarithmic):
    """A line for each layer over the epochs."""
    figure, axes = panel()
    layers.lines(axes, data, column, logarithmic)
    style.lay_out(figure)
    told = [(layer.name, data.epochs, layer.columns[column]) for layer in layers.shown(data.layers, column)]
    return inline(figure, key, description, bands(axes, told, "epoch"))


def spread(data, layer, of, key, description):
    """The bands of one layer's outputs or gradients."""
    figure, axes = panel(3.6, 2.3)
    layers.spread(axes, data.epochs, layer, of, layers.colour(data.layers, layer))
    style.lay_out(figure)
    told = [(words, data.epochs, layer.columns[f"{of}_{part}"])
            for words, part in (("95 % below", "p95"), ("median", "p50"), ("5 % below", "p05"))]  # fmt: skip
    return inline(figure, key, description, bands(axes, told, "epoch"))


def frame(plane):
    """One picture of a film as a data URI, a pixel for each point."""
    return as_uri(film.pixels(plane))


def image(tiles):
    """A Tiles as a data URI, pixel by pixel."""
    return as_uri(weights.pixels(tiles))


def as_uri(pixels):
    content = io.BytesIO()
    imsave(content, pixels, format="png", metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
