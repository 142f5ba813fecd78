"""What starts the ranks: the mpirun of the MPI that the program was built with, and its options in its own words."""

import os
import shutil
import subprocess

from ..script import Failure
from .hydra import Hydra
from .launcher import Launcher, Start, first_sentence
from .open_mpi import OpenMpi

__all__ = ["Hydra", "Launcher", "OpenMpi", "Start", "detect", "first_sentence"]
LAUNCHERS = (OpenMpi, Hydra)


def detect(program):
    """The launcher of the program's MPI: the one that it was built beside, if that is here, or one in PATH. Of a program that does
    not tell, mpirun. Throws Failure where there is none."""
    told = answer(program)
    mpi, built_beside = value(told, "mpi"), value(told, "mpirun")
    wanted = next((kind for kind in LAUNCHERS if mpi and kind.starts(mpi)), None)
    others = []
    for name in (built_beside, "mpirun", "mpiexec", *(wanted.OTHER_NAMES if wanted else ())):
        path = name and shutil.which(name)
        if not path:
            continue
        text = answer(path)
        for kind in LAUNCHERS:
            if kind.is_it(text) and wanted in (None, kind):
                return kind("mpirun" if same_program(path, "mpirun") else path, text)
        first = next(iter(text.strip().splitlines()), "nothing")
        others.append(f"{name} says of itself '{first}'")
    if wanted:
        raise Failure(2, f"the program was built with {mpi}, whose mpirun is not in PATH{''.join(f'; {other}' for other in others[:1])}: "
                         f"expected that of {wanted.NAME}, as after `module load`")
    if others:
        raise Failure(2, f"{others[0]}, expected {' or '.join(f'{kind.NAME} {kind.VERSIONS}' for kind in LAUNCHERS)}")
    raise Failure(2, "mpirun is not installed; launch/install-deps installs it")


def answer(program):
    """What it says to --version; nothing if it does not answer."""
    try:
        shown = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (shown.stdout + shown.stderr).decode(errors="replace")


def value(text, key):
    """Of lines KEY VALUE; None where there is none."""
    return next((line[len(key):].strip() for line in text.splitlines() if line.startswith(key + " ")), None)


def same_program(path, name):
    """Whether the name stands for that program in PATH."""
    found = shutil.which(name)
    return found is not None and os.path.realpath(found) == os.path.realpath(path)
