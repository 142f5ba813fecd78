"""launch/simulate: what it tells the simulator and the programs, and what it makes of their weights and times. smpirun, launch/build and
the programs are stand-ins."""

import contextlib
import csv
import io
import json
import os
import unittest
from pathlib import Path
from unittest import mock

from support import ToolTest, is_png, stand_in, texts

from lockstep_launch.simulation import command, curve, programs

# Trains: the weights depend on the ranks if they are those of WRONG. Predicts: two networks, each of one and of four ranks.
LOCKSTEP = r"""
echo "$*" >>"$ASKED"
[[ $* != *" bad.toml"* ]] || { echo noise; echo "lockstep: bad.toml: is bad" >&2; exit 2; }
if [[ $1 == predict ]]; then
  while (($#)); do
    [[ $1 != --calibration || -e $2 ]] || echo "{\"tensors\": [7, 3], \"backward_work\": [70, 6], \"forward_work\": [35, 3], \"in_slices\": [true, false], \"few_bytes\": 320, \"part_sums\": [8], \"steps\": [{\"rows\": 8, \"forward\": 0.$((RANDOM % 90 + 10)), \"update\": 2}]}" >"$2"
    [[ $1 != --csv ]] || csv=$2
    shift
  done
  [[ ! -v csv ]] || printf '%s\n' network,ranks,batch_size,forward_seconds,backward_seconds,exposed_seconds,update_seconds,epoch_seconds,efficiency \
    10gbit,1,8192,0.5,0.25,0,0.25,6,1 10gbit,4,8192,0.125,0.125,0.25,0.5,6,0.25 >"$csv"
  exit
fi
while (($# > 1)); do
  [[ $1 != --out ]] || mkdir -p "$2" out=$2
  shift
done
[[ ${RANKS-1} == "${WRONG-}" ]] && hash=bbbbbbbbbbbbbbbb || hash=aaaaaaaaaaaaaaaa
mkdir -p "$1"
printf '{"weights_hash": "%s"}\n' "$hash" >"$1/summary.json"
"""
SMPIRUN = """
while [[ $1 != */lockstep && $1 != */simulated_step ]]; do
  [[ $1 != -np ]] || RANKS=$2
  [[ $1 != -hostfile ]] || wc -l <"$2" >>"$ASKED"
  [[ $1 != -platform ]] || cat "$2" >>"$ASKED"
  shift
done
export RANKS
"$@"
"""


class Simulate(ToolTest):
    def setUp(self):
        super().setUp()
        program = stand_in("lockstep", LOCKSTEP)
        stand_in("simulation/lockstep", LOCKSTEP)
        stand_in("simulation/simulated_step", 'echo "step $*" >>"$ASKED"; echo "$(( 4 / RANKS )).5"')
        stand_in("bin/smpirun", SMPIRUN)
        self.asked = Path("asked").resolve()
        os.environ["ASKED"] = str(self.asked)
        for name, value in (("LOCKSTEP", program), ("SIMULATED", Path("simulation").resolve())):
            patch = mock.patch.object(programs, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        patch = mock.patch.object(command, "build")
        patch.start()
        self.addCleanup(patch.stop)
        patch = mock.patch.dict(os.environ, PATH=f"{Path('bin').resolve()}:{os.environ['PATH']}")
        patch.start()
        self.addCleanup(patch.stop)

    def test_AllRanksAreComparedWithARealOne(self):
        out = self.call(command.main, "exact", "some.toml", "--ranks", "1,12", "--set", "data.shards=16")
        self.assertRegex(out, r"\nreal          1  a{16}\nsimulated     1  a{16} +\d+\.\d\nsimulated    12  a{16} +\d+\.\d\n")
        self.assertTrue(out.endswith("all gave the same weights\n"))
        asked = self.asked.read_text()
        self.assertTrue(asked.startswith("train some.toml --set data.shards=16 --quiet"))
        self.assertIn("\n12\n", asked)  # hosts
        self.assertIn('radical="0-11"', asked)
        self.assertIn('bw="25Gbps" lat="5us"', asked)
        self.assertRegex(asked, "--set data.shards=16 --set compute.threads=1 --set run.watchdog_seconds=0")

    def test_OtherWeightsAreTold(self):
        with mock.patch.dict(os.environ, WRONG="12"):
            self.refused(1, "^12 simulated ranks gave other weights than one real rank", command.main, "exact", "some.toml",
                         "--ranks", "1,12,2")  # fmt: skip

    def test_AProgramThatFailsSaysItsOwnLine(self):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as ended:
            command.main(["exact", "bad.toml"])
        self.assertEqual((ended.exception.code, said.getvalue()), (2, "lockstep: bad.toml: is bad\n"))

    def test_StepsAreSimulatedBesideWhatIsPredicted(self):
        out = self.call(command.main, "curve", "-o", "p", "--ranks", "1,4", "--hidden", "100", "--networks", "10gbit",
                        "--update", "divided", "--measurements", "measured")  # fmt: skip
        self.assertEqual(out.splitlines()[-1].split(": ", 1)[1], "p.csv, p.svg and p.png")
        with open("p.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(row["mode"], row["overlap"], row["ranks"]) for row in rows],
                         [(mode, overlap, ranks) for mode in ("strong", "weak") for overlap in ("auto", "never")
                          for ranks in ("1", "4")])  # fmt: skip
        # 6 steps of 4.5 s on one rank, of 1.5 s on four; 0.125 + 0.125 + 0.25 + 0.5 predicted.
        self.assertEqual([rows[1][name] for name in ("step_seconds", "epoch_seconds", "efficiency", "predicted_step_seconds",
                                                     "predicted_epoch_seconds", "predicted_efficiency")],
                         ["1.5", "9", "0.75", "1", "6", "0.25"])  # fmt: skip
        asked = self.asked.read_text()
        self.assertIn("step 0.125 0.125 0.5 7:70:35:1,3:6:3:0 320,8 1048576 1 3e-11 divided 1\n", asked)
        self.assertIn("step 0.125 0.125 0.5 7:70:35:1,3:6:3:0 320,8 1048576 0 3e-11 divided 1\n", asked)
        self.assertIn("--set reduce.update=divided", asked)
        self.assertIn("--set train.batch_size=8192 --set data.shards=256", asked)
        self.assertRegex(asked, r"model.hidden=\[100\] .* --cores-per-host 1 ")
        self.assertIn('bw="9.4Gbps" lat="10us"', asked)
        self.assertEqual(asked.count("--calibration"), 2 * 5 + 4)  # five of each way of scaling, and four predictions
        self.assertIn("3072-100-10, strong", texts("p.svg"))
        self.assertTrue(is_png("p.png"))
        self.call(command.main, "curve", "-o", "p", "--ranks", "1,4", "--hidden", "100", "--networks", "10gbit",
                  "--update", "divided", "--measurements", "measured")  # fmt: skip
        self.assertEqual(self.asked.read_text().count("--calibration"), 2 * 5 + 4 + 4)  # measurements are kept

    def test_ConfigurationsAndHostsOfSeveralRanks(self):
        self.call(command.main, "curve", "-o", "p", "--ranks", "1,4", "--networks", "10gbit", "--config", "nets/some.toml", "--config",
                  "other.toml", "--strong", "2048x64", "--ranks-per-host", "2")  # fmt: skip
        asked = self.asked.read_text()
        self.assertIn("--set reduce.update=auto", asked)
        self.assertIn("predict nets/some.toml --set data.train_samples=49152", asked)
        self.assertIn("--set train.batch_size=2048 --set data.shards=64", asked)
        self.assertIn("--cores-per-host 2 ", asked)
        self.assertIn('radical="0-1" speed="1Gf" core="2"', asked)
        self.assertIn('loopback_bw="40Gbps"', asked)
        self.assertNotIn("model.hidden", asked)
        self.assertIn("7:70:35:1,3:6:3:0 320,8 1073741824 0 3e-11 divided 2\n", asked)  # one rank is on one host
        with open("p.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual({(row["layers"], row["ranks_per_host"]) for row in rows}, {("some", "2"), ("other", "2")})
        self.assertIn("some, strong", texts("p.svg"))

    def test_AnUpdateEverywhereIsAsked(self):
        self.call(command.main, "curve", "-o", "p", "--ranks", "1,4", "--hidden", "100", "--networks", "10gbit", "--update", "everywhere")
        asked = self.asked.read_text()
        self.assertIn("--set reduce.update=everywhere", asked)
        self.assertIn("step 0.125 0.125 0.5 7:70:35:1,3:6:3:0 320 1048576 1 3e-11 everywhere 1\n", asked)
        self.assertNotIn("divided", asked)

    def test_ByItselfAnUpdateIsDividedWhereEachHasTwoChunks(self):
        self.assertEqual(curve.way("auto", 64 * 8192, 64, 1), "divided")
        self.assertEqual(curve.way("auto", 64 * 8192 - 1, 64, 1), "everywhere")
        self.assertEqual(curve.way("auto", 8 * 8192, 64, 8), "divided", "one rank of each host exchanges")
        self.assertEqual(curve.way("auto", 10, 8, 8), "divided", "in memory")
        self.assertEqual(curve.way("divided", 10, 64, 1), "divided")
        self.assertEqual(curve.way("everywhere", 64 * 8192, 64, 1), "everywhere")

    def test_ADividedMessageHasAPartForEachRank(self):
        self.assertEqual(curve.messages("auto", "divided", 64, 1), [1 << 20, 1])
        self.assertEqual(curve.messages("auto", "divided", 256, 1), [4 << 20, 1])
        self.assertEqual(curve.messages("never", "divided", 64, 8), [1 << 20, 0])
        self.assertEqual(curve.messages("never", "divided", 4, 1), [1 << 20, 0], "as reduce::division_of between hosts")
        self.assertEqual(curve.messages("auto", "everywhere", 256, 1), [1 << 20, 1])
        self.assertEqual(curve.messages("auto", "everywhere", 4, 8), [1 << 18, 0], "nothing is under way on one host")

    def test_OfMeasurementsTheLeastAreTaken(self):
        found = [{"layouts": [{"threads": 1, "steps": [{"rows": 64, "forward": f, "backward": b}]}]} for f, b in ((3, 1), (2, 5))]
        self.assertEqual(curve.least(found), json.loads(
            '{"layouts": [{"threads": 1, "steps": [{"rows": 64, "forward": 2, "backward": 1}]}]}'))  # fmt: skip


class CommandLine(ToolTest):
    def test_WhatIsWrongIsOneLine(self):
        for pattern, *words in (
            ("^'' is not a subcommand, expected exact or curve", ),
            ("^no CONFIG", "exact"),
            ("^'two.toml' is one argument too many", "exact", "one.toml", "two.toml"),
            ("^--ranks is '0'", "exact", "some.toml", "--ranks", "0"),
            ("^unknown argument '--networks'", "exact", "some.toml", "--networks", "10gbit"),
            ("^--set has no value", "exact", "some.toml", "--set"),
            ("^--ranks is '1,3', expected 1, then powers of two", "curve", "--ranks", "1,3"),
            ("^--ranks is '1,8192', expected 1, then powers of two up to 4096", "curve", "--ranks", "1,8192"),
            ("^--hidden is 'ten'", "curve", "--hidden", "ten"),
            ("^--strong is '1000x10', expected BATCHxSHARDS, a batch that divides 49152", "curve", "--strong", "1000x10"),
            ("^--strong is '64x3'", "curve", "--strong", "64x3"),
            ("^--ranks-per-host is '0'", "curve", "--ranks-per-host", "0"),
            ("^--ranks-per-host is '3', expected a power of two", "curve", "--ranks-per-host", "3"),
            ("^--update is 'half', expected auto, divided or everywhere", "curve", "--update", "half"),
            ("^--networks has '1'", "curve", "--networks", "1,x"),
            ("^--networks has '0:5'", "curve", "--networks", "0:5"),
        ):  # fmt: skip
            with self.subTest(words):
                self.refused(2, pattern, command.main, *words)

    def test_AMachineWithoutSimGridIsToldWhatInstallsIt(self):
        Path("few").mkdir()
        with mock.patch.dict(os.environ, PATH=str(Path("few").resolve())):
            self.refused(2, "^SimGrid is not installed; launch/install-deps --simulation installs it$", command.main, "exact", "c.toml")
