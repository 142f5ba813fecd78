"""What the page shows, as values for page.html. A run is told by its number in the list where its name and colour are to stand."""

import math

from ..eval_tables import Plane
from ..words import duration, enumeration, number, percent
from . import charts

MAX_FRAMES = 25  # of a film
MAX_CLASSES = 20  # with so many a confusion matrix is a table, with more an image


def final_metrics(runs):
    classified = any(run.metrics.classified for run in runs)
    tested = any(run.metrics.tested for run in runs)
    kinds = (["test"] if tested else []) + ["train"]
    header = [f"{kind} accuracy" for kind in kinds if classified] + [f"{kind} loss" for kind in kinds]
    header += ["best test accuracy" if classified else "best test loss"] * tested + ["epochs", "parameters"]
    rows = []
    for run in runs:
        parameters = (run.summary or {}).get("parameters")
        cells = [percent(run.metrics.last(f"{kind}_accuracy")) for kind in kinds if classified]
        cells += [number(run.metrics.last(f"{kind}_loss")) for kind in kinds]
        cells += [best_epoch(run.metrics, classified)] * tested
        cells += [number(run.metrics.epochs), f"{parameters:,}" if isinstance(parameters, int) else "–"]
        rows.append(cells)
    return {"header": header, "rows": rows, "verdict": weights_verdict(runs)}


def best_epoch(metrics, classified):
    """(the best test score, its epoch), the first of equals; a dash where there is none."""
    column, better = ("test_accuracy", max) if classified else ("test_loss", min)
    pairs = [(y, x) for x, y in zip(metrics["epoch"], metrics[column]) if math.isfinite(y)]
    if not pairs:
        return "–"
    value, epoch = better(pairs, key=lambda pair: pair[0])
    return percent(value) if classified else number(value), f"epoch {number(epoch)}"


def weights_verdict(runs):
    """Whether several runs ended with the same weights, or that a run is not finished; None of a single finished run."""
    if len(runs) == 1 and runs[0].summary:
        return None
    groups = {}
    for run in runs:
        if run.hash:
            groups.setdefault(run.hash, []).append(run)
    unfinished = [run.name for run in runs if not run.summary]
    finished = sum(map(len, groups.values()))
    shared = [group for group in groups.values() if len(group) > 1]
    same, said = False, ""
    if finished > 1 and len(groups) == 1:
        who = f"The {finished} finished runs" if unfinished else "Both runs" if finished == 2 else f"All {finished} runs"
        same, said = True, f"{who} ended with the same weights, bit for bit."
    elif shared:
        said = " ".join(f"{enumeration(run.name for run in group)} ended with the same weights, bit for bit." for group in shared)
        others = [run.name for group in groups.values() if len(group) == 1 for run in group]
        said += f" {enumeration(others)} did not." if others else ""
    elif finished > 1:
        said = "No two of these runs ended with the same weights."
    lines = [(digest, "; ".join(f"{run.name} ({run.layout})" for run in group)) for digest, group in groups.items()]
    if unfinished:
        lines.append(("", f"not finished: {enumeration(unfinished)}"))
    return {"same": same, "said": said, "lines": lines}


def metric_curves(runs):
    """(title, chart) of what there is over the epochs."""
    named = [(run.name, run.metrics) for run in runs]
    names = enumeration(run.name for run in runs)
    drawn = [
        ("Loss", charts.metric(named, "loss", "loss", f"Loss over the epochs of {names}")),
        ("Accuracy (%)", charts.metric(named, "accuracy", "accuracy", f"Accuracy over the epochs of {names}", 100, " %")),
        ("Learning rate", charts.learning_rate(named, "rate", f"Learning rate over the epochs of {names}")),
    ]
    return [(title, chart) for title, chart in drawn if chart]


def alike(runs, kind):
    """The different tables of a kind: each with the numbers of the runs that have it, and the first of them."""
    found = []
    for i, run in enumerate(runs):
        if kind not in run.tables:
            continue
        same = next((others for others in found if runs[others[0]].tables[kind] == run.tables[kind]), None)
        if same:
            same.append(i)
        else:
            found.append([i])
    return [(group, runs[group[0]], runs[group[0]].tables[kind]) for group in found]


def grids(runs):
    cards = []
    for group, run, grid in alike(runs, "grid"):
        key = f"grid{group[0]}"
        if isinstance(grid, Plane):
            chart = charts.plane(grid, key, f"The plane in the colours of the classes that {run.name} sees, and its samples")
            cards.append({"runs": group, "chart": chart, "classes": list(map(charts.boundary.class_text, grid.classes)), "sampled": bool(grid.samples), "error": ""})
        else:
            chart = charts.line(grid, key, f"The output of {run.name} over its input")
            errors = [error for error in grid.errors() if math.isfinite(error)]
            cards.append({"runs": group, "chart": chart, "classes": [], "target": bool(grid.target),
                          "error": number(max(errors), 3) if errors else ""})  # fmt: skip
    return cards


def confusions(runs):
    cards = []
    for group, run, matrix in alike(runs, "confusion"):
        worst = [(true, taken, f"{100 * share:.0f}") for share, true, taken in matrix.worst(3)]
        card = {"runs": group, "worst": worst, "name": run.name, "chart": ""}
        if len(matrix.names) <= MAX_CLASSES:
            card |= {"names": matrix.names, "shares": matrix.shares()}
        else:
            classes = len(matrix.names)
            card["chart"] = charts.confusion_matrix(
                matrix, f"confusion{group[0]}", f"Confusion matrix of {run.name}: {classes} classes, a row for each true one, darker is more")
        cards.append(card)
    return cards


def mistakes(runs):
    cards = []
    for group, _, some in alike(runs, "mistakes"):
        images = [{"row": mistake.row, "actual": mistake.actual, "predicted": mistake.predicted,
                   "sure": percent(mistake.probability, 1), "image": charts.image(mistake.image)} for mistake in some]  # fmt: skip
        cards.append({"runs": group, "images": images})
    return cards


def first_weights(runs):
    cards = []
    for group, run, image in alike(runs, "weights"):
        units, *inputs = run.shapes["layers.0.weight"]
        what = "filters" if len(inputs) > 1 else "units"
        tiles, shown = image.first_tiles(units)
        which = f"{shown} of {units} {what}" if shown < units else f"{units} {what}"
        cards.append({"runs": group, "name": run.name, "which": which, "image": charts.image(tiles)})
    return cards


def notes(runs):
    """(run, words, command that makes what is not there)."""
    return [(i, *note) for i, run in enumerate(runs) for note in run.notes]


def times(runs):
    """Bars of each run on one scale, and sums in a table."""
    timed = [(i, run) for i, run in enumerate(runs) if all(run.metrics.get(f"{part}_seconds") for part in charts.PARTS)]
    highest = max((sum(parts) for _, run in timed for _, _, parts in charts.stacks(run.metrics)), default=0)
    drawn, rows = [], []
    for i, run in timed:
        drawn.append(([i], charts.epoch_times(run.metrics, highest, f"time{i}",
                                              f"Seconds of each epoch of {run.name}: computing, waiting, transferring")))  # fmt: skip
        totals = [sum(run.metrics[f"{part}_seconds"]) for part in charts.PARTS]
        whole = sum(totals) or math.nan
        speeds = sorted(run.metrics.get("samples_per_second") or [math.nan])
        rows.append((i, [run.layout, duration(whole), f"{number(whole / run.metrics.epochs, 3)} s", number(speeds[len(speeds) // 2], 4),
                         *(percent(total / whole, 1) for total in totals)]))  # fmt: skip
    return {"charts": drawn, "rows": rows}


def gradients(runs):
    """(run, chart, names of the layers and their colours)."""
    cards = []
    for i, run in enumerate(runs):
        if run.gradients:
            chart = charts.gradient_norms(run.gradients, f"gradients{i}", f"Gradient norms over the epochs of {run.name}")
            names = list(run.gradients.layers)
            cards.append((i, chart, [(name, charts.gradients.shade(k, len(names))) for k, name in enumerate(names)]))
    return cards


def networks(runs):
    return [{"runs": group, "chart": charts.network_boxes(boxes, f"network{group[0]}", f"The layers of {run.name} as boxes"),
             "parameters": f"{charts.network.total(boxes):,}"} for group, run, boxes in alike(runs, "network")]  # fmt: skip


def films(runs):
    """Of each run with a film its pictures, at most MAX_FRAMES, evenly: (epoch, image)."""
    cards = []
    for i, run in enumerate(runs):
        if run.film:
            frames = [(number(run.film.epochs[k]), charts.frame(run.film.planes[k])) for k in charts.film.some(run.film, MAX_FRAMES)]
            cards.append({"run": i, "frames": frames, "classes": list(map(charts.boundary.class_text, run.film.planes[0].classes))})
    return cards


def layers(runs):
    """Of each run with layers.csv: its lines over the epochs, the names and colours of these, and the spreads layer by layer."""
    cards = []
    for i, run in enumerate(runs):
        if not run.layers:
            continue
        shown, colour = charts.layers.shown, charts.layers.colour
        lines = [(title, charts.of_layers(run.layers, column, f"{column}{i}", f"{title}, over the epochs of {run.name}", logarithmic),
                  [(layer.name, colour(run.layers.layers, layer)) for layer in shown(run.layers.layers, column)])
                 for column, title, logarithmic in (("dead", "Share of units that give the same for all samples", False),
                                                    ("update", "Norm of an update over that of the parameters", True))
                 if shown(run.layers.layers, column)]  # fmt: skip
        spreads = [(words, [(layer.name, charts.spread(run.layers, layer, of, f"{of}{i}layer{k}", f"{words} of {layer.name}, {run.name}"))
                            for k, layer in enumerate(shown(run.layers.layers, f"{of}_p50"))])
                   for of, words in (("output", "Outputs"), ("gradient", "Gradients of the mean loss by the outputs"))]  # fmt: skip
        cards.append({"run": i, "lines": lines, "spreads": [spread for spread in spreads if spread[1]]})
    return cards


def compared(values, only_different=False):
    """(key, cells, whether they differ) of a table of keys against runs. values: a dict for each run."""
    keys = dict.fromkeys(key for some in values for key in some)
    rows = [(key, [some.get(key, "–") for some in values]) for key in keys]
    rows = [(key, cells, len(set(cells)) > 1) for key, cells in rows]
    return [row for row in rows if row[2] or not only_different]


def provenance(runs):
    return [{"ranks × threads": run.layout, "weights_hash": run.hash or "not finished", **(run.summary or {}).get("provenance", {})}
            for run in runs]  # fmt: skip


def of(runs):
    """All of it."""
    configs = [run.config for run in runs]
    return {
        "page_title": enumeration(run.name for run in runs) if len(runs) < 4 else f"{len(runs)} runs",
        "runs": runs,
        "final": final_metrics(runs),
        "curves": metric_curves(runs),
        "tested": any(run.metrics.tested for run in runs),
        "networks": networks(runs),
        "grids": grids(runs),
        "films": films(runs),
        "confusions": confusions(runs),
        "mistakes": mistakes(runs),
        "weights": first_weights(runs),
        "notes": notes(runs),
        "times": times(runs),
        "gradients": gradients(runs),
        "layers": layers(runs),
        "configuration": compared(configs),
        "differences": compared(configs, only_different=True),
        "provenance": compared(provenance(runs)),
    }
