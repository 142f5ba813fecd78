"""How training scales: speed-up and efficiency over ranks x threads, a colour for each number of threads, with bars for the intervals
and hollow marks for points with more threads than cores; and where an epoch's time goes at each point."""

from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .. import colours
from . import style

HOLLOW = {"linestyle": "", "markerfacecolor": "white", "markeredgewidth": 1.5, "markersize": 7, "zorder": 4}
FORETOLD = {"linestyle": "", "marker": "x", "markersize": 8, "markeredgewidth": 1.7, "color": style.INK, "zorder": 5}
IDEAL = {"linestyle": style.DASHED, "linewidth": 1.3, "color": "#8a93a0", "zorder": 2}
PARTS = ["compute", "wait", "transfer", "rest"]


def workers_axis(axes, results):
    """ranks x threads, logarithmic."""
    workers = sorted({result.point.workers for result in results})
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(workers))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axes.set_xlim(workers[0] / 1.25, workers[-1] * 1.25)
    axes.set_xlabel("ranks × threads")


def places(some, i):
    """Where results are: those of other numbers of threads lie a little beside them."""
    return [result.point.workers * 1.035**i for result in some]


def intervals(axes, some, values, i):
    """Those results as a curve with bars. values: the Interval of each."""
    x = places(some, i)
    reach = [[v.value - v.low for v in values], [v.high - v.value for v in values]]
    axes.errorbar(x, [v.value for v in values], yerr=reach, color=colours.line(i), marker=style.MARKERS[i % 5], markersize=6, capsize=3,
                  elinewidth=1.3, zorder=3)  # fmt: skip


def by_threads(results):
    """(number of threads, its results) in order."""
    for threads in sorted({result.point.threads for result in results}):
        yield threads, [result for result in results if result.point.threads == threads]


def speed_up(axes, results, base, weak):
    scaling = [result.point.workers for result in results if not result.oversubscribed]
    lowest, highest = [1.0], [max(scaling, default=1) / min(scaling, default=1)]
    if base:
        axes.plot([min(scaling), max(scaling)], [1, highest[0]], **IDEAL)
    for i, (_, own) in enumerate(by_threads(results)):
        own = [result for result in own if result.speed_up]
        scaled = [result for result in own if not result.oversubscribed]
        crowded = [result for result in own if result.oversubscribed]
        intervals(axes, scaled, [result.speed_up for result in scaled], i)
        axes.plot(places(crowded, i), [result.speed_up.value for result in crowded],
                  marker=style.MARKERS[i % 5], color=colours.line(i), **HOLLOW)  # fmt: skip
        told = [result for result in own if result.predicted]
        axes.plot(places(told, i), [result.speed_up.value / (1 + result.prediction_error) for result in told], **FORETOLD)
        lowest += [result.speed_up.low for result in own]
        highest += [result.speed_up.high for result in own]
    workers_axis(axes, results)
    axes.set_yscale("log", base=2)
    ticks = [2.0**k for k in range(-4, 12) if min(lowest) / 1.2 <= 2.0**k <= max(highest) * 1.2]
    if len(ticks) < 4:
        ticks = sorted(ticks + [1.5 * tick for tick in ticks if 1.5 * tick <= max(highest) * 1.2])
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    axes.set_ylim(min(lowest) / 1.15, max(highest) * 1.15)
    axes.set_title("Scaled speed-up" if weak else "Speed-up", loc="left")


def efficiency(axes, results, base):
    scaling = [result.point.workers for result in results if not result.oversubscribed]
    if base:
        axes.plot([min(scaling), max(scaling)], [100, 100], **IDEAL)
    highest = [107.0]
    for i, (_, own) in enumerate(by_threads(results)):
        scaled = [result for result in own if result.efficiency and not result.oversubscribed]
        intervals(axes, scaled, [result.efficiency.times(100) for result in scaled], i)
        highest += [100 * result.efficiency.high for result in scaled]
    workers_axis(axes, results)
    axes.set_ylim(0, 1.05 * max(highest))
    axes.set_title("Efficiency (%)", loc="left")


def shares(axes, results):
    """Bars of where an epoch's time goes, its seconds above."""
    ordered = sorted(results, key=lambda result: result.point)
    for i, result in enumerate(ordered):
        below = 0.0
        for part, seconds in enumerate(result.split):
            share = 100 * seconds / result.seconds.value
            tint = colours.paler(colours.part(part), 0.4 if result.oversubscribed else 1.0)
            axes.bar(i, share, bottom=below, width=0.72, color=tint)
            below += share
        axes.text(i, 102, f"{result.seconds.value:.3g} s", ha="center", va="bottom", fontsize=9, color=style.SOFT)
    axes.set_xticks(range(len(ordered)), [f"{result.point.ranks}×{result.point.threads}" for result in ordered])
    axes.set_ylim(0, 110)
    axes.set_yticks(range(0, 101, 20))
    axes.grid(axis="x", visible=False)
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel("ranks × threads of each")
    axes.set_title("Where an epoch goes (%)", loc="left")


def explained(results, base):
    """Handles and names of the legend."""
    handles, names = [], []
    for i, (threads, _) in enumerate(by_threads(results)):
        handles.append(Line2D([], [], color=colours.line(i), marker=style.MARKERS[i % 5], markersize=6))
        names.append(f"{threads} thread{'' if threads == 1 else 's'} a rank")
    if base:
        handles.append(Line2D([], [], **IDEAL))
        names.append("ideal")
    if any(result.predicted for result in results):
        handles.append(Line2D([], [], **FORETOLD))
        names.append("predicted")
    if any(result.oversubscribed for result in results):
        handles.append(Line2D([], [], marker="o", color=style.SOFT, **HOLLOW))
        names.append("more threads than cores")
    return handles, names


def draw(results, base, weak, statement, wrong):
    """A figure of a study's results. statement: on the weights, which differ where `wrong`."""
    wide = max(3.9, 0.62 * len(results) + 0.6)
    width, height, strip = 8.0 + wide, 3.7, 0.95
    figure = style.figure(width, height, strip)
    panels = figure.subplots(1, 3, gridspec_kw={"width_ratios": [3.9, 3.9, wide]})
    speed_up(panels[0], results, base, weak)
    efficiency(panels[1], results, base)
    shares(panels[2], results)
    share = 7.9 / width
    handles, names = explained(results, base)
    at = 0.9 / (height + strip)
    figure.legend(handles, names, loc="upper center", bbox_to_anchor=(share / 2, at), ncols=min(len(names), 3),
                  columnspacing=1.4, handlelength=2, borderaxespad=0)  # fmt: skip
    tinted = [Patch(color=colours.part(i)) for i in range(len(PARTS))]
    figure.legend(tinted, PARTS, loc="upper center", bbox_to_anchor=((1 + share) / 2, at), ncols=4, handlelength=1,
                  columnspacing=1.2, borderaxespad=0)  # fmt: skip
    figure.text(0.5, 0.16 / (height + strip), statement, ha="center", fontsize=10, color=style.WRONG if wrong else style.SOFT,
                fontweight="bold" if wrong else "normal")  # fmt: skip
    return figure
