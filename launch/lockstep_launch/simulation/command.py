"""The command line of launch/simulate."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from .. import packages
from ..script import REPOSITORY, Failure
from . import curve, exact

MOST_RANKS = 4096  # of curve
CURVE = ("--ranks", "-o", "--networks", "--hidden", "--config", "--strong", "--ranks-per-host", "--update", "--measurements")
OPTIONS = {"exact": ("--ranks", "--set"), "curve": CURVE}


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
    found = numbers(text)
    if found[0] != 1 or any(number & (number - 1) or number > MOST_RANKS for number in found):
        raise Failure(2, f"--ranks is '{text}', expected 1, then powers of two up to {MOST_RANKS} as in 1,16,256")
    return found


def strong(text):
    """Of --strong: BATCHxSHARDS."""
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,3})", text)
    if not found or int(found[1]) % int(found[2]) or curve.SAMPLES % int(found[1]):
        raise Failure(2, f"--strong is '{text}', expected BATCHxSHARDS, a batch that divides {curve.SAMPLES} and is a multiple of the "
                         "shards, as in 8192x256")  # fmt: skip
    return curve.Strong(int(found[1]), int(found[2]))


def ranks_per_host(text):
    if not re.fullmatch(r"[1-9]\d{0,2}", text) or int(text) & (int(text) - 1):
        raise Failure(2, f"--ranks-per-host is '{text}', expected a power of two")
    return int(text)


def update(text):
    if text not in ("auto", "divided", "everywhere"):
        raise Failure(2, f"--update is '{text}', expected auto, divided or everywhere")
    return text


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
    configurations = [curve.Net.of_configuration(path) for path in given.get("--config", [])]
    hidden = last("--hidden", None if configurations else "100 1024,1024")
    plan = curve.Plan(
        ranks=powers_of_two(last("--ranks", "1,2,4,8,16,32,64,128,256")),
        networks=last("--networks", "10gbit,25gbit,100gbit").split(","),
        nets=[*(curve.Net.of_widths(net) for net in (widths(hidden) if hidden else [])), *configurations],
        strong=strong(last("--strong", "8192x256")),
        ranks_a_host=ranks_per_host(last("--ranks-per-host", "1")),
        update=update(last("--update", "auto")),
        measurements=last("--measurements", None),
    )
    for network in plan.networks:
        curve.rate(network)
    packages.require("matplotlib")
    build()
    curve.draw(Path(last("-o", "scaling_simulation")), plan)
