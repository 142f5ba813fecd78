"""launch/scaling --only-report of made-up batch sizes: what is said is what follows by hand."""

import contextlib
import io
import json
from pathlib import Path

from support import ToolTest, is_png, texts, write

from lockstep_launch.pictures import time_to_accuracy
from lockstep_launch.scaling import accuracy, study
from lockstep_launch.scaling.accuracy_table import EpochTime, Trained
from lockstep_launch.scaling.table import columns_of, read_rows

EXPERIMENT = {"kind": accuracy.KIND, "--accuracy": 0.5, "--base-batch": 128, "--network": "25gbit", "--cores-per-host": 1}


class AccuracyReport(ToolTest):
    def setUp(self):
        super().setUp()
        rows = [
            "none,128,1,8,20,0.60,0.61,4,aa", "none,128,2,8,20,0.62,0.62,6,ab",  # 5 epochs
            "none,512,1,8,20,0.40,0.45,0,ac", "none,512,2,8,20,0.50,0.50,20,ad",  # not reached by all
            "linear,512,1,8,20,0.58,0.58,6,ae", "linear,512,2,8,20,0.58,0.60,8,af",  # 7
            "sqrt,512,1,8,20,0.55,0.55,8,ag", "sqrt,512,2,8,20,0.55,0.55,10,ah",  # 9
            "linear,2048,1,8,20,0,0,0,diverged", "linear,2048,2,8,20,0,0,0,diverged",
        ]  # fmt: skip
        write("out/runs.csv", ",".join(columns_of(Trained)), *rows)
        times = ["128,1,8,10", "128,2,8,6", "512,1,8,9", "512,2,8,4", "512,256,256,0.1", "2048,1,8,8"]
        write("out/epochs.csv", ",".join(columns_of(EpochTime)), *times)
        write("out/study.json", json.dumps({"experiment": EXPERIMENT, "facts": {"name": "made-up"}}))

    def report(self):
        with contextlib.redirect_stderr(io.StringIO()):
            self.call(study.main, "--only-report", "out")
        self.assertEqual(self.code, 0)
        return Path("out/report.md").read_text()

    def test_EpochsAndAccuraciesAreMeansOfTheSeeds(self):
        text = self.report()
        for line in ("| 128 | 8 | as it is | 61.00 % (± 1.00) | 62.00 % | 5 |",
                     "| 512 | 8 | as it is | 45.00 % (± 5.00) | 50.00 % | reached in 1 of 2 |",
                     "| 512 | 8 | x k | 58.00 % (± 0.00) | 60.00 % | 7 |", "| 512 | 8 | x √k | 55.00 % (± 0.00) | 55.00 % | 9 |",
                     "| 2048 | 8 | x k | diverged | 0.00 % | reached in 0 of 2 |"):  # fmt: skip
            self.assertIn(line + "\n", text)

    def test_TimeIsEpochsByTheFastestRuleTimesTheEpoch(self):
        text = self.report()
        self.assertIn("| batch | learning rate | 1 rank | 2 ranks | 256 ranks |\n", text)
        self.assertIn("| 128 | as it is | **50 s** | 30 s | – |\n", text)
        self.assertIn("| 512 | x k | 63 s | **28 s** | **0.7 s*** |\n", text)
        self.assertNotIn("\n| 2048 | x k | 8", text)
        self.assertIn("\\* needs data.shards to be as many as the ranks", text)

    def test_ThePictureHasACurveForEachRuleAndBatch(self):
        self.report()
        self.assertTrue(is_png("out/time_to_accuracy.png"))
        shown = texts("out/time_to_accuracy.svg")
        for words in ("Epochs to 50 %", "learning rate as it is", "× k", "batch 512"):
            self.assertIn(words, shown)
        runs, times = read_rows(Path("out/runs.csv"), Trained), read_rows(Path("out/epochs.csv"), EpochTime)
        left, middle, right = time_to_accuracy.draw(runs, times, 0.5).axes
        self.assertEqual([list(line.get_ydata()) for line in middle.lines], [[5], [7], [9]])
        self.assertEqual([list(line.get_xdata()) for line in left.lines], [[128, 512], [512, 2048], [512]])
        self.assertEqual([[round(y, 6) for y in line.get_ydata()] for line in right.lines], [[50, 30], [63, 28, 0.7]])

    def test_WrongTablesAreNamed(self):
        write("out/epochs.csv", ",".join(columns_of(EpochTime)), "128,0,8,10")
        self.refused(3, "out/epochs.csv: line 2: batch_size, ranks or a time is 0", study.main, "--only-report", "out")
        write("out/runs.csv", ",".join(columns_of(Trained)))
        self.refused(3, "out/runs.csv: no run yet", study.main, "--only-report", "out")
