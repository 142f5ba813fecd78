"""What the tests of the Python tools share: each in a folder of its own, tools called in this process, and tables made up."""

import contextlib
import io
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path.insert(0, str(REPOSITORY / "launch"))

from lockstep_launch import packages  # noqa: E402
from lockstep_launch.script import Failure  # noqa: E402

packages.require("matplotlib", "jinja2")

METRICS = "epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,samples_per_second"


class ToolTest(unittest.TestCase):
    """Its working folder is a new one, empty."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        before = os.getcwd()
        os.chdir(folder.name)
        self.addCleanup(os.chdir, before)
        for name in list(os.environ):
            if name == "LOCKSTEP" or name.startswith(("CIFAR10_", "BLIS_", "OMP_", "SLURM_", "PBS_", "LSB_")):
                self.addCleanup(os.environ.__setitem__, name, os.environ.pop(name))
        self.addCleanup(os.environ.pop, "LOCKSTEP", None)

    def call(self, main, *words):
        """What main(words) prints to stdout; its exit code is 0."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.code = main([str(word) for word in words]) or 0
        return out.getvalue()

    def refused(self, code, pattern, main, *words):
        """main(words) fails with that code and a line that matches."""
        with contextlib.redirect_stdout(io.StringIO()), self.assertRaisesRegex(Failure, pattern) as raised:
            main([str(word) for word in words])
        self.assertEqual(raised.exception.code, code)
        self.assertNotIn("\n", str(raised.exception))


def write(path, *lines):
    """A file of those lines, in a folder that is made where it is missing."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_metrics(run, epochs, accuracy=True, tested=True, factor=1.0):
    """metrics.csv of a run whose losses fall."""
    rows = []
    for e in range(1, epochs + 1):
        right = [1 - 1 / (e + 1), 0.9 - 0.9 / (e + 1)] if accuracy else ["nan", "nan"]
        rows.append(f"{e},{factor / e},{right[0]},{1.2 * factor / e if tested else 'nan'},{right[1] if tested else 'nan'},0.1,2,1000")
    write(Path(run) / "metrics.csv", METRICS, *rows)


def texts(svg):
    """The texts of a picture."""
    tree = ElementTree.parse(svg)
    return ["".join(element.itertext()) for element in tree.iter("{http://www.w3.org/2000/svg}text")]


def is_png(path):
    return Path(path).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def stand_in(path, text):
    """Makes that file a program of these lines of shell. One called lockstep has no --version."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    version = "[[ ${1-} != --version ]] || exit 0\n" if path.name == "lockstep" else ""
    path.write_text(f"#!/usr/bin/env bash\n{version}{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path.resolve()
