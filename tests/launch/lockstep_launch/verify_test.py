"""launch/verify and launch/courses: what they ask launch/run for, and what they make of its answers. launch/run is a stand-in."""

import contextlib
import io
import os
import unittest
from pathlib import Path
from unittest import mock

from support import REPOSITORY, ToolTest, stand_in

from lockstep_launch import courses, verify

SAME = "identical after each of 9 steps: weights 00000000000000aa, {} x {} against 1 x 1"


class Verify(ToolTest):
    def setUp(self):
        super().setUp()
        patch = mock.patch.object(verify, "REPOSITORY", Path().resolve())
        patch.start()
        self.addCleanup(patch.stop)
        os.environ["BEHAVE"] = str(Path("behave").resolve())
        self.addCleanup(os.environ.pop, "BEHAVE")
        stand_in("launch/run", 'echo "$*" >>asked; np=$2 t=$4; echo "lockstep 1: a line before"; source "$BEHAVE"')

    def behave(self, text):
        Path("behave").write_text(text)

    def test_EveryLayoutIsTried(self):
        self.behave('echo "identical after each of 9 steps: weights 00000000000000aa, $np ranks x $t threads against 1 x 1"')
        out = self.call(verify.main, "c.toml", "--ranks", "1,3", "--threads=2", "--kernels", "avx2,portable", "--steps", "9",
                        "--set=seed=2")  # fmt: skip
        self.assertEqual(self.code, 0)
        layouts = [(np, kernels) for np in (1, 3) for kernels in ("avx2", "portable")]
        self.assertEqual(out.splitlines()[:5], ["ranks threads   kernels  verdict"] + [
            f"    {np}       2 {kernels:>9}  identical after each of 9 steps: weights 00000000000000aa" for np, kernels in layouts])  # fmt: skip
        self.assertTrue(out.endswith(": every layout gave the same weights\n"))
        self.assertEqual(Path("asked").read_text(), "".join(
            f"-np {np} --threads 2 --force verify c.toml --set compute.kernels={kernels} --steps 9 --set=seed=2\n"
            for np, kernels in layouts))  # fmt: skip

    def test_ADifferenceIsTold(self):
        self.behave('echo "identical after each of 9 steps: weights 00000000000000a$np, $np rank"')
        self.assertIn("the layouts did not all give the same weights", self.call(verify.main, "c.toml", "--ranks", "1,2"))
        self.assertEqual(self.code, 1)
        self.behave('((np == 1)) && echo "identical: weights 00000000000000aa, 1 rank" || { echo "differs at step 2, 2 ranks"; exit 1; }')
        out = self.call(verify.main, "c.toml", "--ranks", "1,2,1", "--threads", "1")
        self.assertEqual((self.code, out.count("weights 00000000000000aa")), (1, 2))  # the others are tried all the same
        self.assertIn("\n    2       1      auto  differs at step 2\n", out)

    def test_FloatSumsStayWithinATolerance(self):
        self.behave('echo "drift after 9 steps: at most 2 ULPs; within the tolerance of 0.1, $np rank"')
        self.assertIn("every layout stayed within the tolerance", self.call(verify.main, "c.toml", "--ranks", "2"))
        self.assertEqual(self.code, 0)

    def test_AFailureIsThatOfLockstep(self):
        self.behave('echo "noise" >&2; echo "lockstep: c.toml: no such file" >&2; exit 3')
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()), self.assertRaises(SystemExit) as ended:
            verify.main(["c.toml"])
        self.assertEqual((ended.exception.code, said.getvalue()), (3, "lockstep: c.toml: no such file\n"))

    def test_WhatIsWrongIsOneLine(self):
        self.refused(2, "^no CONFIG", verify.main)
        self.refused(2, "^no CONFIG", verify.main, "--ranks", "1")
        self.refused(2, "^--ranks is '0', expected whole numbers as in 1,2,4", verify.main, "c.toml", "--ranks", "0")
        self.refused(2, "^--threads is '', expected whole numbers", verify.main, "c.toml", "--threads")
        self.refused(2, "^--kernels is 'AVX', expected names as in avx2,portable", verify.main, "c.toml", "--kernels=AVX")


class Courses(ToolTest):
    def test_EachNetworkIsShipped(self):
        for config, _ in courses.NETWORKS.values():
            self.assertTrue((REPOSITORY / config).is_file(), config)
        for name in courses.SWEEPS:
            self.assertTrue((REPOSITORY / f"configs/sweeps/{name}.toml").is_file(), name)
        self.assertTrue((REPOSITORY / f"configs/courses/{courses.VANISHING}.toml").is_file())

    def test_EachPictureThatIsShownIsMade(self):
        made = {"functions.png"} | {f"{name}_trials.png" for name in courses.SWEEPS}
        for name, (runs, with_curves) in courses.PICTURES.items():
            tables = {courses.NETWORKS[run][1] for run in runs if run in courses.NETWORKS} or {"--gradients"}
            kinds = {"--grid": {"boundary", "fit"}, "--confusion": {"confusion"}, "--weights": {"weights"}, "--gradients": {"gradients"}}
            made |= {f"{name}_{kind}.png" for table in tables for kind in kinds[table]} | ({f"{name}.png"} if with_curves else set())
        shown = {path.name for path in (REPOSITORY / "results/courses").glob("*.png")}
        self.assertEqual(shown - made, set())

    def test_OnlyWhatIsNamedIsTrained(self):
        asked = []
        with mock.patch.object(courses, "call", side_effect=lambda *words, **_: asked.append(" ".join(map(str, words)))), \
                mock.patch.object(courses.os, "chdir"):  # fmt: skip
            self.call(courses.main, "-o", "pictures", "flower", "vanishing_gradients")
        self.assertEqual(asked, [
            "launch/run -np 2 --threads 1 configs/courses/flower.toml --out runs/courses/flower --overwrite",
            "launch/run -np 1 eval runs/courses/flower --grid",
            *(f"launch/run -np 2 --threads 1 configs/courses/vanishing_gradients.toml --set model.activation={kind} "
              f"--out runs/courses/six_layers_{kind} --overwrite" for kind in ("sigmoid", "relu")),
        ])  # fmt: skip

    def test_WhatIsWrongIsOneLine(self):
        self.refused(2, "^'rose' is not one of ex4_classifier circle ", courses.main, "rose")
        self.refused(2, "^unknown option '--what'", courses.main, "--what")
        self.refused(2, "^-o has no value, expected a folder", courses.main, "-o")
