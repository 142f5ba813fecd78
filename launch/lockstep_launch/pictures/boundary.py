"""What networks of two inputs say where, a panel for each run, in the light colours of the classes mixed by their probabilities; of
two classes with the line where both are as likely. Samples: training filled, test open."""

import math

import numpy as np
from matplotlib.lines import Line2D

from .. import colours
from . import style

PALE = 0.55  # of a class's colour in the background
HALF = "#1c1f26"  # the line on it, on any page


def background(plane):
    """(rows, columns, 3), from 0 to 1, the lowest row first."""
    parts = np.nan_to_num(np.clip(np.array(plane.probabilities, dtype=float), 0, 1))
    parts = parts / np.maximum(parts.sum(axis=0), 1e-9)
    tints = np.array([colours.bytes_of(colours.line(k)) for k in range(len(plane.classes))]) / 255
    return 1 - PALE * np.tensordot(parts, 1 - tints, axes=([0], [0]))


def panel(axes, plane):
    left, right, bottom, top = plane.x0[0], plane.x0[-1], plane.x1[0], plane.x1[-1]
    axes.imshow(background(plane), extent=(left, right, bottom, top), origin="lower", interpolation="bilinear", aspect="auto")
    if len(plane.classes) == 2:
        half = np.clip(np.array(plane.probabilities[1], dtype=float), 0, 1)
        if np.nanmin(half) < 0.5 < np.nanmax(half):
            axes.contour(plane.x0, plane.x1, half, levels=[0.5], colors=[HALF], linewidths=1.5)
    count = sum(map(len, plane.samples.values()))
    size = 44 if count < 50 else 26 if count < 250 else 15
    for split, samples in plane.samples.items():
        for k, name in enumerate(plane.classes):
            chosen = [i for i, c in enumerate(samples["class"]) if c == name] if len(samples) else []
            if not chosen:
                continue
            tint = colours.line(k)
            axes.scatter([samples["x0"][i] for i in chosen], [samples["x1"][i] for i in chosen], s=size if split == "train" else 0.7 * size,
                         facecolor=tint if split == "train" else "white", edgecolor="white" if split == "train" else tint,
                         linewidth=0.6 if split == "train" else 1.2, zorder=3)  # fmt: skip
    axes.set(xlim=(left, right), ylim=(bottom, top), xlabel="x0", ylabel="x1")
    tall = (top - bottom) / (right - left)
    if 1 / 3 < tall < 3:  # an equal step along both axes, except where one is much the longer
        axes.set_aspect("equal")
    axes.grid(False)
    axes.spines[["top", "right"]].set_visible(True)


def class_text(name):
    """What the legend calls a class: one that has no name but its number is class 0."""
    return f"class {name}" if name.isdigit() else name


def explained(planes):
    """Handles and names of the legend."""
    names = []
    for k in range(max(len(plane.classes) for plane in planes)):  # a colour may be several classes', of several runs
        names.append(" / ".join(dict.fromkeys(class_text(plane.classes[k]) for plane in planes if k < len(plane.classes))))
    handles = [Line2D([], [], linestyle="", marker="o", markersize=8, color=colours.line(k)) for k in range(len(names))]
    if any(len(plane.samples.get("train", ())) for plane in planes):
        handles.append(Line2D([], [], linestyle="", marker="o", markersize=6, color=style.SOFT))
        names.append("train")
    if any(len(plane.samples.get("test", ())) for plane in planes):
        handles.append(Line2D([], [], linestyle="", marker="o", markersize=5, markerfacecolor="white", color=style.SOFT))
        names.append("test")
    if any(len(plane.classes) == 2 for plane in planes):
        handles.append(Line2D([], [], color=HALF, linewidth=1.5))
        names.append("p = 0.5")
    return handles, names


def draw(named):
    """A figure of (name, Plane) each."""
    across = 2 if len(named) == 4 else min(len(named), 3)
    down = math.ceil(len(named) / across)
    wide = 5.6 if len(named) == 1 else 4.2
    tall = [(plane.x1[-1] - plane.x1[0]) / (plane.x0[-1] - plane.x0[0]) for _, plane in named]
    high = wide * max(min(t, 1.5) if 1 / 3 < t < 3 else 1.0 for t in tall) + 0.3
    handles, names = explained([plane for _, plane in named])
    width = across * wide
    figure = style.figure(width, down * high, style.legend_height(names, width))
    panels = figure.subplots(down, across, squeeze=False).flatten()
    for axes, (name, plane) in zip(panels, named):
        panel(axes, plane)
        axes.set_title(style.shortened(name, wide - 0.7))
    for axes in panels[len(named):]:
        axes.remove()
    style.legend(figure, handles, names, width)
    return figure
