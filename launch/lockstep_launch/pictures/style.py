"""How every picture looks, and how it is written: reproducible SVG with its text as text, and PNG beside it. No pyplot: a picture
is a Figure, and nothing is global but these settings."""

import io
import math

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from .. import colours
from ..files import replace_file
from ..words import power

INK, SOFT, EDGE, AXIS, WRONG, TARGET = (pair[0] for pair in (
    colours.INK, colours.SOFT, colours.EDGE, colours.AXIS, colours.WRONG, colours.TARGET))  # fmt: skip
DASHED = (0, (4.2, 2.8))
MARKERS = "osD^v"
MAX_POINTS = 1000  # of a curve
LEGEND_ROW = 0.25  # inches

matplotlib.rcParams.update({
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 10.5, "text.color": INK,
    "axes.titlesize": 12, "axes.titleweight": "semibold", "axes.titlepad": 9, "axes.labelcolor": SOFT, "axes.labelsize": 10.5,
    "axes.edgecolor": AXIS, "axes.linewidth": 0.9, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": EDGE, "grid.linewidth": 0.8, "axes.unicode_minus": True,
    "xtick.color": AXIS, "ytick.color": AXIS, "xtick.labelcolor": SOFT, "ytick.labelcolor": SOFT,
    "xtick.labelsize": 9.5, "ytick.labelsize": 9.5, "lines.linewidth": 1.8, "lines.solid_capstyle": "round",
    "legend.frameon": False, "legend.fontsize": 10, "legend.labelcolor": INK, "patch.linewidth": 0,
    "svg.fonttype": "none", "svg.hashsalt": "lockstep", "savefig.facecolor": "white", "figure.facecolor": "white",
    "axes.formatter.use_locale": False, "text.usetex": False, "text.parse_math": False,
})  # fmt: skip


def figure(width, height, legend=0.0):
    """A figure of inches, whose panels lie above a strip of `legend` inches."""
    made = Figure(figsize=(width, height + legend))
    made.set_layout_engine("constrained", rect=(0, legend / (height + legend), 1, height / (height + legend)),
                           w_pad=0.08, h_pad=0.08, wspace=0.04, hspace=0.05)  # fmt: skip
    return made


def legend_columns(names, width):
    """How many entries of such names have room side by side in so many inches."""
    widest = max(len(name) for name in names)
    return max(1, min(len(names), int(width / (0.62 + 0.085 * widest))))


def legend_height(names, width):
    return LEGEND_ROW * math.ceil(len(names) / legend_columns(names, width)) + 0.12 if names else 0.0


def legend(made, handles, names, width):
    """Below the panels of the figure."""
    if names:
        made.legend(handles, names, loc="lower center", ncols=legend_columns(names, width), handlelength=2.2, columnspacing=1.8,
                    borderaxespad=0.4)  # fmt: skip


def shortened(text, inches):
    """The end of it, if it is wider than that at the size of a title."""
    most = max(4, int(inches / 0.105))
    return text if len(text) <= most else "…" + text[1 - most :]


def logarithmic(axis, low, high):
    """That axis of a panel, for values from low to high, both above 0: whole decades, or 1, 2 and 5 where there are few."""
    getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
    decades = math.log10(high / low)
    many = decades > 2.5
    axis.set_major_locator(LogLocator(numticks=9) if many else LogLocator(subs=(1, 2, 5), numticks=12))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    far = low < 1e-3 or high > 1e5
    axis.set_major_formatter(FuncFormatter(
        lambda value, _: (power(round(math.log10(value))) if far and many else f"{value:g}").replace("-", "−")))  # fmt: skip


def is_wide(low, high):
    """Whether such values are to be seen on a logarithmic axis."""
    return 0 < low and high > 30 * low


def epoch_axis(axes, last):
    """Whole epochs from the first to the last."""
    axes.set_xlabel("epoch")
    few = last <= 10
    axes.xaxis.set_major_locator(FixedLocator(range(1, int(last) + 1)) if few else
                                 MaxNLocator(8, integer=True, steps=[1, 2, 2.5, 5, 10]))  # fmt: skip
    edge = 0.02 * (last - 1) or 0.5
    axes.set_xlim(1 - edge, last + edge)


def kept(ys, most=MAX_POINTS):
    """Indices of at most about `most` points that look like all: the lowest and the highest of each bucket, first and last."""
    ys = np.asarray(ys, dtype=float)
    if len(ys) <= most:
        return np.arange(len(ys))
    found = {0, len(ys) - 1}
    for bucket in np.array_split(np.arange(len(ys)), most // 2):
        values = ys[bucket]
        if np.isfinite(values).any():
            found |= {int(bucket[np.nanargmin(values)]), int(bucket[np.nanargmax(values)])}
    return np.array(sorted(found))


def curve(axes, xs, ys, **how):
    """Draws a curve, thinned; few points are marked. Returns its Line2D."""
    xs, ys = np.asarray(xs, dtype=float), np.asarray(ys, dtype=float)
    some = kept(ys)
    marked = np.count_nonzero(np.isfinite(ys)) <= 30
    how = {"marker": "o" if marked else "", "markersize": 3.6} | how
    return axes.plot(xs[some], ys[some], **how)[0]


def lay_out(made):
    """Puts the panels where they will be drawn. Rounded: the last digits that the constraint solver finds differ from run to run, and
    names in the SVG are made of them."""
    made.draw_without_rendering()
    made.set_layout_engine("none")
    for axes in made.axes:
        axes.set_position(np.round(axes.get_position(original=True).bounds, 5))


def fill(made, colour):
    """The figure's and its panels' background."""
    made.patch.set_facecolor(colour)
    for axes in made.axes:
        axes.patch.set_facecolor(colour)


def as_bytes(made, form, dpi=150):
    """The picture, alike whenever and wherever the same version of matplotlib makes it. form: svg or png."""
    lay_out(made)
    content = io.BytesIO()
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[form]
    made.savefig(content, format=form, dpi=dpi, metadata=metadata, facecolor=made.get_facecolor())
    return content.getvalue()


def write(made, place):
    """As place.svg and place.png."""
    for form in ("svg", "png"):
        replace_file(place.with_name(f"{place.name}.{form}"), as_bytes(made, form))
