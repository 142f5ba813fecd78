"""launch/plot: which pictures the folders of runs have, and where they go."""

from pathlib import Path

from . import packages
from .eval_tables import Confusion, Plane, Tiles, read_grid, read_mistakes
from .files import replace_file
from .layer_tables import Film, Layers, read_network
from .run_tables import Activations, Gradients, Metrics, Trials
from .sanity_tables import Sanity
from .script import Failure, say, value_of

# Of each kind of picture: the table that it is made of.
TABLES = {"curves": "metrics.csv", "gradients": "gradients.csv", "grid": "grid.csv", "confusion": "confusion.csv",
          "mistakes": "mistakes.csv", "weights": "weights.ppm", "trials": "trials.csv", "sanity": "sanity.json",
          "layers": "layers.csv", "film": "film.csv", "network": "network.csv"}  # fmt: skip
# One of these is in every folder that has pictures.
OF_ITS_OWN = ("metrics.csv", "trials.csv", "sanity.json")


def parse(words):
    """(folders of runs, prefix or None, table of activations or None)."""
    words, runs, prefix, activations = list(words), [], None, None
    while words:
        if words[0] == "-o":
            prefix = value_of(words, "a file name without its ending")
        elif words[0] == "--activations":
            activations = value_of(words, "a CSV file")
        elif words[0].startswith("-"):
            raise Failure(2, f"unknown option '{words[0]}', expected -o PREFIX, --activations FILE or the folder of a run")
        else:
            runs.append(words.pop(0))
    if activations and runs:
        raise Failure(2, f"--activations and a RUN, '{runs[0]}', expected one of them")
    if activations and not prefix:
        raise Failure(2, "--activations and no -o PREFIX, expected a name for the picture")
    if not activations and not runs:
        raise Failure(2, "no RUN, expected the folder of a run")
    if len(runs) > 1 and not prefix:
        raise Failure(2, f"{len(runs)} runs and no -o PREFIX, expected a name for their picture")
    return runs, prefix, activations


def labels(folders):
    """What each run is called: its folder's name, or, of two with one name, where it is."""
    names = [Path(folder).resolve().name for folder in folders]
    return [name if names.count(name) == 1 else str(Path(folder)) for folder, name in zip(folders, names)]


def read_one(kind, path):
    """(kind of picture, what its table says)."""
    if kind == "grid":
        grid = read_grid(path, path.with_name("points.csv"))
        return ("boundary" if isinstance(grid, Plane) else "fit"), grid
    if kind == "mistakes":
        return kind, read_mistakes(path)
    if kind == "network":
        return kind, read_network(path)
    reader = {"curves": Metrics, "gradients": Gradients, "confusion": Confusion, "weights": Tiles, "trials": Trials, "sanity": Sanity,
              "layers": Layers, "film": Film}[kind]  # fmt: skip
    return kind, reader.read(path)


def read_runs(folders):
    """{kind of picture: [(name of a run, what its table says), ...]}."""
    found = {}
    for folder, label in zip(folders, labels(folders)):
        run = Path(folder)
        if not run.is_dir():
            raise Failure(3, f"{folder}: no such folder, expected that of a run")
        if not any((run / table).exists() for table in OF_ITS_OWN):
            raise Failure(3, f"{run}/metrics.csv: no such file, expected the metrics of a run (or trials.csv, of a sweep)")
        for kind, table in TABLES.items():
            if not (run / table).exists():
                continue
            if not (run / table).is_file():
                raise Failure(3, f"{run / table}: not readable, expected a file")
            picture, data = read_one(kind, run / table)
            found.setdefault(picture, []).append((label, data))
    return found


def place(kind, prefix, folders):
    """Where that picture goes, without its ending."""
    if prefix is None:
        return Path(folders[0]) / kind
    return Path(prefix if kind in ("curves", "activations") else f"{prefix}_{kind}")


def main(words):
    folders, prefix, activations = parse(words)
    packages.require("matplotlib")
    if activations:
        if not Path(activations).is_file():
            raise Failure(3, f"{activations}: no such file, expected a table of activation functions")
        found = {"activations": Activations.read(Path(activations))}
    else:
        found = read_runs(folders)
    if prefix and not Path(prefix).parent.is_dir():
        raise Failure(2, f"-o {prefix}: no folder {Path(prefix).parent}, expected one to write into")
    from .pictures import activations as of_functions
    from .pictures import (boundary, confusion, curves, film, fit, gradients, layers, mistakes, network, sanity, style, trials,
                           weights)  # fmt: skip

    drawers = {"curves": curves, "gradients": gradients, "boundary": boundary, "fit": fit, "confusion": confusion,
               "mistakes": mistakes, "weights": weights, "trials": trials, "activations": of_functions, "sanity": sanity,
               "layers": layers, "film": film, "network": network}  # fmt: skip
    figures = {kind: drawers[kind].draw(found[kind]) for kind in drawers if kind in found}
    for kind, figure in figures.items():
        at = place(kind, prefix, folders)
        style.write(figure, at)
        say(f"{at}.svg and {at}.png")
    for i, (_, data) in enumerate(found.get("film", [])):
        at = place("film", prefix, folders)
        at = at.with_name(f"{at.name}{'' if len(found['film']) == 1 else i + 1}.gif")
        replace_file(at, film.animation(data))
        say(at)
