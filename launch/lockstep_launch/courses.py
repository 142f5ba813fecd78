"""launch/courses: trains every network of the courses and draws its pictures."""

import os
import subprocess
import sys
from pathlib import Path

from . import packages, plot
from .script import REPOSITORY, Failure, value_of

GRIDS = ("ex4_classifier", "circle", "xor", "gaussian_mse", "spiral", "flower", "flower_logistic", "function_sine", "function_kink")
# Of each network: its configuration, and what eval has for its pictures.
NETWORKS = {name: (f"configs/courses/{name}.toml", "--grid") for name in GRIDS} | {
    "ex5_modular": ("configs/courses/ex5_modular.toml", "--confusion"),
    "linear_templates": ("configs/courses/linear_templates.toml", "--weights"),
    "cifar10_dense100_mse": ("configs/cifar10_dense100_mse.toml", "--confusion"),
}
VANISHING = "vanishing_gradients"  # trained with each of ACTIVATIONS
ACTIVATIONS = ("sigmoid", "relu")
SWEEPS = ("ex6_depth_and_width", "flower_regularisation", "function_sine_width", "function_kink_width", "activations")
KNOWN = (*NETWORKS, VANISHING, *SWEEPS)
RUNS = "runs/courses"  # in place of what was trained there before

# Pictures, of runs; whether results/courses.md shows their curves, where other pictures say more.
PICTURES = {
    "ex4": (["ex4_classifier"], False),
    "ex5": (["ex5_modular"], False),
    "balseiro": (["cifar10_dense100_mse"], True),
    "templates": (["linear_templates"], False),
    "playground": (["circle", "xor", "gaussian_mse", "spiral"], False),
    "flower": (["flower", "flower_logistic"], False),
    "sine": (["function_sine"], False),
    "kink": (["function_kink"], False),
    "six_layers": ([f"six_layers_{activation}" for activation in ACTIVATIONS], False),
}


def parse(words):
    """(the pictures' folder, names of configurations and sweeps; all of them without any)."""
    words, folder, names = list(words), REPOSITORY / "results/courses", []
    while words:
        if words[0] == "-o":
            folder = Path(value_of(words, "a folder"))
        elif words[0].startswith("-"):
            raise Failure(2, f"unknown option '{words[0]}', expected -o FOLDER or names of configurations")
        else:
            names.append(words.pop(0))
    for name in names:
        if name not in KNOWN:
            raise Failure(2, f"'{name}' is not one of {' '.join(KNOWN)}")
    return folder.absolute(), names


def call(*words, stdout=None):
    """Runs the command; what it says is its own, and where it fails its exit code is ours."""
    ended = subprocess.run([str(word) for word in words], stdout=stdout)
    if ended.returncode != 0:
        sys.exit(ended.returncode if ended.returncode > 0 else 128 - ended.returncode)


def train(*words):
    call("launch/run", "-np", "2", "--threads", "1", *words)


def run(name):
    config, table = NETWORKS[name]
    train(config, "--out", f"{RUNS}/{name}", "--overwrite")
    call("launch/run", "-np", "1", "eval", f"{RUNS}/{name}", table)


def sweep(name, folder):
    train("sweep", f"configs/sweeps/{name}.toml", "--out", f"{RUNS}/{name}")
    plot.main([f"{RUNS}/{name}", "-o", str(folder / name)])


def draw_all(folder):
    """The pictures of several runs; of those whose curves are not shown the curves are taken away."""
    with open(f"{RUNS}/activations.csv", "wb") as table:
        call("build/lockstep", "activations", stdout=table)
    plot.main(["--activations", f"{RUNS}/activations.csv", "-o", str(folder / "functions")])
    for name, (runs, with_curves) in PICTURES.items():
        plot.main([*(f"{RUNS}/{run}" for run in runs), "-o", str(folder / name)])
        if not with_curves:
            for form in ("svg", "png"):
                (folder / f"{name}.{form}").unlink()


def main(words):
    folder, names = parse(words)
    packages.require("matplotlib")
    os.chdir(REPOSITORY)
    folder.mkdir(parents=True, exist_ok=True)
    for name in KNOWN:
        if names and name not in names:
            continue
        if name in NETWORKS:
            run(name)
        elif name in SWEEPS:
            sweep(name, folder)
        else:
            for activation in ACTIVATIONS:
                train(f"configs/courses/{VANISHING}.toml", "--set", f"model.activation={activation}",
                      "--out", f"{RUNS}/six_layers_{activation}", "--overwrite")  # fmt: skip
    if not names:
        draw_all(folder)
