"""launch/bench: what it makes of contenders' seconds, and what it passes on. What trains is a stand-in."""

import contextlib
import io
import os
import unittest
from pathlib import Path
from unittest import mock

from support import ToolTest, write

from lockstep_launch.bench import command, contenders, peers


def contender(name, seconds):
    """One that takes these seconds, one after the other."""
    left = list(seconds)
    return contenders.Contender(name, lambda widths: left.pop(0))


class Bench(ToolTest):
    def test_MediansAndTheBestLayoutsAreCompared(self):
        taking_part = [contender("Lockstep exact, 2 x 1", [3, 1, 2]), contender("Lockstep exact, 1 x 2", [4, 4, 4]),
                       contender("Lockstep float, 2 x 1", [5, 5, 5]), contender("Lockstep float, 1 x 2", [1, 1.5, 1]),
                       contender("Lockstep exact, 1 x 1", [3, 3, 3]), contender("Lockstep float, 1 x 1", [None] * 3),
                       contender("products alone, 2 x 1", [1, 0.5, 0.8]), contender("PyTorch, OpenBLAS, DDP 2 x 1", [4, None, 5]),
                       contender("PyTorch, BLIS skx, 1 x 2", [3, 3, 3]), contender("PyTorch, BLIS haswell, 1 x 2", [9, 9, 9])]  # fmt: skip
        text = command.table(command.measure(taking_part, "1024,1024", 3), "1024,1024", "Lockstep: avx512")
        for line in (
            "### 3072-1024-1024-10, 20480 samples, batch 512", "Kernels: Lockstep: avx512.",
            "| Lockstep exact, 2 x 1 | 2.000 (1.000-3.000) |", "| Lockstep float, 1 x 1 | - |",
            "| PyTorch, OpenBLAS, DDP 2 x 1 | 4.500 (4.000-5.000) |", "| float / products alone, best layouts | 1.25 |",
            "| exact / float, best layouts | 2.00 |", "| 1 rank / 2 ranks, exact | 1.50 |", "| 1 rank / 2 ranks, float | - |",
            "| PyTorch with OpenBLAS, best layout / exact | 2.25 |", "| PyTorch with BLIS, best kernels / exact | 1.50 |",
        ):  # fmt: skip
            self.assertIn(line, text.splitlines())
        self.assertNotIn("PyTorch", command.table({"Lockstep exact, 2 x 1": [1.0]}, "100", ""))

    def test_ContendersTakeTurns(self):
        turns = []
        taking_part = [contenders.Contender(name, lambda widths, name=name: turns.append(name)) for name in "abc"]
        command.measure(taking_part, "100", 2)
        self.assertEqual("".join(turns), "abcabc")

    def test_WhatTheEnvironmentSaysToLibrariesIsNotPassedOn(self):
        said = io.StringIO()
        with mock.patch.dict(os.environ, {"OPENBLAS_CORETYPE": "Haswell", "MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": "7", "KEPT": "1"}), \
                contextlib.redirect_stderr(said):  # fmt: skip
            for name in [name for name in os.environ if name.startswith(peers.CLEARED)]:
                if name not in ("OPENBLAS_CORETYPE", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
                    del os.environ[name]
            peers.clear_environment()
            self.assertEqual(os.environ["KEPT"], "1")
            self.assertNotIn("OPENBLAS_CORETYPE", os.environ)
        self.assertTrue(said.getvalue().endswith(
            "note: not passed on from the environment: MKL_NUM_THREADS OMP_NUM_THREADS OPENBLAS_CORETYPE\n"))  # fmt: skip

    def test_BlisIsTriedWithAllThatTheProcessorCanRun(self):
        self.assertEqual(peers.blis_kernels("avx512"), ["skx", "haswell"])
        self.assertEqual(peers.blis_kernels("avx2"), ["haswell"])
        self.assertEqual(peers.name_from("/nowhere/libblis.so", "bli_arch_string"), "unknown")
        with mock.patch.object(peers, "name_from", side_effect=lambda path, function, number: ["skx", "knl", "haswell"][number % 3]):
            self.assertEqual(peers.blis_number("haswell"), 2)
        with mock.patch.object(peers, "blis_number", return_value=3):
            names = [contender.name for contender in contenders.all_of("avx512", True, "100")]
        self.assertEqual(names[-5:], ["PyTorch, OpenBLAS, 1 x 1", "PyTorch, OpenBLAS, 1 x 2", "PyTorch, OpenBLAS, DDP 2 x 1",
                                      "PyTorch, BLIS skx, 1 x 2", "PyTorch, BLIS haswell, 1 x 2"])  # fmt: skip
        self.assertEqual(len(contenders.all_of("avx512", False, "100")), 8)

    def test_TheConvolutionalNetworkMeetsPyTorchsMemoryFormats(self):
        names = [contender.name for contender in contenders.all_of("avx512", True, "conv")]
        self.assertEqual(names[6:9], ["PyTorch, contiguous, 1 x 1", "PyTorch, contiguous, 1 x 2", "PyTorch, contiguous, DDP 2 x 1"])
        self.assertEqual(names[-1], "PyTorch, channels_last, DDP 2 x 1")
        self.assertEqual(len(contenders.all_of("avx512", False, "conv")), 6)
        text = command.table({"Lockstep exact, 2 x 1": [2.0], "PyTorch, contiguous, 1 x 2": [7.0], "PyTorch, channels_last, 1 x 1": [5.0]},
                             "conv", "Lockstep: avx512")  # fmt: skip
        self.assertIn("### The convolutional network, 4096 samples, batch 1024", text)
        self.assertIn("| PyTorch, best layout and memory format / exact | 2.50 |", text)
        self.assertNotIn("OpenBLAS", text)

    def test_WhatIsWrongIsOneLine(self):
        os.environ["CIFAR10_DIR"] = str(Path("data").resolve())
        self.addCleanup(os.environ.pop, "CIFAR10_DIR", None)
        with contextlib.redirect_stderr(io.StringIO()):
            self.refused(3, "data: data_batch_1.bin has no bytes, expected 30730000; launch/get-cifar10 downloads", command.main)
            write("data/data_batch_1.bin", "x")
            self.refused(3, "data: data_batch_1.bin has 2 bytes, expected 30730000", command.main, "3")
        self.refused(2, "^--networks has no value", command.main, "--networks")
        self.refused(2, "^REPEATS is '3x', expected a whole number, at least 1", command.main, "3x")
        self.refused(2, "^unknown argument '0', see launch/bench --help", command.main, "0")
        self.assertEqual(command.parse(["3", "--networks", "100 64,32", "--without-pytorch"]), (3, ["100", "64,32"], False))
