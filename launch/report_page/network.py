"""The sections about what a network has learnt: confusion matrices, first-layer weights, what it says where."""

import math

from .chart import Curve, curves_chart, number, plane_chart
from .markup import cards, figure, legend, run_title, section, swatch, table, text
from .image import png

MOST_CLASSES = 20  # with so many a confusion matrix is a table, with more an image
MOST_POINTS = 600  # samples in a picture

# c0 to c7 of page.css, in daylight, for images.
PALETTE = [(0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233), (128, 128, 128),
           (240, 228, 66)]


def mixed(colours_and_parts):
    """A light mixture of colours, as bytes."""
    whole = sum(part for _, part in colours_and_parts) or 1
    return bytes(round(255 - 0.6 * sum(part / whole * (255 - colour[i]) for colour, part in colours_and_parts))
                 for i in range(3))


def confusion_table(run, confusion):
    rows = []
    for name, row in zip(confusion.names, confusion.shares()):
        cells = [text(name)]
        for other, share in zip(confusion.names, row):
            known = math.isfinite(share)
            shown = f"{100 * share:.0f}" if known else "–"
            cells.append(f'<span class="share" style="--share:{share if known else 0:.3f}" '
                         f'title="{text(name)} taken for {text(other)}">{shown}</span>')
        rows.append(cells)
    header = ["true \\ predicted"] + [f"<span>{text(name)}</span>" for name in confusion.names]
    return table(header, rows, f"Confusion matrix of {run.name}, percent of each true class", "confusion")


def confusion_image(run, confusion):
    side = len(confusion.names)
    shares = [share if math.isfinite(share) else 0 for row in confusion.shares() for share in row]
    pixels = b"".join(mixed([(PALETTE[0], share), ((255, 255, 255), 1 - share)]) for share in shares)
    described = f"Confusion matrix of {run.name}: {side} classes, a row for each true one, darker is more"
    return f'<img class="pixels" alt="{text(described)}" src="{png(side, side, pixels)}">'


def alike(runs, kind):
    """The different tables of a kind: each with the title of the runs that have it, and the first of them."""
    found = []
    for run in runs:
        if kind not in run.tables:
            continue
        same = next((others for others in found if others[0].tables[kind] == run.tables[kind]), None)
        if same:
            same.append(run)
        else:
            found.append([run])
    return [(" ".join(run_title(runs, run) for run in group), group[0], group[0].tables[kind]) for group in found]


def confusions(runs):
    figures = []
    for title, run, confusion in alike(runs, "confusion"):
        shown = confusion_table if len(confusion.names) <= MOST_CLASSES else confusion_image
        worst = "; ".join(f"{text(name)} for {text(other)}, {100 * share:.0f}\u00a0%" for share, name, other in confusion.worst(3))
        below = f"<p>Most often taken for another: {worst}.</p>" if worst else "<p>No mistakes.</p>"
        figures.append(figure(title, shown(run, confusion), below))
    return section("Classes taken for others, in percent of the true class", cards(figures))


def weights(runs):
    figures = []
    for title, run, image in alike(runs, "weights"):
        which = f"{image.shown} of {image.units} units" if image.shown < image.units else f"{image.units} units"
        described = f"First-layer weights of {run.name} as images: {which}, a tile each"
        figures.append(figure(f"{title} <small>{which}</small>",
                              f'<img class="pixels" alt="{text(described)}" '
                              f'src="{png(image.width, image.height, image.rgb)}">'))
    return section("First-layer weights: a tile a unit, grey is zero", cards(figures, "narrow"))


def some(points):
    """At most MOST_POINTS of them, evenly."""
    points = list(points)
    return points[::math.ceil(len(points) / MOST_POINTS)] if points else []


def plane(title, run, grid):
    columns = grid.columns
    across = columns["x1"].count(columns["x1"][0])
    count = len(columns["x0"])
    down = count // across
    probabilities = [columns[f"p_{name}"] for name in grid.classes]
    pixels = [mixed([(PALETTE[k % len(PALETTE)], column[i]) for k, column in enumerate(probabilities)])
              for i in range(down * across)]
    rows = [b"".join(pixels[y * across:(y + 1) * across]) for y in reversed(range(down))]  # the first row is the lowest
    points = []
    for split, samples in (grid.points or {}).items():
        for label in sorted(set(samples.get("class", ()))):
            places = [(x, y) for x, y, c in zip(samples["x0"], samples["x1"], samples["class"]) if c == label]
            points.append((f"c{label % len(PALETTE)} {split}", some(places)))
    chart = plane_chart(png(across, down, b"".join(rows)), points, (min(columns["x0"]), max(columns["x0"])),
                        (min(columns["x1"]), max(columns["x1"])),
                        f"The plane in the colours of the classes that {run.name} sees, and its samples")
    entries = [swatch(k) + text(f"class {name}" if name.isdigit() else name) for k, name in enumerate(grid.classes)]
    entries += ['<span class="dot"></span>training', '<span class="dot test"></span>test'] if grid.points else []
    return figure(title, chart, legend(entries))


def line(title, run, grid):
    columns = grid.columns
    lines = [Curve("network", 0, columns["x0"], columns["output"])]
    entries = [swatch(0) + "network"]
    if "target" in columns:
        lines.append(Curve("target", 1, columns["x0"], columns["target"], dashed=True))
        entries.append(swatch(1) + "target")
    errors = [abs(a - b) for a, b in zip(columns["output"], columns.get("target", []))]
    below = f"<p>Largest distance from the target: {number(max(errors), 3)}.</p>" if errors else ""
    chart = curves_chart(lines, f"The output of {run.name} over its input", x_name="input", logarithmic=False)
    return figure(title, chart, legend(entries) + below)


def grids(runs):
    figures = [(plane if grid.in_plane else line)(title, run, grid) for title, run, grid in alike(runs, "grid")]
    return section("What the network says where", cards(figures))


def notes(runs):
    """What is not there, and the commands that make it."""
    lines = []
    for run in runs:
        for words, command in run.notes:
            made = f"<br>To be made by <code>{text(command)}</code>" if command else ""
            lines.append(f"<li>{run_title(runs, run)} {text(words)}{made}</li>")
    return section("What is not here", f'<ul class="notes">{"".join(lines)}</ul>') if lines else ""
