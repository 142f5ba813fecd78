"""The command line of launch/simulate."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from .. import packages
from ..script import REPOSITORY, Failure
from . import curve, exact

OPTIONS = {"exact": ("--ranks", "--set"), "curve": ("--ranks", "-o", "--networks", "--hidden", "--measurements")}


def parse(words):
    """(subcommand, CONFIG or None, {option: values})."""
    command = words[0] if words else ""
    if command not in OPTIONS:
        raise Failure(2, f"'{command}' is not a subcommand, expected exact or curve")
    words, config, given = list(words[1:]), None, {}
    while words:
        word = words.pop(0)
        if word in OPTIONS[command]:
            if not words:
                raise Failure(2, f"{word} has no value")
            given.setdefault(word, []).append(words.pop(0))
        elif word.startswith("-") or command == "curve":
            raise Failure(2, f"unknown argument '{word}', see launch/simulate --help")
        elif config:
            raise Failure(2, f"'{word}' is one argument too many, expected one CONFIG")
        else:
            config = word
    if command == "exact" and not config:
        raise Failure(2, "no CONFIG, expected the file of a training run")
    return command, config, given


def numbers(text):
    """Of --ranks."""
    if not re.fullmatch(r"[1-9]\d{0,3}(,[1-9]\d{0,3})*", text):
        raise Failure(2, f"--ranks is '{text}', expected whole numbers as in 1,2,8")
    return [int(number) for number in text.split(",")]


def powers_of_two(text):
    if not re.fullmatch(r"1(,(2|4|8|16|32|64|128|256))*", text):
        raise Failure(2, f"--ranks is '{text}', expected 1, then powers of two up to 256 as in 1,16,256")
    return numbers(text)


def widths(text):
    """Of --hidden: the widths of each network."""
    if not re.fullmatch(r"[1-9]\d*([, ][1-9]\d*)*", text):
        raise Failure(2, f"--hidden is '{text}', expected widths as in '100 1024,1024'")
    return [[int(width) for width in net.split(",")] for net in text.split(" ")]


def build():
    """lockstep, and the same sources for the simulator."""
    if not shutil.which("smpirun"):
        raise Failure(2, "SimGrid is not installed; launch/install-deps --simulation installs it")
    for words in (["release"], ["--tests", "simulation"]):  # simulated_step is one of its tests' programs
        built = subprocess.run([REPOSITORY / "launch/build", *words], stdout=sys.stderr.fileno())
        if built.returncode != 0:
            sys.exit(built.returncode)


def main(words):
    command, config, given = parse(words)

    def last(option, otherwise):
        return given.get(option, [otherwise])[-1]

    if command == "exact":
        ranks = numbers(last("--ranks", "1,2,8,64"))
        build()
        exact.compare(config, ranks, [word for value in given.get("--set", []) for word in ("--set", value)])
        return
    ranks = powers_of_two(last("--ranks", "1,2,4,8,16,32,64,128,256"))
    nets, networks = widths(last("--hidden", "100 1024,1024")), last("--networks", "10gbit,25gbit,100gbit").split(",")
    for network in networks:
        curve.rate(network)
    packages.require("matplotlib")
    build()
    curve.draw(Path(last("-o", "scaling_simulation")), ranks, networks, nets, last("--measurements", None))
