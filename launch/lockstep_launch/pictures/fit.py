"""What networks of one input say: the target grey, their outputs over it, the training samples as dots; below it the error, where
there is a target."""

from matplotlib.lines import Line2D

from .. import colours
from . import style


def input_axis(axes, lines):
    axes.set_xlim(min(min(line.x0) for line in lines), max(max(line.x0) for line in lines))
    axes.set_xlabel("x0")


def outputs(axes, lines):
    """The outputs of Lines over their targets."""
    for line in lines:
        if line.target:
            style.curve(axes, line.x0, line.target, color=style.TARGET, linewidth=6, marker="", zorder=2)
        train = line.samples.get("train", ())
        if len(train):
            axes.plot(train["x0"], train["target"], linestyle="", marker="o", markersize=3, color=style.SOFT, zorder=3)
    for i, line in enumerate(lines):
        style.curve(axes, line.x0, line.output, color=colours.line(i), marker="", zorder=4)
    input_axis(axes, lines)


def errors(axes, lines):
    """|output - target| of Lines, on a logarithmic axis of at most five decades."""
    drawn = [[error or float("nan") for error in line.errors()] for line in lines]
    finite = [error for line in drawn for error in line if error == error]
    for i, (line, values) in enumerate(zip(lines, drawn)):
        if values:
            style.curve(axes, line.x0, values, color=colours.line(i), marker="", linewidth=1.5)
    low, high = max(min(finite), 1e-5 * max(finite)), max(finite)
    style.logarithmic(axes.yaxis, low, high)
    axes.set_ylim(low / 1.4, high * 1.4)
    input_axis(axes, lines)
    axes.set_title("Error |output − target|", loc="left")


def draw(named):
    """A figure of (name, Line) each."""
    lines = [line for _, line in named]
    missed = any(error > 0 for line in lines for error in line.errors())
    width, handles, names = 11.0, [], []
    if any(line.target for line in lines):
        handles.append(Line2D([], [], color=style.TARGET, linewidth=6))
        names.append("target")
    if any(len(line.samples.get("train", ())) for line in lines):
        handles.append(Line2D([], [], linestyle="", marker="o", markersize=4, color=style.SOFT))
        names.append("training samples")
    handles += [Line2D([], [], color=colours.line(i)) for i in range(len(lines))]
    names += [style.shortened(name, width) for name, _ in named]
    figure = style.figure(width, 3.7 + 2.4 * missed, style.legend_height(names, width))
    ratios = [1.75, 1] if missed else [1]
    panels = figure.subplots(1 + missed, 1, squeeze=False, gridspec_kw={"height_ratios": ratios})[:, 0]
    outputs(panels[0], lines)
    title = f"Output and target: {named[0][0]}" if len(named) == 1 else "Output and target"
    panels[0].set_title(style.shortened(title, width - 1), loc="left")
    if missed:
        errors(panels[1], lines)
        panels[0].set_xlabel("")
    style.legend(figure, handles, names, width)
    return figure
