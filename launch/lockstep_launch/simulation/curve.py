"""How steps take longer on more simulated ranks, beside what lockstep predict makes of the same measurements."""

import csv
import io
import json
import tempfile
from pathlib import Path

from ..files import replace_file
from ..script import REPOSITORY, Failure, say
from . import programs

SAMPLES = 49152  # 6 batches of 8,192; 64 x 256 divide it too
ADDING = "3e-11"  # seconds that a core needs to add a byte that is in its cache
RATES = {"10gbit": (9.4, 20), "25gbit": (23.5, 8), "100gbit": (96, 2)}  # as src/report/scaling_model.cpp has them
MEASURED = ("forward", "backward", "update")
REPEATS = 5
COLUMNS = ["layers", "network", "mode", "overlap", "ranks", "step_seconds", "epoch_seconds", "efficiency", "predicted_step_seconds",
           "predicted_epoch_seconds", "predicted_efficiency"]  # fmt: skip


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


def parameters(widths):
    """Of 3072-WIDTHS-10."""
    sizes = [3072, *widths, 10]
    return sum((inputs + 1) * outputs for inputs, outputs in zip(sizes, sizes[1:]))


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


def points(widths, mode, overlap, ranks, networks, measurements, work):
    """Rows of the table, as dicts: predicted, then simulated. measurements: a folder that keeps those that are made."""
    layers = "-".join(["3072", *map(str, widths), "10"])
    options = [REPOSITORY / "configs/cifar10_mlp.toml", "--set", f"model.hidden=[{','.join(map(str, widths))}]",
               "--set", f"data.train_samples={SAMPLES}", "--set", f"reduce.overlap={overlap}", "--set", "compute.threads=1"]  # fmt: skip
    if mode == "strong":
        options += ["--set", "train.batch_size=8192", "--set", "data.shards=256"]
    else:
        options += ["--set", "train.batch_size=64", "--set", "data.shards=1", "--weak"]
    known = measurements / f"{layers}.{mode}.json"
    if not known.exists():
        measure(known, options, work)
    table = work / "predicted.csv"
    programs.attempt([programs.LOCKSTEP, "predict", *options, "--calibration", known, "--no-measure", "--cores-per-host", "1",
                      "--network", ",".join(networks), "--at", ",".join(f"{count}x1" for count in ranks), "--csv", table])  # fmt: skip
    message = [1 << 20, 1, ADDING] if overlap == "auto" else [1 << 18, 0, ADDING]  # the program's messages
    one = None
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        count = int(row["ranks"])
        parts = [row["forward_seconds"], row["backward_seconds"], row["update_seconds"]]
        step = float(programs.simulate(count, *rate(row["network"]), [programs.SIMULATED / "simulated_step", *parts,
                                                                      4 * parameters(widths), *message]))  # fmt: skip
        epoch = step * (SAMPLES // int(row["batch_size"]))
        if count == 1:
            one = epoch
        yield {
            "layers": layers, "network": row["network"], "mode": mode, "overlap": overlap, "ranks": count, "step_seconds": step,
            "epoch_seconds": epoch, "efficiency": one / (epoch * count),
            "predicted_step_seconds": sum(map(float, parts)) + float(row["exposed_seconds"]),
            "predicted_epoch_seconds": float(row["epoch_seconds"]), "predicted_efficiency": float(row["efficiency"]),
        }  # fmt: skip


def draw(prefix, ranks, networks, nets, measurements):
    """prefix.csv, prefix.svg and prefix.png. nets: the hidden widths of each network."""
    from ..pictures import simulation, style

    with tempfile.TemporaryDirectory() as work:
        measurements = Path(measurements or work)
        measurements.mkdir(parents=True, exist_ok=True)
        found = [
            point
            for widths in nets for mode in ("strong", "weak") for overlap in ("auto", "never")
            for point in points(widths, mode, overlap, ranks, networks, measurements, Path(work))
        ]  # fmt: skip
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for point in found:
        writer.writerow({name: f"{value:.6g}" if isinstance(value, float) else value for name, value in point.items()})
    replace_file(prefix.with_name(f"{prefix.name}.csv"), text.getvalue())
    style.write(simulation.draw(found), prefix)
    say(f"{prefix}.csv, {prefix}.svg and {prefix}.png")
