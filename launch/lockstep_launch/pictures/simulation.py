"""Efficiencies of simulated ranks: a column for each network and way of scaling, a row for each overlap, a colour for each
interconnect; dashed is what lockstep predict says."""

from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .. import colours
from . import style


def panel(axes, points, networks):
    """points: rows of the table of one panel."""
    for i, network in enumerate(networks):
        own = [point for point in points if point["network"] == network]
        ranks = [point["ranks"] for point in own]
        axes.plot(ranks, [point["predicted_efficiency"] for point in own], color=colours.line(i), linestyle=style.DASHED, linewidth=1.2)
        axes.plot(ranks, [point["efficiency"] for point in own], color=colours.line(i), marker=style.MARKERS[i % 5], markersize=5)
    most = max(point["ranks"] for point in points)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator([4**k for k in range(7)]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axes.set_xlim(0.85, 1.18 * max(most, 2))


def draw(points):
    """A figure of the points of scaling_simulation.csv: dicts of layers, network, mode, overlap, ranks, efficiency and
    predicted_efficiency."""
    nets, networks = (list(dict.fromkeys(point[name] for point in points)) for name in ("layers", "network"))
    columns = [(net, mode) for net in nets for mode in ("strong", "weak")]
    width = 0.5 + 3.4 * len(columns)
    names = [f"{network} simulated" for network in networks] + ["lockstep predict"]
    handles = [Line2D([], [], color=colours.line(i), marker=style.MARKERS[i % 5], markersize=5) for i in range(len(networks))]
    handles.append(Line2D([], [], color=style.SOFT, linestyle=style.DASHED, linewidth=1.2))
    figure = style.figure(width, 6.6, style.legend_height(names, width))
    panels = figure.subplots(2, len(columns), sharey=True, squeeze=False)
    for row, overlap in zip(panels, ("auto", "never")):
        for axes, (net, mode) in zip(row, columns):
            own = [p for p in points if (p["layers"], p["mode"], p["overlap"]) == (net, mode, overlap)]
            panel(axes, own, networks)
            axes.set_title(f"{net}, {mode}{'' if overlap == 'auto' else ', no overlap'}", fontsize=10.5)
        row[0].set_ylabel("efficiency")
    panels[0][0].set_ylim(0, 1.06 * max(1, *(point[of] for point in points for of in ("efficiency", "predicted_efficiency"))))
    for axes in panels[1]:
        axes.set_xlabel("ranks")
    style.legend(figure, handles, names, width)
    return figure
