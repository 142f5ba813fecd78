"""launch/plot: the pictures of runs say what their tables say, lie where they belong, and are alike whenever they are drawn; what is
wrong is one line. plot_tables_test.py has what is wrong with tables."""

import shutil
import subprocess
import unittest
from pathlib import Path
from unittest import mock

from support import REPOSITORY, ToolTest, is_png, texts, write, write_metrics

from lockstep_launch import packages, plot
from lockstep_launch.eval_tables import Tiles, read_grid
from lockstep_launch.pictures import boundary, curves, fit, gradients, style, trials, weights
from lockstep_launch.run_tables import Gradients, Metrics, Trials

TRIALS = "trial,status,score,score_std,runs"


def metrics(run):
    return run, Metrics.read(Path(run) / "metrics.csv")


class Pictures(ToolTest):
    def drawn(self, out, *places):
        """Each is a whole SVG with a PNG beside it; stdout names them."""
        for place in places:
            self.assertIn(f": {place}.svg and {place}.png\n", out)
            self.assertTrue(texts(f"{place}.svg"))
            self.assertTrue(is_png(f"{place}.png"))
        self.assertEqual(out.count("\n"), len(places))

    def says(self, svg, *words):
        found = texts(svg)
        for word in words:
            self.assertIn(word, found)


class Curves(Pictures):
    def test_ASingleRunHasItsPictureInItsFolder(self):
        write_metrics("one_epoch", 1)
        self.drawn(self.call(plot.main, "one_epoch/"), "one_epoch/curves")
        self.says("one_epoch/curves.svg", "Loss", "Accuracy (%)", "epoch", "1", "one_epoch")

    def test_SeveralRunsAreNamedInOnePicture(self):
        for run in ("it's a run", "b/same_name", "c/same_name"):
            write_metrics(run, 5)
        self.drawn(self.call(plot.main, "it's a run", "b/same_name", "c/same_name", "-o", "all"), "all")
        self.says("all.svg", "it's a run", "b/same_name", "c/same_name", "train", "test")

    def test_TrainingIsDashedWhereThereIsATestSet(self):
        write_metrics("a", 8)
        write_metrics("b", 8, tested=False)
        figure = curves.draw([metrics("a"), metrics("b")])
        for axes in figure.axes:
            self.assertEqual([line.is_dashed() for line in axes.lines], [True, False, False])
        self.assertEqual(len(curves.draw([metrics("b")]).legends[0].texts), 1)

    def test_EpochsWithoutATestAreLeftOutOfItsCurve(self):
        write_metrics("a", 7)
        named = metrics("a")
        for column in ("test_loss", "test_accuracy"):
            named[1][column][::2] = [float("nan")] * 4
        for axes in curves.draw([named]).figure.axes:
            self.assertEqual([list(line.get_xdata()) for line in axes.lines], [[1, 2, 3, 4, 5, 6, 7], [2, 4, 6]])

    def test_ColumnsAreFoundByTheirNames(self):
        write_metrics("still", 8)
        lines = Path("still/metrics.csv").read_text().splitlines()
        moved = [",".join([cells[4], "more", *cells[2:4], *cells[:2]]) for cells in (line.split(",") for line in lines)]
        write("moved/still/metrics.csv", *moved)
        self.call(plot.main, "still")
        self.call(plot.main, "moved/still")
        self.assertEqual(Path("still/curves.svg").read_bytes(), Path("moved/still/curves.svg").read_bytes())

    def test_PicturesAreReproducible(self):
        write_metrics("a", 8)
        self.call(plot.main, "a", "-o", "first")
        self.call(plot.main, "a", "-o", "second")
        for form in ("svg", "png"):
            self.assertEqual(Path(f"first.{form}").read_bytes(), Path(f"second.{form}").read_bytes())
        self.assertNotIn("<dc:date>", Path("first.svg").read_text())

    def test_ARegressionHasItsLossAlone(self):
        write_metrics("sine", 20000, accuracy=False)
        self.drawn(self.call(plot.main, "sine"), "sine/curves")
        self.assertFalse(any("Accuracy" in text for text in texts("sine/curves.svg")))
        self.says("sine/curves.svg", "10⁻⁴", "20000")
        self.assertLess(Path("sine/curves.svg").stat().st_size, 100000)

    def test_AnAxisThatSpansAFactor8IsLinear(self):
        write_metrics("few", 8, accuracy=False)
        self.assertEqual(curves.draw([metrics("few")]).axes[0].get_yscale(), "linear")
        write_metrics("many", 80, accuracy=False)
        self.assertEqual(curves.draw([metrics("many")]).axes[0].get_yscale(), "log")
        write_metrics("classified", 80)
        mixed = curves.draw([metrics("many"), metrics("classified")])
        self.assertEqual((len(mixed.axes), mixed.axes[0].get_yscale()), (2, "linear"))

    def test_ThinnedCurvesKeepTheirEnds(self):
        values = [0.5] * 20000
        values[7777], values[-1] = 9.0, 0.25
        kept = list(style.kept(values))
        self.assertLess(len(kept), 1100)
        self.assertIn(7777, kept)
        self.assertEqual((kept[0], kept[-1]), (0, 19999))


class OtherPictures(Pictures):
    def test_GradientsHaveALinePerLayerOnOneRange(self):
        write_metrics("deep", 2)
        columns = [f"layers.{i}.{kind}" for i in range(6) for kind in ("weight", "bias")]
        rows = [",".join([str(e)] + [f"{10 ** (i // 2 - 5) * (1 + 1 / e)}" for i in range(12)]) for e in range(1, 3001)]
        write("deep/gradients.csv", ",".join(["epoch", *columns]), *rows)
        write_metrics("shallow", 2)
        write("shallow/gradients.csv", "epoch,layers.0.weight,layers.0.bias", "1,0.5,0.1")
        self.drawn(self.call(plot.main, "deep"), "deep/curves", "deep/gradients")
        self.says("deep/gradients.svg", "layers.0", "layers.5", "Gradient norm per layer: deep")
        self.assertLess(Path("deep/gradients.svg").stat().st_size, 150000)
        figure = gradients.draw([(run, Gradients.read(Path(run) / "gradients.csv")) for run in ("deep", "shallow")])
        self.assertEqual([len(axes.lines) for axes in figure.axes], [6, 1])
        self.assertEqual(figure.axes[0].get_ylim(), figure.axes[1].get_ylim())

    def write_grid(self, run, classes, points=True, names="0123456789"):
        """20 x 10 points, the classes from left to right; three samples."""
        names = names[:classes]
        write_metrics(run, 2)
        rows = []
        for y in range(10):
            for x in range(20):
                p = [1.5 - x / 10, x / 10 - 0.5] if classes == 2 else [int(x * classes // 20 == c) for c in range(classes)]
                rows.append(",".join(map(str, [x / 10, y / 10, x * classes // 20, *p])))
        write(f"{run}/grid.csv", "x0,x1,predicted," + ",".join(f"p_{name}" for name in names), *rows)
        if points:
            write(f"{run}/points.csv", "x0,x1,class,split", f"0.2,0.5,{names[0]},train", f"1.4,0.5,{names[1]},train",
                  f"0.4,0.5,{names[0]},test")  # fmt: skip

    def test_BoundariesHaveTheColoursOfTheClasses(self):
        self.write_grid("two", 2)
        self.write_grid("it's three", 3, points=False)
        self.drawn(self.call(plot.main, "two"), "two/curves", "two/boundary")
        self.says("two/boundary.svg", "two", "class 0", "class 1", "p = 0.5", "train", "test")
        self.drawn(self.call(plot.main, "two", "it's three", "-o", "2 & 3"), "2 & 3", "2 & 3_boundary")
        self.says("2 & 3_boundary.svg", "it's three", "class 2")
        self.assertEqual(Path("2 & 3_boundary.svg").read_text().count("<image "), 2)
        self.call(plot.main, "it's three", "-o", "three")
        for word in ("p = 0.5", "train", "test"):
            self.assertNotIn(word, texts("three_boundary.svg"))
        self.write_grid("named", 2, names=["cat", "a dog"])
        self.call(plot.main, "named", "two", "-o", "names")
        self.says("names_boundary.svg", "cat / class 0", "a dog / class 1")
        plane = read_grid(Path("named/grid.csv"), Path("named/points.csv"))
        points = [[path.get_facecolor()[0][:3].tolist(), path.get_offsets().tolist()]
                  for path in boundary.draw([("named", plane)]).axes[0].collections if len(path.get_facecolor())]  # fmt: skip
        self.assertEqual([place for _, place in points], [[[0.2, 0.5]], [[1.4, 0.5]], [[0.4, 0.5]]])
        self.assertEqual(points[2][0], [1, 1, 1])  # of test
        plane = read_grid(Path("two/grid.csv"), Path("two/points.csv"))
        left, right = boundary.background(plane)[0][0], boundary.background(plane)[0][-1]
        self.assertGreater(left[2], left[0])  # blue, then orange
        self.assertGreater(right[0], right[2])

    def write_fit(self, run, offset, target=True):
        """The square of x, which the model misses by that offset."""
        write_metrics(run, 2, accuracy=False)
        rows = [(x / 20 - 2, (x / 20 - 2) ** 2) for x in range(81)]
        write(f"{run}/grid.csv", "x0,output" + ",target" * target, *(f"{x},{y + offset}" + f",{y}" * target for x, y in rows))
        write(f"{run}/points.csv", "x0,target,split", "0,0.1,train", "1,1,train", "1.5,2,test")

    def test_AFitLiesOverItsTarget(self):
        self.write_fit("near", 0.01)
        self.write_fit("far", 0.5, target=False)
        self.drawn(self.call(plot.main, "near"), "near/curves", "near/fit")
        self.says("near/fit.svg", "Output and target: near", "target", "training samples", "near", "Error |output − target|")
        self.drawn(self.call(plot.main, "near", "far", "-o", "fits"), "fits", "fits_fit")
        self.says("fits_fit.svg", "near", "far")
        self.call(plot.main, "far")
        self.assertFalse({"target", "Error |output − target|"} & set(texts("far/fit.svg")))

    def test_AnExactFitHasNoError(self):
        self.write_fit("exact", 0)
        self.assertEqual(len(fit.draw([("exact", read_grid(Path("exact/grid.csv"), Path("none")))]).axes), 1)

    def test_ConfusionsAreCountedByClass(self):
        write_metrics("classes", 2)
        write("classes/confusion.csv", 'actual,cat,"dog, small",100%', "cat,6,2,2", '"dog, small",0,10,0', "100%,0,0,0")
        self.drawn(self.call(plot.main, "classes"), "classes/curves", "classes/confusion")
        self.says("classes/confusion.svg", "cat", "dog, small", "100%", "60.0 %", "100.0 %", "–", "6", "10",
                  "classes: 80.00 % of 20 are right")  # fmt: skip
        write_metrics("digits", 2)
        write("digits/confusion.csv", ",".join(["actual", *map(str, range(20))]),
              *(",".join([str(r), *("900" if r == c else "5" for c in range(20))]) for r in range(20)))  # fmt: skip
        self.drawn(self.call(plot.main, "digits", "classes", "-o", "several"), "several", "several_confusion")
        self.says("several_confusion.svg", "digits: 90.45 % of 19900 are right", "classes: 80.00 % of 20 are right")
        self.assertEqual(texts("several_confusion.svg").count("5"), 382)  # that is also a class, on two axes

    def test_WeightsAreSquares(self):
        write_metrics("images", 2)
        Path("images/weights.ppm").write_bytes(b"P6\n6 4\n255\n" + bytes(range(72)))
        self.drawn(self.call(plot.main, "images"), "images/curves", "images/weights")
        self.says("images/weights.svg", "First-layer weights: images")
        self.assertIn("image-rendering:pixelated", Path("images/weights.svg").read_text())
        self.assertEqual(weights.pixels(Tiles.read(Path("images/weights.ppm")))[1][2].tolist(), [24, 25, 26])
        shutil.copytree("images", "b/images")
        self.drawn(self.call(plot.main, "images/", "b/images", "-o", "tiles"), "tiles", "tiles_weights")
        self.assertEqual(Path("tiles_weights.svg").read_text().count("<image "), 2)

    def test_MistakesAreASheet(self):
        write_metrics("images", 2)
        write("images/mistakes.csv", "row,actual,predicted,probability", *(f"{row},cat,dog,0.9{row}" for row in range(7)))
        Path("images/mistakes.ppm").write_bytes(b"P6\n8 8\n255\n" + bytes(range(192)))  # 3 x 3 tiles of 2 x 2
        self.drawn(self.call(plot.main, "images"), "images/curves", "images/mistakes")
        self.says("images/mistakes.svg", "Wrong and sure of it: images", "dog 96\N{NO-BREAK SPACE}%", "is cat")
        self.assertEqual(Path("images/mistakes.svg").read_text().count("<image "), 7)
        shutil.copytree("images", "b/images")
        write("b/images/mistakes.csv", "row,actual,predicted,probability")
        self.drawn(self.call(plot.main, "images", "b/images", "-o", "sheets"), "sheets", "sheets_mistakes")
        self.says("sheets_mistakes.svg", "No mistakes: b/images")

    def test_ASweepOfOneNumberIsACurve(self):
        write("rates/trials.csv", f"{TRIALS},train.learning_rate,model.loss,seconds,error", "1,ok,0.9,0.01,3,0.01,mse,5,",
              "2,ok,0.8,0,3,0.1,mse,5,", "3,ok,0.7,nan,1,1,mse,5,", '4,failed,nan,nan,0,10,mse,0,"it diverged: ""nan"", at once"')  # fmt: skip
        self.drawn(self.call(plot.main, "rates"), "rates/trials")
        self.says("rates/trials.svg", "rates: 4 trials, 1 failed", "train.learning_rate", "score", "0.01", "0.1")

    def test_OtherSweepsAreATableOfTheBest(self):
        rows = [f'{t},ok,{1 - t / 1000},0.01,3,"[{t}, 9]",relu_{t % 2},5,1,' for t in range(1, 41)]
        write("models/trials.csv", f"{TRIALS},model.hidden,model.activation,train.epochs,seconds,error", *rows)
        self.drawn(self.call(plot.main, "models"), "models/trials")
        self.says("models/trials.svg", "models: best 30 of 40 trials", "hidden", "activation", "relu_0", "[1, 9]", "[30, 9]",
                  "0.999 ± 0.01")  # fmt: skip
        self.assertFalse({"[31, 9]", "epochs"} & set(texts("models/trials.svg")))
        sweep = Trials.read(Path("models/trials.csv"))
        self.assertEqual(sum(len(axes.containers) for axes in trials.draw([("models", sweep)]).axes), 30)

    def test_ActivationsHaveAPanelEach(self):
        rows = [f"{x / 10},{max(x, 0) / 10},{int(x > 0)},{max(x, x / 10) / 10},{1 if x > 0 else 0.1}" for x in range(-30, 31)]
        write("functions.csv", "x,relu,relu_slope,leaky_relu,leaky_relu_slope", *rows)
        self.drawn(self.call(plot.main, "--activations", "functions.csv", "-o", "functions"), "functions")
        self.says("functions.svg", "relu", "leaky relu", "f(x)", "slope")


class CommandLine(ToolTest):
    def test_WhatIsWrongIsOneLine(self):
        write_metrics("one", 1)
        write_metrics("other", 1)
        Path("empty").mkdir()
        Path("taken.svg").mkdir()
        for code, pattern, *words in (
            (2, "^no RUN", ),
            (2, "^2 runs and no -o PREFIX", "one", "other"),
            (2, "^-o nowhere/p: no folder nowhere", "one", "-o", "nowhere/p"),
            (2, "^unknown option '--what'", "one", "--what"),
            (2, "^-o has no value", "one", "-o"),
            (2, "^--activations has no value", "--activations"),
            (2, "^--activations and no -o PREFIX", "--activations", "some.csv"),
            (2, "^--activations and a RUN, 'one'", "--activations", "some.csv", "one", "-o", "p"),
            (2, "^taken.svg: cannot be written", "one", "-o", "taken"),
            (3, "^nowhere: no such folder", "nowhere"),
            (3, "^empty/metrics.csv: no such file", "one", "empty", "-o", "both"),
        ):  # fmt: skip
            with self.subTest(words):
                self.refused(code, pattern, plot.main, *words)
        self.assertFalse(Path("both.svg").exists())
        self.assertEqual([path.name for path in Path().glob(".*")], [])

    def test_AMachineWithoutMatplotlibIsToldWhatInstallsIt(self):
        write_metrics("one", 1)
        with mock.patch.object(packages.importlib.util, "find_spec", return_value=None), \
                mock.patch.object(packages, "SYSTEM_PYTHON", "/nowhere"):  # fmt: skip
            self.refused(2, "^matplotlib is not installed; launch/install-deps --pictures installs it$", plot.main, "one")

    def test_TheScriptNamesItself(self):
        ended = subprocess.run([REPOSITORY / "launch/plot", "nowhere"], capture_output=True, text=True)
        self.assertEqual((ended.returncode, ended.stdout), (3, ""))
        self.assertEqual(ended.stderr, "launch/plot: nowhere: no such folder, expected that of a run\n")
        Path("lockstep-plot").symlink_to(REPOSITORY / "launch/plot")
        shown = subprocess.run(["./lockstep-plot", "one", "--help"], capture_output=True, text=True)
        self.assertIn("Usage: lockstep-plot RUN... [-o PREFIX]", shown.stdout)
        self.assertFalse((REPOSITORY / "launch/lockstep_launch/__pycache__").exists())
