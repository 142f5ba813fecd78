"""report.md of a study of batch sizes."""

from ..words import amount, duration, enumeration
from .accuracy_table import fastest_rules, learnt_by, seconds_to_accuracy
from .report import table

RULE_NAMES = {"none": "as it is", "linear": "x k", "sqrt": "x √k"}


def text(name, runs, times, study):
    facts, experiment = study.get("facts", {}), study["experiment"]
    learnt = learnt_by(runs)
    parts = [
        f"# Batch sizes of {facts.get('name', name)}: time to {experiment['--accuracy']:.4g} accuracy",
        "![Accuracy, epochs to the accuracy, and the predicted time](time_to_accuracy.svg)",
        what_was_run(runs, facts, experiment),
        "## What each batch learns in equal epochs",
        learnt_table(learnt),
        "## Predicted time to the accuracy",
        time_table(learnt, runs, times),
        "## Definitions",
        definitions(experiment),
    ]
    return "\n\n".join(parts) + "\n"


def what_was_run(runs, facts, experiment):
    lines = [
        ("command", f"`{facts['command']}`" if "command" in facts else None),
        ("begun", facts.get("begun")),
        ("started from", ", ".join(facts[key] for key in ("host", "processor", "system") if key in facts)),
        ("epochs of each run", enumeration(sorted({str(run.epochs) for run in runs}))),
        ("seeds", ", ".join(str(seed) for seed in sorted({run.seed for run in runs}))),
        ("network of the prediction", f"{experiment['--network']}, {amount(experiment['--cores-per-host'], 'rank')} a host"),
    ]
    return "\n".join(f"- {label}: {value}" for label, value in lines if value)


def learnt_table(learnt):
    rows = []
    for one in learnt:
        diverged = sum(run.diverged for run in one.runs)
        spread = f" (± {50 * one.spread:.2f})" if len(one.runs) > 1 else ""
        rows.append([
            str(one.batch_size),
            str(one.runs[0].shards),
            RULE_NAMES[one.rule],
            "diverged" if diverged == len(one.runs) else f"{100 * one.accuracy:.2f} %{spread}",
            f"{100 * max(run.best_accuracy for run in one.runs):.2f} %",
            f"{one.epochs:.4g}" if one.epochs is not None else f"reached in {one.reached} of {len(one.runs)}",
        ])  # fmt: skip
    return table(["batch", "shards", "learning rate", "accuracy", "best of any epoch", "epochs to the accuracy"], rows)


def time_table(learnt, runs, times):
    fastest = fastest_rules(learnt)
    if not fastest:
        return "No batch reached the accuracy."
    seconds = seconds_to_accuracy(fastest, times)
    ranks = sorted({time.ranks for time in times})
    least = {r: min((s for (_, at), s in seconds.items() if at == r), default=None) for r in ranks}
    own_shards = {run.batch_size: run.shards for run in runs}
    others = {(time.batch_size, time.ranks) for time in times if time.shards != own_shards.get(time.batch_size)}

    def cell(batch, r):
        value = seconds.get((batch, r))
        if value is None:
            return "–"
        shown = duration(value) + ("*" if (batch, r) in others else "")
        return f"**{shown}**" if value == least[r] else shown

    rows = [[str(one.batch_size), RULE_NAMES[one.rule], *(cell(one.batch_size, r) for r in ranks)] for one in fastest]
    lines = [table(["batch", "learning rate", *(amount(r, "rank") for r in ranks)], rows)]
    if any((batch, r) in others for batch, r in seconds):
        lines.append("\\* needs data.shards to be as many as the ranks: the runs above had fewer.")
    return "\n\n".join(lines)


def definitions(experiment):
    lines = [
        "Every run trains for the same number of epochs, whatever its batch; accuracies are of the test samples, after each epoch.",
        f"Epochs to the accuracy: the first after which it is at least {experiment['--accuracy']:.4g}; with several seeds their mean, "
        "where all reach it.",
        f"k is the batch over {experiment['--base-batch']}, for which the configuration's learning rates are (`train.scale_rate`: Goyal "
        "et al. 2017 for k, Krizhevsky 2014 for its square root).",
        "Time to the accuracy: these epochs, by the rule that needs the fewest, times an epoch's time as `lockstep predict` puts it together "
        "from steps measured on one rank here and the network's latency and bandwidth. Evaluations are not in it. Bold: the least for "
        "that number of ranks. A dash: more ranks than samples in the batch.",
    ]
    return "\n".join(f"- {line}" for line in lines)
