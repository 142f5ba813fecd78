"""What takes turns: each trains a network and tells the seconds of its second epoch, None where it failed.

A network is the widths of hidden layers, as 1024,1024, or CONVOLUTIONAL, which is configs/cifar10_fast.toml."""

import csv
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path
from typing import Callable, NamedTuple

from ..packages import SYSTEM_PYTHON
from ..script import REPOSITORY, Failure
from . import peers

CONVOLUTIONAL = "conv"


class Contender(NamedTuple):
    name: str
    seconds: Callable  # of a network


def batch_of(network):
    return 1024 if network == CONVOLUTIONAL else 512


def samples_of(network):
    return {"1024,1024": 20480, CONVOLUTIONAL: 4096}.get(network, 50000)


def last_number(words, environment=None):
    """The number on the last line of what the command prints."""
    ended = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           text=True, env=os.environ | (environment or {}))  # fmt: skip
    try:
        return float(ended.stdout.split()[-1]) if ended.returncode == 0 else None
    except (IndexError, ValueError):
        return None


def lockstep(ranks, threads, mode):
    def seconds(network):
        with tempfile.TemporaryDirectory() as work:
            settings = {"train.epochs": 2, "train.batch_size": batch_of(network), "reduce.mode": mode,
                        "data.train_samples": samples_of(network), "data.test_samples": 100, "checkpoint.every_epochs": 0}  # fmt: skip
            if network == CONVOLUTIONAL:
                config = REPOSITORY / "configs/cifar10_fast.toml"
                settings |= {"train.warmup_epochs": 1, "eval.views": "one"}
            else:
                config = REPOSITORY / "configs/cifar10_mlp.toml"
                settings["model.hidden"] = f"[{network}]"
            words = [REPOSITORY / "launch/run", "-np", ranks, "--threads", threads, config, "--quiet", "--out", f"{work}/run"]
            words += [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
            if subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True).returncode != 0:
                return None
            with open(f"{work}/run/metrics.csv", encoding="utf-8", newline="") as file:
                return float(list(csv.DictReader(file))[1]["seconds"])

    return Contender(f"Lockstep {mode}, {ranks} x {threads}", seconds)


def products(ranks, threads):
    def seconds(widths):
        words = ["mpirun", "-np", ranks, "--bind-to", "core", "--map-by", f"slot:PE={threads}"]
        words += ["--allow-run-as-root"] if os.geteuid() == 0 else []
        words += ["-x", "OMP_NUM_THREADS", REPOSITORY / "build/tests/benchmarks/epoch_products", f"3072,{widths},10", batch_of(widths),
                  samples_of(widths), 2]  # fmt: skip
        return last_number(words, {"OMP_NUM_THREADS": str(threads)})

    return Contender(f"products alone, {ranks} x {threads}", seconds)


def pytorch(what, processes, threads, libraries, more=(), memory_format="contiguous"):
    """what: tells it from others. libraries: the folder of its BLAS. more: variables for that."""

    def seconds(network):
        words = [SYSTEM_PYTHON, REPOSITORY / "launch/bench-pytorch.py", network, batch_of(network), 2, samples_of(network), memory_format]
        environment = {"LD_LIBRARY_PATH": str(libraries), "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads), **dict(more)}
        if processes == 1:
            return last_number(words, environment)
        environment |= {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(random.randrange(20000, 40000))}
        others = [subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=os.environ | environment | {"RANK": str(rank)})
                  for rank in range(1, processes)]  # fmt: skip
        found = last_number(words, environment | {"RANK": "0"})
        for other in others:
            if found is None:
                other.kill()  # it would wait for the first
            other.wait()
        return found

    return Contender(f"PyTorch, {what}, {'DDP ' if processes > 1 else ''}{processes} x {threads}", seconds)


def own_kernels():
    """What Lockstep computes with here, as a run tells."""
    with tempfile.TemporaryDirectory() as work:
        settings = ["data.dataset=circle", "model.hidden=[4]", "train.epochs=1", "checkpoint.every_epochs=0"]
        Path(work, "empty.toml").touch()
        words = [REPOSITORY / "build/lockstep", "train", f"{work}/empty.toml", "--quiet", "--out", f"{work}/run"]
        words += [word for setting in settings for word in ("--set", setting)]
        ended = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if ended.returncode != 0:
            raise Failure(ended.returncode, (ended.stderr.splitlines() or ["lockstep train failed"])[-1])
        return json.loads(Path(work, "run/summary.json").read_text(encoding="utf-8"))["provenance"]["kernel_family"]


LAYOUTS = [(1, 1), (1, 2), (2, 1)]  # of PyTorch: processes x threads


def all_of(own, with_pytorch, network):
    """In the order of the table. own: what Lockstep computes with."""
    found = [lockstep(*layout, mode) for layout, mode in (((2, 1), "exact"), ((1, 2), "exact"), ((2, 1), "float"), ((1, 2), "float"),
                                                          ((1, 1), "exact"), ((1, 1), "float"))]  # fmt: skip
    if network == CONVOLUTIONAL:  # PyTorch's convolutions are oneDNN's, which computes with the processor's best
        return found + [pytorch(memory_format, *layout, peers.openblas(), memory_format=memory_format)
                        for memory_format in ("contiguous", "channels_last") for layout in LAYOUTS if with_pytorch]  # fmt: skip
    found += [products(2, 1), products(1, 2)]
    if with_pytorch:
        found += [pytorch("OpenBLAS", *layout, peers.openblas()) for layout in LAYOUTS]
        for kernels in peers.blis_kernels(own):
            number = peers.blis_number(kernels)
            more = {"BLIS_NUM_THREADS": "2"} | ({} if number is None else {"BLIS_ARCH_TYPE": str(number)})
            found.append(pytorch(f"BLIS {kernels}", 1, 2, peers.blis(), more))
    return found
