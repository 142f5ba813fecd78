"""The sections about what came out: weights, metrics, curves, gradients, time."""

import math

from .chart import Curve, bars, curves_chart, number, stacked_chart
from .markup import cards, figure, legend, run_title, section, swatch, table, text


def percent(value, digits=2):
    return f"{100 * value:.{digits}f}\u00a0%" if math.isfinite(value) else "–"


def duration(seconds):
    if not math.isfinite(seconds):
        return "–"
    if seconds < 100:
        return f"{number(seconds, 3)} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def enumeration(names):
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def weights_verdict(runs):
    """Whether several runs ended with the same weights, in a box; or that a run is not finished."""
    if len(runs) == 1 and runs[0].summary:
        return ""
    groups = {}
    for run in runs:
        if run.hash:
            groups.setdefault(run.hash, []).append(run)
    unfinished = [text(run.name) for run in runs if not run.summary]
    finished = sum(map(len, groups.values()))
    shared = [group for group in groups.values() if len(group) > 1]
    kind, said = "plain", ""
    if finished > 1 and len(groups) == 1:
        who = f"The {finished} finished runs" if unfinished else "Both runs" if finished == 2 else f"All {finished} runs"
        kind, said = "same", f"{who} ended with the same weights, bit for bit."
    elif shared:
        said = " ".join(f"{enumeration(text(run.name) for run in group)} ended with the same weights, bit for bit."
                        for group in shared)
        others = [text(run.name) for group in groups.values() if len(group) == 1 for run in group]
        said += f" {enumeration(others)} did not." if others else ""
    elif finished > 1:
        said = "No two of these runs ended with the same weights."
    lines = []
    for digest, group in groups.items():
        who = "; ".join(f"{text(run.name)} ({layout(run)})" for run in group)
        lines.append(f"<li><code>{text(digest)}</code> {who}</li>")
    if unfinished:
        lines.append(f"<li>not finished: {enumeration(unfinished)}</li>")
    strong = f"<p><strong>{said}</strong></p>" if said else ""
    return f'<div class="verdict {kind}">{strong}<ul>{"".join(lines)}</ul></div>'


def layout(run):
    ranks, threads = (run.summary or {}).get("ranks", "?"), (run.summary or {}).get("threads", "?")
    return f"{text(ranks)} rank{'' if ranks == 1 else 's'} × {text(threads)} thread{'' if threads == 1 else 's'}"


def best(run, column, better):
    """The best epoch's number and which it was: the first of equals."""
    pairs = [(y, x) for x, y in zip(run.metrics["epoch"], run.metrics[column]) if math.isfinite(y)]
    return better(pairs, key=lambda pair: pair[0]) if pairs else None


def final_metrics(runs):
    classified, tested = any(run.classified for run in runs), any(run.tested for run in runs)
    kinds = (["test"] if tested else []) + ["train"]
    header = ["run"] + [f"{kind} accuracy" for kind in kinds if classified] + [f"{kind} loss" for kind in kinds]
    header += ["best test accuracy" if classified else "best test loss"] * tested
    header += ["epochs", "parameters", "weights"]
    rows = []
    for run in runs:
        summary = run.summary or {}
        row = [run_title(runs, run)]
        row += [percent(run.last(f"{kind}_accuracy")) for kind in kinds if classified]
        row += [number(run.last(f"{kind}_loss")) for kind in kinds]
        if tested:
            found = best(run, "test_accuracy", max) if classified else best(run, "test_loss", min)
            shown = (percent(found[0]) if classified else number(found[0])) if found else "–"
            row.append(shown + (f" <small>epoch {number(found[1])}</small>" if found else ""))
        row += [number(run.epochs), f"{summary['parameters']:,}" if isinstance(summary.get("parameters"), int) else "–",
                f"<code>{text(run.hash or 'not finished')}</code>"]
        rows.append(row)
    return section("Final metrics", weights_verdict(runs), table(header, rows, "Final metrics", "numbers"))


def metric_curves(runs, metric, factor=1.0):
    curves = []
    for colour, run in enumerate(runs):
        for kind in ("train", "test"):
            column = run.metrics[f"{kind}_{metric}"]
            curves.append(Curve(f"{run.name} {kind}" if len(runs) > 1 else kind, colour, run.metrics["epoch"],
                                [factor * value for value in column], kind == "train" and run.tested))
    return curves


def curves(runs):
    names = enumeration(run.name for run in runs)
    figures = [figure("Loss", curves_chart(metric_curves(runs, "loss"), f"Loss over the epochs of {names}",
                                           logarithmic=False if any(run.classified for run in runs) else None)),
               figure("Accuracy (%)", curves_chart(metric_curves(runs, "accuracy", 100), unit=" %",
                                                   description=f"Accuracy over the epochs of {names}"))]
    if any(len(set(run.metrics.get("learning_rate", []))) > 1 for run in runs):
        rates = [Curve(run.name if len(runs) > 1 else "learning rate", colour, run.metrics["epoch"],
                       run.metrics["learning_rate"]) for colour, run in enumerate(runs) if "learning_rate" in run.metrics]
        figures.append(figure("Learning rate", curves_chart(
            rates, f"Learning rate over the epochs of {names}", logarithmic=False)))
    entries = [run_title(runs, run) for run in runs] if len(runs) > 1 else []
    if any(run.tested for run in runs):
        entries += ['<span class="line"></span>test', '<span class="line dashed"></span>training']
    else:
        entries.append('<span class="line"></span>training')
    return section("Curves", legend(entries), cards(figures))


def gradients(runs):
    figures = []
    for run in runs:
        names = [name for name in run.gradients or {} if name.endswith(".weight")]
        layers = [Curve(f"layer {i + 1}", i, run.gradients["epoch"], run.gradients[name]) for i, name in enumerate(names)]
        chart = curves_chart(layers, f"Gradient norms over the epochs of {run.name}")
        entries = [swatch(layer.colour) + text(layer.name) for layer in layers]
        figures.append(figure(run_title(runs, run), chart, legend(entries)))
    return section("Gradient norm of each layer's weights", cards(figures))


PARTS = ["compute", "wait", "transfer"]


def time(runs):
    """Bars of each run on one scale, and sums in a table."""
    timed = [run for run in runs if all(f"{part}_seconds" in run.metrics for part in PARTS)]
    columns = [[run.metrics[f"{part}_seconds"] for part in PARTS] for run in timed]
    stacks = list(map(bars, columns))
    highest = max([sum(parts) for some in stacks for _, _, parts in some], default=0)
    figures, rows = [], []
    for run, parts, stack in zip(timed, columns, stacks):
        figures.append(figure(run_title(runs, run), stacked_chart(
            PARTS, stack, highest, f"Seconds of each epoch of {run.name}: computing, waiting, transferring")))
        totals = [sum(part) for part in parts]
        whole = sum(totals) or math.nan
        speeds = sorted(run.metrics.get("samples_per_second", [math.nan]))
        rows.append([run_title(runs, run), layout(run) if run.summary else "–", duration(whole),
                     f"{number(whole / run.epochs, 3)} s", number(speeds[len(speeds) // 2], 4)] +
                    [percent(total / whole, 1) for total in totals])
    if not timed:
        return ""
    header = ["run", "ranks × threads", "training", "mean epoch", "samples/s", "compute", "wait", "transfer"]
    explained = [swatch(0, "t") + "computing", swatch(1, "t") + "waiting for ranks that compute longer",
                 swatch(2, "t") + "transferring: what is left of the gradients' sum"]
    return section("Where the time went, in seconds an epoch", legend(explained), cards(figures),
                   table(header, rows, "Time", "numbers"))
