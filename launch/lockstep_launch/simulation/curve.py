"""How steps take longer on more simulated ranks, beside what lockstep predict makes of the same measurements."""

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import NamedTuple, Optional

from ..files import replace_file
from ..script import REPOSITORY, Failure, say
from . import programs

SAMPLES = 49152  # of an epoch
ROWS = 64  # of a rank, where the batch grows with the ranks
ADDING = "3e-11"  # seconds that a core needs to add a byte that is in its cache
RATES = {"10gbit": (9.4, 20), "25gbit": (23.5, 8), "100gbit": (96, 2)}  # as src/scaling/network.cpp has them
MEASURED = ("forward", "backward", "update", "rest")
CHUNK = 1 << 14  # bytes of what a rank has of a bucket at least, as src/reduce/division.h has it
REPEATS = 5
COLUMNS = ["layers", "network", "mode", "overlap", "ranks", "step_seconds", "epoch_seconds", "efficiency", "predicted_step_seconds",
           "predicted_epoch_seconds", "predicted_efficiency", "ranks_per_host"]  # fmt: skip


def rate(network):
    """(Gbit/s, microseconds) of a network."""
    if network in RATES:
        return RATES[network]
    try:
        gbit, microseconds = map(float, network.split(":"))
        if gbit > 0 and microseconds >= 0:
            return gbit, microseconds
    except ValueError:
        pass
    raise Failure(2, f"--networks has '{network}', expected 10gbit, 25gbit, 100gbit or GBIT:MICROSECONDS")


class Net(NamedTuple):
    """A network: what it is called, and the words that give it to lockstep predict."""

    name: str
    words: list

    @classmethod
    def of_widths(cls, widths):
        """3072-WIDTHS-10."""
        hidden = ",".join(map(str, widths))
        return cls("-".join(["3072", *map(str, widths), "10"]), [REPOSITORY / "configs/cifar10_mlp.toml", "--set", f"model.hidden=[{hidden}]"])

    @classmethod
    def of_configuration(cls, path):
        return cls(Path(path).stem, [path])


class Strong(NamedTuple):
    """One batch in so many shards, whatever the number of ranks."""

    batch: int = 8192
    shards: int = 256


def parameters(measurements):
    return sum(json.loads(measurements.read_text(encoding="utf-8"))["tensors"])


def summed(measurements, update):
    """What a step sums, as simulated_step takes it: from a file of measurements."""
    known = json.loads(measurements.read_text(encoding="utf-8"))
    of_tensors = zip(known["tensors"], known["backward_work"], known["forward_work"], map(int, known["in_slices"]))
    few = [known["few_bytes"], *(known["part_sums"] if update == "divided" else [])]
    return [",".join(":".join(map(str, tensor)) for tensor in of_tensors), ",".join(map(str, few))]


def way(update, parameters, ranks, ranks_a_host):
    """divided or everywhere, as reduce::divides decides."""
    exchanging = max(1, ranks // ranks_a_host)
    even = ranks <= ranks_a_host or 4 * parameters >= 2 * CHUNK * exchanging
    return update if update != "auto" else "divided" if even else "everywhere"


def messages(overlap, update, ranks, ranks_a_host):
    """Bytes of a message, and whether they are under way while a step computes: the program's, where they are not given."""
    under_way = overlap == "auto" and ranks > ranks_a_host
    size = 1 << (20 if under_way or update == "divided" else 18)
    if update == "divided":
        size = 1 << 30 if ranks <= ranks_a_host else max(size, CHUNK * ranks)  # on one host all of it is in memory
    return [size, int(under_way)]


def least(measurements):
    """One calibration of several: of each time the least, which other programs disturbed least."""
    first = measurements[0]
    if isinstance(first, dict):
        return {key: min(several) if key in MEASURED else least(several)
                for key in first for several in [[measurement[key] for measurement in measurements]]}  # fmt: skip
    if isinstance(first, list):
        return [least(several) for several in zip(*measurements)]
    return first


def measure(path, options, work):
    """Writes a calibration file of the least of several measurements."""
    found = []
    for i in range(REPEATS):
        own = work / f"steps.{i}"
        programs.attempt([programs.LOCKSTEP, "predict", *options, "--calibration", own])
        found.append(json.loads(own.read_text(encoding="utf-8")))
        own.unlink()
    replace_file(path, json.dumps(least(found), indent=2) + "\n")


def points(net, mode, overlap, plan, work):
    """Rows of the table, as dicts: predicted, then simulated. plan: see draw."""
    options = [*net.words, "--set", f"data.train_samples={SAMPLES}", "--set", f"reduce.overlap={overlap}",
               "--set", f"reduce.update={plan.update}", "--set", "compute.threads=1"]  # fmt: skip
    if mode == "strong":
        options += ["--set", f"train.batch_size={plan.strong.batch}", "--set", f"data.shards={plan.strong.shards}"]
    else:
        options += ["--set", f"train.batch_size={ROWS}", "--set", "data.shards=1", "--weak"]
    known = plan.measurements / f"{net.name}.{mode}.json"
    if not known.exists():
        measure(known, options, work)
    table = work / "predicted.csv"
    programs.attempt([programs.LOCKSTEP, "predict", *options, "--calibration", known, "--no-measure",
                      "--cores-per-host", plan.ranks_a_host, "--network", ",".join(plan.networks),
                      "--at", ",".join(f"{count}x1" for count in plan.ranks), "--csv", table])  # fmt: skip
    one = None
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        count = int(row["ranks"])
        parts = [row["forward_seconds"], row["backward_seconds"], row["update_seconds"]]
        update = way(plan.update, parameters(known), count, plan.ranks_a_host)
        words = [programs.SIMULATED / "simulated_step", *parts, *summed(known, update),
                 *messages(overlap, update, count, plan.ranks_a_host), ADDING, update, plan.ranks_a_host]  # fmt: skip
        step = float(programs.simulate(count, *rate(row["network"]), words, plan.ranks_a_host))
        epoch = step * SAMPLES / int(row["batch_size"])
        if count == 1:
            one = epoch
        yield {
            "layers": net.name, "network": row["network"], "mode": mode, "overlap": overlap, "ranks": count, "step_seconds": step,
            "epoch_seconds": epoch, "efficiency": one / (epoch * count),
            "predicted_step_seconds": sum(map(float, parts)) + float(row["exposed_seconds"]),
            "predicted_epoch_seconds": float(row["epoch_seconds"]), "predicted_efficiency": float(row["efficiency"]),
            "ranks_per_host": plan.ranks_a_host,
        }  # fmt: skip


class Plan(NamedTuple):
    """What is to be drawn: numbers of ranks, interconnects, networks (Net), the strong scaling, the ranks that share a host's link, who
    updates what (reduce.update), and the folder that keeps the measurements that are made (None: nothing does)."""

    ranks: list
    networks: list
    nets: list
    strong: Strong
    ranks_a_host: int
    update: str
    measurements: Optional[Path]


def draw(prefix, plan):
    """prefix.csv, prefix.svg and prefix.png."""
    from ..pictures import simulation, style

    with tempfile.TemporaryDirectory() as work:
        plan = plan._replace(measurements=Path(plan.measurements or work))
        plan.measurements.mkdir(parents=True, exist_ok=True)
        found = [
            point
            for net in plan.nets for mode in ("strong", "weak") for overlap in ("auto", "never")
            for point in points(net, mode, overlap, plan, Path(work))
        ]  # fmt: skip
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for point in found:
        writer.writerow({name: f"{value:.6g}" if isinstance(value, float) else value for name, value in point.items()})
    replace_file(prefix.with_name(f"{prefix.name}.csv"), text.getvalue())
    style.write(simulation.draw(found), prefix)
    say(f"{prefix}.csv, {prefix}.svg and {prefix}.png")
