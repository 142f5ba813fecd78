"""The tables for pictures: those in the run's folder, where they are not older than its weights, else made by lockstep eval."""

import shlex
import subprocess

from ..eval_tables import Confusion, Tiles, read_grid, read_mistakes
from ..layer_tables import read_network

FILES = {"confusion": "confusion.csv", "mistakes": "mistakes.csv", "weights": "weights.ppm", "grid": "grid.csv",
         "network": "network.csv"}  # fmt: skip
WORDS = {"confusion": "confusion matrix", "mistakes": "sheet of mistakes", "weights": "images of the first layer",
         "grid": "picture of what the network says", "network": "picture of the network"}  # fmt: skip
IMAGES = ("cifar10", "synthetic")


def applying(run):
    """The tables that lockstep eval can make of this run."""
    kinds = ["confusion"] if run.metrics.classified else []
    first = run.shapes.get("layers.0.weight")
    if first and run.config.get("data.dataset") in IMAGES:
        kinds += ["mistakes", "weights"] if len(first) > 1 else ["mistakes"]
    elif first and first[-1] == (2 if run.metrics.classified else 1):
        kinds.append("grid")
    return kinds + (["network"] if first else [])


def read(run, kind, folder):
    path = folder / FILES[kind]
    if kind == "confusion":
        return Confusion.read(path)
    if kind == "weights":
        return Tiles.read(path)
    if kind == "mistakes":
        return read_mistakes(path)
    if kind == "network":
        return read_network(path)
    return read_grid(path, folder / "points.csv")


def fresh(run, kind):
    table = run.folder / FILES[kind]
    return table.exists() and table.stat().st_mtime >= run.weights.stat().st_mtime


def complete(run, program, work, say):
    """Puts all tables that apply into run.tables, or into run.notes why not. work: a folder for what lockstep writes."""
    kinds = applying(run)
    if not run.weights:
        if kinds:
            run.notes.append(("No pictures of the network yet: they need its weights, or a checkpoint.", ""))
        return
    missing = [kind for kind in kinds if not fresh(run, kind)]
    problem = ""
    if missing:
        flags = [f"--{kind}" for kind in missing]
        say(f"{run.folder}: lockstep eval {' '.join(flags)}")
        problem = make([program, "eval", str(run.folder), *flags, "--out", str(work)])
        if problem:
            names = " and no ".join(WORDS[kind] for kind in missing)
            run.notes.append((f"No {names}: {problem}", shlex.join(
                ["launch/run", "-np", "1", "eval", str(run.folder), *flags])))
    for kind in kinds:
        if kind not in missing:
            run.tables[kind] = read(run, kind, run.folder)
        elif not problem:
            run.tables[kind] = read(run, kind, work)


def make(command):
    """Runs lockstep. What it had to say if it failed, else nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        return f"{command[0]} cannot be started: {error.strerror}"
    if done.returncode == 0:
        return ""
    said = done.stderr.strip().splitlines() or [f"lockstep eval ended with code {done.returncode}"]
    return said[-1]
