"""What is tested: the build in the folder that the environment variable LOCKSTEP_BUILD names, else in build/."""

import json
import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LOCKSTEP_BUILD", REPOSITORY / "build")).resolve()

# CMake writes this file.
_settings = json.loads((BUILD / "tests/harness.json").read_text(encoding="utf-8"))
PROGRAM = _settings["program"]  # path of lockstep
VERSION = _settings["version"]
SANITIZED = _settings["sanitized"]  # whether it is built with a sanitizer
OPEN_MPI = _settings["open_mpi"]  # whether that is its MPI; else it is MPICH
MPIRUN = tuple(_settings["mpirun"])  # the words that start a command under mpirun, up to and without "-np"
