"""Charts as inline SVG. Colours are classes of page.css: c0, c1, ... of runs or classes, t0, t1, ... of parts."""

import math
from dataclasses import dataclass
from html import escape

COLOURS = 8  # c0 to c7
WIDTH, HEIGHT = 560, 330
LEFT, RIGHT, TOP, BOTTOM = 70, 24, 14, 50  # room around the axes' box
MOST_BUCKETS = 250  # of a curve; of more points each bucket keeps its lowest and highest
MOST_BANDS = 100  # places along x that show their values under the pointer
MOST_BARS = 40
MOST_MARKED = 30  # points of a curve that are marked


@dataclass
class Curve:
    name: str
    colour: int
    xs: list
    ys: list
    dashed: bool = False

    def points(self):
        return [(x, y) for x, y in zip(self.xs, self.ys) if math.isfinite(x) and math.isfinite(y)]


def power(exponent):
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def number(value, digits=5):
    """12,346 or 1.2346 or 1.2346·10⁻⁶; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 10 ** max(digits - 1, 4):
        text = f"{value:,.0f}"
    else:
        mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
        text = f"{mantissa}·{power(int(exponent))}" if exponent else mantissa
    return text.replace("-", "−")


def nice(step):
    """The next of 1, 2, 5, 10, 20, 50...: a step from tick to tick."""
    decade = 10.0 ** math.floor(math.log10(step))
    return next(decade * factor for factor in (1, 2, 5, 10) if step <= decade * factor * (1 + 1e-9))


class Axis:
    """Places values of low..high on begin..end, in points."""

    def __init__(self, low, high, begin, end, logarithmic=False, whole=False):
        self.logarithmic, self.begin, self.end = logarithmic, begin, end
        if logarithmic:
            self.low, self.high = math.floor(math.log10(low)), math.ceil(math.log10(high))
            if self.low == self.high:
                self.high += 1
            every = math.ceil((self.high - self.low) / 6)
            self.ticks = [10.0 ** power for power in range(self.low, self.high + 1, every)]
        else:
            if low == high:
                low, high = low - 0.5, high + 0.5
            step = nice((high - low) / 6)
            if whole:
                step = max(step, 1)
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            self.low, self.high = low, high
            self.ticks = [i * step for i in range(first, last + 1)]

    def __call__(self, value):
        part = ((math.log10(value) if self.logarithmic else value) - self.low) / (self.high - self.low)
        return self.begin + part * (self.end - self.begin)

    def label(self, tick):
        if self.logarithmic and not 0.001 <= tick <= 10000:
            return power(round(math.log10(tick)))
        return number(round(tick, 12), 4)


def frame(x_axis, y_axis, x_label):
    """Grid, ticks and the label below."""
    parts = []
    for tick in y_axis.ticks:
        y = y_axis(tick)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
                     f'<text class="y" x="{LEFT - 8}" y="{y:.1f}" dy=".33em">{y_axis.label(tick)}</text>')
    for tick in x_axis.ticks:
        parts.append(f'<path class="grid" d="M{x_axis(tick):.1f} {HEIGHT - BOTTOM}v5"/>'
                     f'<text class="x" x="{x_axis(tick):.1f}" y="{HEIGHT - BOTTOM + 9}" dy=".8em">{x_axis.label(tick)}</text>')
    parts.append(f'<path class="axis" d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>'
                 f'<text class="x name" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 5}">{escape(x_label)}</text>')
    return "".join(parts)


def svg(content, description, width=WIDTH, height=HEIGHT):
    return (f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(description)}">'
            f'{content}</svg>')


def thinned(points):
    """The lowest and the highest of each bucket, in their order."""
    if len(points) <= 2 * MOST_BUCKETS:
        return points
    kept = []
    for bucket in range(MOST_BUCKETS):
        some = points[bucket * len(points) // MOST_BUCKETS:(bucket + 1) * len(points) // MOST_BUCKETS]
        ends = {min(some, key=lambda point: point[1]), max(some, key=lambda point: point[1])}
        kept += sorted(ends)
    return kept[:-1] + [points[-1]] if kept[-1] != points[-1] else kept


def path(points, x_axis, y_axis):
    return "M" + "L".join(f"{x_axis(x):.1f} {y_axis(y):.1f}" for x, y in points)


def bands(curves, x_axis, x_name, unit):
    """Columns over the whole height that tell the curves' values under the pointer."""
    values = {}
    for curve in curves:
        for x, y in curve.points():
            values.setdefault(x, []).append(f"{curve.name}: {number(y)}{unit}")
    xs = sorted(values)
    step = math.ceil(len(xs) / MOST_BANDS)
    xs = sorted(set(xs[::step] + xs[-1:]))
    edges = [LEFT] + [(x_axis(a) + x_axis(b)) / 2 for a, b in zip(xs, xs[1:])] + [WIDTH - RIGHT]
    parts = []
    for x, begin, end in zip(xs, edges, edges[1:]):
        told = escape("\n".join([f"{x_name} {number(x)}"] + values[x]))
        parts.append(f'<rect class="band" x="{begin:.1f}" y="{TOP}" width="{end - begin:.1f}" '
                     f'height="{HEIGHT - TOP - BOTTOM}"><title>{told}</title></rect>')
    return "".join(parts)


def curves_chart(curves, description, x_name="epoch", unit="", logarithmic=None):
    """A chart of curves. logarithmic: None is where values are above 0 and far apart."""
    drawn = [curve for curve in curves if curve.points()]
    points = [point for curve in drawn for point in curve.points()]
    if not points:
        return ""
    low, high = min(y for _, y in points), max(y for _, y in points)
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    if logarithmic is None:
        logarithmic = low > 0 and high > 30 * low
    x_axis = Axis(first, last, LEFT + 10, WIDTH - RIGHT - 10, whole=x_name == "epoch")
    room = 0 if logarithmic else 0.04 * (high - low)
    y_axis = Axis(low - room, high + room, HEIGHT - BOTTOM, TOP, logarithmic and low > 0)
    parts = [frame(x_axis, y_axis, x_name)]
    for i, curve in enumerate(drawn):
        dashed = " dashed" if curve.dashed else ""
        hidden_by = sum(later.points() == curve.points() for later in drawn[i + 1:])
        wide = f' style="stroke-width:{2 + min(3 * hidden_by, 9)}"' if hidden_by else ""
        parts.append(f'<path class="curve c{curve.colour % COLOURS}{dashed}"{wide} '
                     f'd="{path(thinned(curve.points()), x_axis, y_axis)}"/>')
        if len(curve.points()) <= MOST_MARKED:
            parts += [f'<circle class="mark c{curve.colour % COLOURS}{dashed}" cx="{x_axis(x):.1f}" cy="{y_axis(y):.1f}" r="3"/>'
                      for x, y in curve.points()]
    parts.append(bands(drawn, x_axis, x_name, unit))
    return svg("".join(parts), description)


def bars(columns):
    """Each epoch's parts, or, of many epochs, the means of some: (the epochs before it, the last, its parts). columns: one
    list a part."""
    epochs = len(columns[0])
    count = min(epochs, MOST_BARS)
    ends = [(bar * epochs // count, (bar + 1) * epochs // count) for bar in range(count)]
    return [(begin, end, [sum(column[begin:end]) / (end - begin) for column in columns]) for begin, end in ends]


def stacked_chart(names, stacks, highest, description):
    """The bars, their parts on each other."""
    epochs = stacks[-1][1]
    x_axis = Axis(0.5, epochs + 0.5, LEFT, WIDTH - RIGHT, whole=True)
    y_axis = Axis(0, highest or 1, HEIGHT - BOTTOM, TOP)
    parts = [frame(x_axis, y_axis, "epoch")]
    for begin, end, means in stacks:
        epoch = f"epoch {begin + 1}" if end - begin == 1 else f"mean of epochs {begin + 1} to {end}"
        told = escape("\n".join([epoch] + [f"{name}: {number(mean, 3)} s" for name, mean in zip(names, means)]))
        left, right = x_axis(begin + 0.5), x_axis(end + 0.5)
        gap, below = min(0.15 * (right - left), 8), 0.0
        parts.append("<g>")
        for part, mean in enumerate(means):
            top, bottom = y_axis(below + mean), y_axis(below)
            below += mean
            parts.append(f'<rect class="t{part}" x="{left + gap:.1f}" y="{top:.1f}" width="{right - left - 2 * gap:.1f}" '
                         f'height="{bottom - top:.1f}"/>')
        parts.append(f"<title>{told}</title></g>")
    return svg("".join(parts), description)


def plane_chart(image, points, x_range, y_range, description):
    """An image over a part of the plane, and points on it. points: (class of CSS, [(x, y), ...])."""
    side, left, bottom = 400, 50, 400 + TOP  # the image is square
    x_axis = Axis(*x_range, left, left + side)
    y_axis = Axis(*y_range, bottom, TOP)
    parts = [f'<image href="{image}" x="{left}" y="{TOP}" width="{side}" height="{side}" preserveAspectRatio="none"/>']
    for tick in x_axis.ticks:
        parts.append(f'<text class="x" x="{x_axis(tick):.1f}" y="{bottom + 6}" dy=".8em">{x_axis.label(tick)}</text>')
    for tick in y_axis.ticks:
        parts.append(f'<text class="y" x="{left - 8}" y="{y_axis(tick):.1f}" dy=".33em">{y_axis.label(tick)}</text>')
    for kind, some in points:
        parts += [f'<circle class="point {kind}" cx="{x_axis(x):.1f}" cy="{y_axis(y):.1f}" r="3"/>' for x, y in some]
    return svg("".join(parts), description, left + side + RIGHT, bottom + 30)
