"""launch/scaling --only-report: the statistics of made-up runs are those computed by hand, and differing weights are told."""

import contextlib
import io
import re
from pathlib import Path

from support import ToolTest, is_png, texts, write

from lockstep_launch.pictures import scaling
from lockstep_launch.scaling import report, study
from lockstep_launch.scaling.statistics import is_weak, results_of
from lockstep_launch.scaling.table import Run, columns_of, read_predictions, read_runs

HASH = "00000000000000aa"


class ScalingReport(ToolTest):
    def study(self, folder, *points):
        """runs.csv of points (ranks, threads, oversubscribed, batch, hash, seconds of each repeat)."""
        rows = [",".join(columns_of(Run))]
        for ranks, threads, crowded, batch, weights, *times in points:
            for repeat, s in enumerate(times, start=1):
                rows.append(f"{ranks},{threads},1,{repeat},{crowded},{batch},1200,{s},{1200 / s},{0.7 * s},{0.1 * s},{0.15 * s},"
                            f"{weights},n: 0-1")  # fmt: skip
        write(f"{folder}/runs.csv", *rows)

    def report(self, folder):
        """report.md; self.code is the exit code and self.said what was said."""
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            self.call(study.main, "--only-report", folder)
        self.said = said.getvalue()
        return Path(folder, "report.md").read_text()

    def row(self, text, point, pattern):
        """That line of the table."""
        self.assertRegex(text, re.compile(rf"^\| {point} \| .*{pattern}", re.MULTILINE))

    def strong(self):
        # Speed-up 10 / 6, between 8 / 7 and 12 / 5; (1 / 1.667 - 1 / 2) / (1 - 1 / 2) = 0.2. Then 10 / 3.125 = 3.2, between
        # 8 / 3.5 and 12 / 3; (1 / 3.2 - 1 / 4) / (1 - 1 / 4) = 0.083.
        self.study("strong", (1, 1, 0, 64, HASH, 8, 12, 10, 9, 11), (2, 1, 0, 64, HASH, 5, 7, 6.5, 6, 5.5),
                   (2, 2, 0, 64, HASH, 3.5, 3, 3.25, 3.125, 3), (8, 1, 1, 64, HASH, 4, 5, 6, 4.5, 5.5))  # fmt: skip

    def figure(self, folder):
        runs = read_runs(Path(folder, "runs.csv"))
        results, base = results_of(runs, read_predictions(Path(folder)))
        return scaling.draw(results, base, is_weak(runs), report.statement(runs, {}), False)

    def test_SpeedUpEfficiencyAndSerialFractionAreThoseByHand(self):
        self.strong()
        text = self.report("strong")
        self.assertEqual(self.code, 0)
        self.row(text, "1 rank x 1 thread", r"10\.000 \(8\.000-12\.000\) \| 120 \(100-150\) \| 1\.00 \| 100 % \| – \| "
                                            r"7\.000 / 1\.000 / 1\.500 / 0\.500 \|$")  # fmt: skip
        self.row(text, "2 ranks x 1 thread", r"6\.000 \(5\.000-7\.000\) \| 200 \(171-240\) \| 1\.67 \(1\.14-2\.40\) \| "
                                             r"83 \(57-120\) % \| 0\.200 \|")  # fmt: skip
        self.row(text, "2 ranks x 2 threads", r"3\.125 \(3\.000-3\.500\) \| .* \| 3\.20 \(2\.29-4\.00\) \| 80 \(57-100\) % \| 0\.083 \|")
        self.row(text, "8 ranks x 1 thread", r"5\.000 .* \| 2\.00 \(1\.33-3\.00\) \| oversubscribed \| – \|")
        self.assertIn("of 5 repeats from the least to the largest, which covers the median with 93.75 %", text)
        self.assertIn(f"All 20 runs ended with the same weights, {HASH}", text)
        self.assertIn("| 2 ranks x 1 thread | not bound to cores of their own | n: 0-1 |", text)
        self.assertNotIn("## Predicted", text)
        self.assertTrue(is_png("strong/scaling.png"))
        self.assertIn(f"All 20 runs ended with the same weights, {HASH}.", texts("strong/scaling.svg"))

    def test_OversubscribedPointsAreHollow(self):
        self.strong()
        speed = self.figure("strong").axes[0]
        hollow = [list(line.get_ydata()) for line in speed.lines if line.get_markerfacecolor() == "white" and len(line.get_xdata())]
        self.assertEqual(hollow, [[2.0]])
        drawn = [list(container.lines[0].get_ydata()) for container in speed.containers]
        self.assertEqual([[round(y, 3) for y in ys] for ys in drawn], [[1.0, 1.667], [3.2]])
        self.assertIn("more threads than cores", [text.get_text() for text in self.figure("strong").legends[0].texts])
        bars = self.figure("strong").axes[2].texts
        self.assertEqual([bar.get_text() for bar in bars], ["10 s", "6 s", "3.12 s", "5 s"])

    def test_PredictionsAreMediansBesideWhatWasMeasured(self):
        self.strong()
        # The medians of 9, 10, 14 and 7.5 against 10 and 6.
        write("strong/predicted.csv", "ranks,threads,repeat,seconds", "1,1,1,14", "1,1,2,9", "1,1,3,10", "2,1,1,7.5")
        text = self.report("strong")
        self.assertIn("| 1 rank x 1 thread | 10.000 (8.000-12.000) | 10.000 | +0 % |\n", text)
        self.assertIn("| 2 ranks x 1 thread | 6.000 (5.000-7.000) | 7.500 | +25 % |\n", text)
        self.assertIn("\nAt most 25 % off", text)
        crosses = [y for line in self.figure("strong").axes[0].lines if line.get_marker() == "x" for y in line.get_ydata()]
        self.assertEqual([round(y, 6) for y in crosses], [1.0, round(10 / 7.5, 6)])
        write("strong/predicted.csv", "ranks,threads,repeat,seconds", "1,1,1,soon")
        self.refused(3, "predicted.csv: line 2: seconds is 'soon', expected a number", study.main, "--only-report", "strong")

    def test_IntervalsAreOrderStatistics(self):
        # Of 9 the second and the last but one, 1 - 2 (1 + 9) / 512; of 4 all, 1 - 2 / 16; the median of these is a mean.
        self.study("few", (1, 1, 0, 64, HASH, 9, 1, 8, 2, 7, 3, 6, 4, 5), (1, 2, 0, 64, HASH, 4, 1, 3, 2))
        text = self.report("few")
        self.row(text, "1 rank x 1 thread", r"5\.000 \(2\.000-8\.000\)")
        self.row(text, "1 rank x 2 threads", r"2\.500 \(1\.000-4\.000\) \| 480 .* 1\.750 / 0\.250 / 0\.375 / 0\.125 \|$")
        self.assertRegex(text, "of 9 repeats from the 2nd least to the 2nd largest, .* 96.09 %")
        self.assertRegex(text, "of 4 repeats from the least to the largest, .* 87.5 %")

    def test_WhereAllAreOversubscribedNothingScales(self):
        self.study("crowded", (4, 1, 1, 64, HASH, 4, 5, 6))
        text = self.report("crowded")
        self.assertEqual(self.code, 0)
        self.assertIn("Every point is oversubscribed: there is no scaling", text)
        self.row(text, "4 ranks x 1 thread", r"5\.000 .* \| – \| oversubscribed \| – \|")

    def test_WeakScalingHasAHashPerBatch(self):
        points = [(1, 1, 0, 64, HASH, 10), (2, 1, 0, 128, "00000000000000bb", 8)]
        self.study("weak", *points)
        text = self.report("weak")
        self.row(text, "2 ranks x 1 thread", r"8\.000 \| 150 \| 1\.25 \| 62 % \| – \|")
        self.assertTrue(text.startswith("# Scaling of weak, weak\n"))
        self.assertIn("Scaled speed-up", texts("weak/scaling.svg"))
        self.study("weak", *points, (2, 2, 0, 128, "00000000000000cc", 8))
        self.report("weak")
        self.assertEqual(self.code, 1)  # threads must not change weights
        self.assertRegex(self.said, "the weights differ: 2 ranks x 1 thread has 00000000000000bb .*, "
                                    "2 ranks x 2 threads has 00000000000000cc")  # fmt: skip

    def test_DifferingWeightsAreToldInAllThree(self):
        self.study("differing", (1, 1, 0, 64, HASH, 10, 10), (2, 1, 0, 64, HASH, 5), (2, 1, 0, 64, "00000000000000ab", 5))
        text = self.report("differing")
        self.assertEqual(self.code, 1)
        self.assertEqual(self.said.count("the weights differ: 1 rank x 1 thread has 00000000000000aa (repeat 1), 2 ranks x 1 thread "
                                         "has 00000000000000ab (repeat 1), expected equal ones"), 1)  # fmt: skip
        self.assertIn("THE WEIGHTS DIFFER", text)
        self.assertTrue(any("THE WEIGHTS DIFFER" in words for words in texts("differing/scaling.svg")))
        self.assertIn("#c8102e", Path("differing/scaling.svg").read_text())
        write("differing/study.json", '{"facts": {"reduction": "float"}}')
        text = self.report("differing")
        self.assertEqual(self.code, 0)
        self.assertIn("reduce.mode is float: weights are equal to rounding only, and were not compared", text)

    def test_WrongTablesAreNamed(self):
        self.strong()
        lines = Path("strong/runs.csv").read_text().splitlines()
        for pattern, change in (
            ("no column wait_seconds, found 'ranks,threads,", lambda i, line: line.replace("wait_seconds", "other")),
            ("line 3: seconds is 'soon', expected a number", lambda i, line: line.replace(",12,", ",soon,", 1) if i == 3 else line),
            ("line 4: ranks is '1.5', expected a whole number", lambda i, line: "1.5" + line[1:] if i == 4 else line),
            ("line 4: ranks, threads or a time is 0", lambda i, line: "0" + line[1:] if i == 4 else line),
            ("no run yet", lambda i, line: line if i == 1 else ""),
        ):
            write("wrong/runs.csv", *(change(i, line) for i, line in enumerate(lines, start=1)))
            self.refused(3, f"^wrong/runs.csv: {pattern}", study.main, "--only-report", "wrong")
        self.refused(3, "^nowhere/runs.csv: no such file", study.main, "--only-report", "nowhere")
