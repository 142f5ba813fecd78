"""report.md: what was run, what came out, and what the words mean."""

from ..words import amount
from .statistics import disagreement, is_weak, order_statistics


def text(name, runs, results, base, study):
    facts = study.get("facts", {})
    weak = is_weak(runs)
    parts = [
        f"# Scaling of {facts.get('name', name)}, {'weak' if weak else 'strong'}",
        "![Speed-up, efficiency, and where the time goes](scaling.svg)",
        what_was_run(runs, facts),
        f"**{statement(runs, study)}**",
        results_table(results),
        crowded_note(results, base),
        predictions_table(results),
        "## Where the ranks ran",
        placement_table(results),
        "## Definitions",
        definitions(results, base, weak),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def promises_equal_weights(study):
    return study.get("facts", {}).get("reduction") != "float"


def statement(runs, study):
    """On the weights, for report and figure."""
    weak = is_weak(runs)
    if not promises_equal_weights(study):
        return "reduce.mode is float: weights are equal to rounding only, and were not compared."
    differing = disagreement(runs)
    if differing:
        a, b = differing
        return f"THE WEIGHTS DIFFER: {a.point} has {a.weights_hash}, {b.point} has {b.weights_hash}."
    if weak:
        return f"All {len(runs)} runs: equal weights wherever the batch is the same."
    return f"All {amount(len(runs), 'run')} ended with the same weights, {runs[0].weights_hash}."


def what_was_run(runs, facts):
    repeats = sorted({sum(other.point == run.point for other in runs) for run in runs})
    lines = [
        ("command", f"`{facts['command']}`" if "command" in facts else None),
        ("begun", facts.get("begun")),
        ("started from", and_then(facts.get("host"), facts.get("processor"), facts.get("system"))),
        ("kernels", and_then(facts.get("kernels"), facts.get("kernel_choice"))),
        ("program", and_then(*labelled(facts, Lockstep="version", BLIS="blis_version"), facts.get("compiler"))),
        ("MPI", facts.get("mpi")),
        ("reduction", facts.get("reduction")),
        ("samples of an epoch", ", ".join(str(n) for n in sorted({run.train_samples for run in runs}))),
        ("repeats of a point", " or ".join(str(n) for n in repeats)),
    ]
    return "\n".join(f"- {label}: {value}" for label, value in lines if value)


def labelled(facts, **keys):
    return [f"{label} {facts[key]}" for label, key in keys.items() if key in facts]


def and_then(*texts):
    return ", ".join(text for text in texts if text)


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value, digits=3):
    return f"{value:.{digits}f}"


def interval(x, digits=3, unit=""):
    low, high = number(x.low, digits), number(x.high, digits)
    return number(x.value, digits) + (unit if low == high else f" ({low}-{high}){unit}")


def percent(x):
    return interval(x.times(100), 0, " %")


def results_table(results):
    rows = []
    for result in results:
        split = result.split
        rows.append([
            str(result.point),
            str(max(run.hosts for run in result.runs)),
            str(result.runs[0].batch_size),
            interval(result.seconds),
            interval(result.samples_per_second, 0),
            "–" if result.speed_up is None else interval(result.speed_up, 2),
            "oversubscribed" if result.oversubscribed else "–" if result.efficiency is None else percent(result.efficiency),
            "–" if result.serial_fraction is None else number(result.serial_fraction),
            " / ".join(number(seconds) for seconds in split),
        ])  # fmt: skip
    header = ["point", "hosts", "batch", "seconds per epoch", "samples per second", "speed-up", "efficiency", "serial fraction",
              "compute / wait / transfer / rest, seconds"]  # fmt: skip
    return table(header, rows)


def predictions_table(results):
    told = [result for result in results if result.predicted]
    if not told:
        return ""
    rows = [
        [str(result.point), interval(result.seconds), number(result.predicted), f"{100 * result.prediction_error:+.0f} %"]
        for result in told
    ]
    worst = max(abs(result.prediction_error) for result in told)
    return "\n\n".join([
        "## Predicted",
        table(["point", "seconds per epoch", "predicted", "off by"], rows),
        f"At most {100 * worst:.0f} % off. `lockstep predict` puts an epoch together from single steps and sums, measured in a job like "
        "the point's beside each of its repeats; the median of these predictions.",
    ])  # fmt: skip


def crowded_note(results, base):
    if not base:
        return "Every point is oversubscribed: there is no scaling to speak of."
    if any(result.oversubscribed for result in results):
        return ("Oversubscribed points have more threads than cores, which take turns: they show that the weights are the "
                "same, and what crowding costs, not how training scales.")  # fmt: skip
    return ""


def binding(result):
    """What the ranks of a point were bound to, as they say themselves."""
    used = set()
    for place in result.runs[0].placement.split("; "):
        host, _, cores = place.rpartition(": ")
        cores = {(host, core) for core in expand(cores)}
        if len(cores) != result.point.threads or cores & used:
            return "not bound to cores of their own"
        used |= cores
    return "each thread a core"


def expand(ranges):
    """From "0-1,4": 0, 1, 4."""
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            yield from range(int(first), int(last or first) + 1)


def placement_table(results):
    rows = []
    for result in results:
        places = list(dict.fromkeys(run.placement for run in result.runs))
        rows.append([str(result.point), binding(result), "<br>".join(places)])
    return table(["point", "binding", "host and cores that each rank may run on"], rows)


def definitions(results, base, weak):
    coverage = {n: order_statistics(n) for n in sorted({len(result.runs) for result in results})}
    told = "; ".join(
        f"of {amount(n, 'repeat')} from the {ordinal(k)}least to the {ordinal(k)}largest, which covers the median with {100 * c:.4g} %"
        for n, (k, c) in coverage.items()
    )
    lines = [
        "A run's time is the median of its epochs but the first, which warms up; training only, no tests and no checkpoints.",
        f"A point's time is the median of its repeats; in parentheses {told} (order statistics, binomial).",
        "Repeats take turns over all points, forth and back, so that what else the machine does meets all of them.",
    ]
    if base:
        lines.append(
            f"Speed-up is samples per second over those of {base.point}; its interval is that of the quotients of the ends of both. "
            "Efficiency is speed-up over p, the cores in units of that point's."
        )
        lines.append(
            "Weak scaling: the batch grows with the ranks, so that different numbers of ranks are different experiments with "
            "different weights; the learning rate stays. There is no serial fraction."
            if weak
            else "The serial fraction is that of Karp and Flatt, (1/S - 1/p) / (1 - 1/p) for a speed-up S; a fraction that "
            "grows with p is overhead, one that stays is work that is not divided."
        )
    lines.append(
        "Compute, wait (for ranks that compute longer) and transfer (what is left of the gradients' sum then) are means over the "
        "ranks, of the run of the median time."
    )
    return "\n".join(f"- {line}" for line in lines)


def ordinal(n):
    return {1: "", 2: "2nd ", 3: "3rd "}.get(n, f"{n}th ")
