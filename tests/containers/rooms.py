"""What surrounds a job in a container, made by name spaces; and a job in it, whose weights must be those of any other place."""

import functools
import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from harness.build import OPEN_MPI, PROGRAM, REPOSITORY
from harness.files import weights_hash, write_planar_config
from harness.process import execute, settings

NOT_PERMITTED = 77
AS_ROOT = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
RUN = REPOSITORY / "launch/run"
FOR_MPI = [] if OPEN_MPI else ["UCX_TLS=tcp,self"]  # by itself MPICH does not do without memory that the ranks share


def room(*steps, own=("--mount",)):
    """The words that run a command in name spaces of its own, after these steps of a shell."""
    script = "".join(f"{step} && " for step in steps) + 'exec "$@"'
    return ["unshare", *AS_ROOT, *own, "sh", "-c", script, "room"]


def not_permitted(words):
    """Why the machine does not permit what these words begin; None if it does."""
    done = subprocess.run([*words, "true"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return None if done.returncode == 0 else done.stderr.strip() or f"{shlex.join(words)} ends with {done.returncode}"


def launch(before, *options, program=PROGRAM, keys=(), out="out"):
    """Trains a small network on two ranks in such surroundings: its Outcome."""
    write_planar_config()
    words = [RUN, "--allow-run-as-root", "-np", 2, "--force", *options, "run.toml", "--quiet", "--out", out, *settings(*keys)]
    return execute([*before, "env", *FOR_MPI, f"LOCKSTEP={program}", *words], verbatim=True)


def trains(*before, **how):
    """It does so without a word, and with the weights of one process elsewhere."""
    outcome = launch(before, **how)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert weights_hash(how.get("out", "out")) == elsewhere()


@functools.cache
def elsewhere():
    """The weights of one process without surroundings."""
    with tempfile.TemporaryDirectory() as folder:
        before = Path.cwd()
        os.chdir(folder)
        write_planar_config()
        outcome = execute([PROGRAM, "train", "run.toml", "--quiet", "--out", "out"])
        assert outcome.code == 0, outcome
        found = weights_hash("out")
        os.chdir(before)
    return found
