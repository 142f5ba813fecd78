"""The configurations and sweeps that come with the program, found by walking configs/, the runs of them whose weights are
published, and what makes them short enough for a test: a few samples and epochs, made up in place of CIFAR-10's."""

import re
from pathlib import Path

from .build import REPOSITORY
from .files import read, read_json
from .process import settings

CONFIGS = REPOSITORY / "configs"
_found = sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob("*.toml"))

# Paths below configs/. Those in sweeps/ are sweeps, all others configurations.
SWEEPS = [name for name in _found if name.startswith("sweeps/")]
CONFIGURATIONS = [name for name in _found if name not in SWEEPS]

PUBLISHED = read_json(REPOSITORY / "results/hashes.json")["runs"]


def _value_of(key, text):
    """The string that a line `key = "..."` gives."""
    return re.search(f'^{key} *= *"([^"]*)"', text, re.MULTILINE)[1]


def _shortening(configuration):
    """Keys and values that shorten the configuration in this file, as TOML."""
    values = {"train.epochs": "2"}
    dataset = _value_of("dataset", read(configuration))
    if dataset in ("cifar10", "synthetic"):
        values |= {"data.dataset": '"synthetic"', "data.test_samples": "57"}
    if dataset != "csv":
        values["data.train_samples"] = "101"
    return values


def shortened(configuration):
    """The same as arguments: "--set", "train.epochs=2", ..."""
    values = {"compute.threads": "1"} | _shortening(configuration)
    return settings(*(f"{key}={value}" for key, value in values.items()))


def shortened_sweep(sweep):
    """The text of a sweep, shortened, with the absolute path of its configuration."""
    text = read(sweep)
    named = _value_of("config", text)
    configuration = (Path(sweep).parent / named).resolve()
    text = text.replace(f'"{named}"', f'"{configuration}"', 1)
    if "[set]\n" not in text:
        text = text.replace("[parameters]\n", "[set]\n[parameters]\n", 1)
    values = _shortening(configuration)
    for key in values:
        text = re.sub(f'\n"?{re.escape(key)}"? *= *[^\\[\n]*', "", text)  # what is set to all trials
    return text.replace("[set]\n", "[set]\n" + "".join(f'"{key}" = {value}\n' for key, value in values.items()), 1)
