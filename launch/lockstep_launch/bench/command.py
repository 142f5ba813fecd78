"""launch/bench: contenders take turns, and the medians of their second epochs are compared."""

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

from ..script import REPOSITORY, Failure
from . import contenders, peers

FILES = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
FILE_BYTES = 30730000
EXACT = ["Lockstep exact, 2 x 1", "Lockstep exact, 1 x 2"]
FLOAT = ["Lockstep float, 2 x 1", "Lockstep float, 1 x 2"]
RATIOS = [  # what is told: the best of the first over the best of the second, by their names' beginnings
    ("float / products alone, best layouts", FLOAT, ["products alone"]),
    ("exact / float, best layouts", EXACT, FLOAT),
    ("1 rank / 2 ranks, exact", ["Lockstep exact, 1 x 1"], ["Lockstep exact, 2 x 1"]),
    ("1 rank / 2 ranks, float", ["Lockstep float, 1 x 1"], ["Lockstep float, 2 x 1"]),
    ("PyTorch with OpenBLAS, best layout / exact", ["PyTorch, OpenBLAS"], EXACT),
    ("PyTorch with BLIS, best kernels / exact", ["PyTorch, BLIS"], EXACT),
    ("PyTorch, best layout and memory format / exact", ["PyTorch, contiguous", "PyTorch, channels_last"], EXACT),
]


def parse(words):
    """(repeats, networks, whether PyTorch is one of the contenders)."""
    words, repeats, networks, with_pytorch = list(words), 5, ["100", "512,256", "1024,1024", contenders.CONVOLUTIONAL], True
    while words:
        word = words.pop(0)
        if word == "--without-pytorch":
            with_pytorch = False
        elif word == "--networks":
            if not words:
                raise Failure(2, "--networks has no value")
            networks = words.pop(0).split()
        elif re.match("[1-9]", word):
            if not word.isdigit():
                raise Failure(2, f"REPEATS is '{word}', expected a whole number, at least 1")
            repeats = int(word)
        else:
            raise Failure(2, f"unknown argument '{word}', see launch/bench --help")
    return repeats, networks, with_pytorch


def require_cifar10():
    folder = Path(os.environ.setdefault("CIFAR10_DIR", str(REPOSITORY / "data/cifar-10-batches-bin")))
    for name in FILES:
        size = (folder / name).stat().st_size if (folder / name).is_file() else "no"
        if size != FILE_BYTES:
            raise Failure(3, f"{folder}: {name} has {size} bytes, expected {FILE_BYTES}; launch/get-cifar10 downloads CIFAR-10")


def build():
    for words in ([REPOSITORY / "launch/build", "release"],
                  ["cmake", "--build", REPOSITORY / "build", "--target", "epoch_products"]):  # fmt: skip
        ended = subprocess.run([str(word) for word in words], stdout=sys.stderr.fileno())
        if ended.returncode != 0:
            sys.exit(ended.returncode)


def figures(times):
    """MEDIAN (LEAST-MOST); a dash without any."""
    return f"{statistics.median(times):.3f} ({min(times):.3f}-{max(times):.3f})" if times else "-"


def best(medians, beginnings):
    """The least median of those whose names begin so; None without any."""
    return min((median for name, median in medians.items() if median is not None and name.startswith(tuple(beginnings))), default=None)


def ratios(medians):
    """(what, ratio) of RATIOS, of those whose contenders took part."""
    for what, upper, lower in RATIOS:
        if not all(any(name.startswith(tuple(beginnings)) for name in medians) for beginnings in (upper, lower)):
            continue
        a, b = best(medians, upper), best(medians, lower)
        yield what, f"{a / b:.2f}" if a and b else "-"


def title(network):
    name = "The convolutional network" if network == contenders.CONVOLUTIONAL else f"3072-{network.replace(',', '-')}-10"
    return f"### {name}, {contenders.samples_of(network)} samples, batch {contenders.batch_of(network)}"


def table(times, network, kernels):
    """Markdown. times: of each contender by its name."""
    lines = ["", title(network), "", f"Kernels: {kernels}.", "", "| | seconds per epoch |", "|---|---|"]
    lines += [f"| {name} | {figures(found)} |" for name, found in times.items()]
    medians = {name: statistics.median(found) if found else None for name, found in times.items()}
    lines += ["", "| ratio | |", "|---|---|", *(f"| {what} | {ratio} |" for what, ratio in ratios(medians))]
    return "\n".join(lines)


def measure(taking_part, network, repeats):
    """The seconds of each repeat of each contender, by its name: all take turns, so that what else the machine does meets all."""
    times = {contender.name: [] for contender in taking_part}
    for _ in range(repeats):
        for contender in taking_part:
            seconds = contender.seconds(network)
            if seconds is not None:
                times[contender.name].append(seconds)
    return times


def main(words):
    repeats, networks, with_pytorch = parse(words)
    peers.clear_environment()
    require_cifar10()
    build()
    if with_pytorch:
        peers.require_pytorch()
    own = contenders.own_kernels()
    kernels = f"Lockstep: {own}"
    if with_pytorch:
        kernels += f"; OpenBLAS: {peers.openblas_kernels()}; BLIS: {' '.join(peers.blis_kernels(own))}"
    for network in networks:
        taking_part = contenders.all_of(own, with_pytorch, network)
        print(table(measure(taking_part, network, repeats), network, kernels), flush=True)
