"""The scores of sweeps, one below the other, with their standard deviations; the best is orange. Where one parameter varies, a
number: the score against it. Otherwise a row for each of the best trials, with the parameters that vary."""

from .. import colours
from . import style

MAX_ROWS = 30
ROW = 0.27  # inches
CHART = 4.6
BEST, OTHER = colours.line(1), colours.line(0)


def short(text, most=40):
    return text if len(text) <= most else text[: most - 1] + "…"


def heading(name, sweep, rows):
    trials, scored = len(sweep.trials), len(sweep.scored)
    best = f"best {rows} of " if rows < scored else ""
    failed = f", {trials - scored} failed" if scored < trials else ""
    return f"{style.shortened(name, 5)}: {best}{trials} trial{'' if trials == 1 else 's'}{failed}"


def bars(axes, places, shown, horizontal):
    """Points with error bars: of the rows (horizontal) or over a parameter. A bar does not reach 0 where the axis has none."""
    scores = [trial.score for trial in shown]
    low, high = min(scores), max(scores)
    if style.is_wide(low, high):
        style.logarithmic(axes.xaxis if horizontal else axes.yaxis, low, high)
        below = [min(trial.deviation, trial.score - low / 3) for trial in shown]
    else:
        below = [trial.deviation for trial in shown]
    for i, trial in enumerate(shown):
        reach = [[below[i]], [trial.deviation]]
        how = {"fmt": "o", "markersize": 5.5, "capsize": 2.5, "linewidth": 1.3, "color": BEST if i == 0 else OTHER, "zorder": 4 - (i > 0)}
        if horizontal:
            axes.errorbar([trial.score], [places[i]], xerr=reach, **how)
        else:
            axes.errorbar([places[i]], [trial.score], yerr=reach, **how)


def curve(axes, sweep, parameter):
    shown = sweep.scored
    places = [float(trial.values[parameter]) for trial in shown]
    if min(places) > 0 and max(places) > 20 * min(places):
        style.logarithmic(axes.xaxis, min(places), max(places))
    means = {}
    for x, trial in zip(places, shown):
        means.setdefault(x, []).append(trial.score)
    axes.plot(sorted(means), [sum(means[x]) / len(means[x]) for x in sorted(means)], color="#aab1bb", linewidth=1.2, zorder=2)
    bars(axes, places, shown, horizontal=False)
    axes.set_xlabel(parameter)
    axes.set_ylabel("score")
    axes.margins(0.05)


def columns(sweep):
    """(heading, texts) of the rows: the trial and what varies."""
    shown = sweep.scored[:MAX_ROWS]
    yield "trial", [short(trial.name) for trial in shown]
    for name in sweep.varying:
        yield name.rpartition(".")[2], [short(trial.values[name]) or "–" for trial in shown]


def widths(sweep):
    """Inches of each of these columns."""
    return [0.3 + 0.088 * max(map(len, [title, *texts])) for title, texts in columns(sweep)]


def rows(axes, sweep, width):
    """The table at the left, the scores at the right, their texts beside them. width: of the panel, in inches."""
    shown = sweep.scored[:MAX_ROWS]
    bars(axes, range(len(shown)), shown, horizontal=True)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("score")
    axes.margins(x=0.04)
    across = axes.get_yaxis_transform()
    left = -sum(widths(sweep)) / width
    for (title, texts), wide in zip(columns(sweep), widths(sweep)):
        axes.text(left, -0.95, title, transform=across, color=style.SOFT, fontsize=9.5, va="center")
        for i, text in enumerate(texts):
            axes.text(left, i, text, transform=across, fontsize=9.5, va="center")
        left += wide / width
    for i, trial in enumerate(shown):
        told = f"{trial.score:.5g}" + (f" ± {trial.deviation:.2g}" if trial.deviation > 0 else "")
        axes.text(1.03, i, told, transform=across, fontsize=9.5, va="center")


def draw(named):
    """A figure of (name, Trials) each."""
    high, wide = [], []
    for _, sweep in named:
        as_curve = sweep.single_number()
        high.append(3.6 if as_curve else ROW * min(len(sweep.scored), MAX_ROWS) + 1.3)
        wide.append(8.0 if as_curve else sum(widths(sweep)) + CHART + 1.9)
    width, height = max(wide), sum(high)
    figure = style.figure(width, height)
    figure.set_layout_engine("none")
    above = 0.0
    for (name, sweep), of_panel in zip(named, high):
        parameter = sweep.single_number()
        left = 0.9 if parameter else sum(widths(sweep)) + 0.3
        inner = (width - 1.2 if parameter else CHART)
        bottom, top = above + of_panel - 0.6, above + (0.5 if parameter else 0.72)
        axes = figure.add_axes([left / width, 1 - bottom / height, inner / width, (bottom - top) / height])
        if parameter:
            curve(axes, sweep, parameter)
        else:
            rows(axes, sweep, inner)
        figure.text((0.9 if parameter else 0.3) / width, 1 - (above + 0.28) / height,
                    heading(name, sweep, len(sweep.scored) if parameter else min(len(sweep.scored), MAX_ROWS)),
                    fontsize=12, fontweight="semibold")  # fmt: skip
        above += of_panel
    return figure
