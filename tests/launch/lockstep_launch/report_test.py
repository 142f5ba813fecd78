"""launch/report: a whole page of any runs, and one line where one cannot be read. What lockstep makes for it is a stand-in here;
report_of_a_run_test.py has a real one."""

import base64
import io
import json
import os
import re
import shutil
import struct
import time
import unittest
from pathlib import Path
from unittest import mock

import read_page
from support import ToolTest, stand_in, write

from lockstep_launch import packages
from lockstep_launch.report import command, missing_tables
from matplotlib.image import imread

HEADER = ("epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,samples_per_second,rescaled_steps,"
          "compute_seconds,wait_seconds,transfer_seconds")  # fmt: skip


def finished(folder, epochs, weights_hash, activation="relu", rate=0.1):
    """A finished run."""
    rows = [f"{e},{2 / e},{1 - 1 / e},{2.5 / e},{0.9 - 0.9 / e},{rate},2,1000,0,1.5,0.25,0.25" for e in range(1, epochs + 1)]
    write(f"{folder}/metrics.csv", HEADER, *rows)
    layers = [{"type": "dense", "units": 7, "bias": True, "init": ""}, {"type": "tanh"}]
    config = {"seed": 1, "data": {"dataset": "cifar10"}, "model": {"activation": activation, "layers": layers}}
    write(f"{folder}/summary.json", json.dumps({"weights_hash": weights_hash, "parameters": 1234567, "ranks": 2, "threads": 1,
                                                "config": config, "provenance": {"version": "9.8.7"}}))  # fmt: skip


def weights(folder, units=3):
    """As a model.safetensors of units on 3072 pixels begins."""
    header = json.dumps({"layers.0.weight": {"dtype": "F32", "shape": [units, 3072], "data_offsets": [0, 36864]}}).encode()
    Path(folder, "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)


class Report(ToolTest):
    def setUp(self):
        super().setUp()
        asked = Path("asked").resolve()
        os.environ["LOCKSTEP"] = str(stand_in("lockstep", f'echo "$*" >>{asked}\necho "lockstep: no data today" >&2\nexit 3'))
        finished("one", 4, "0123456789abcdef")

    def page(self, *words):
        """The page's words, each piece a line."""
        self.said = self.call(command.main, *words)
        path = self.said.splitlines()[-1].split(": ", 1)[1]
        self.html = Path(path).read_text(encoding="utf-8")
        self.text = "\n".join(read_page.read(path))

    def says(self, *words):
        for word in words:
            self.assertIn(word, self.text)

    def is_silent(self, *words):
        for word in words:
            self.assertIsNone(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", self.text), word)


class Pages(Report):
    def test_ARunIsTold(self):
        self.page("one/")
        self.assertFalse(Path("asked").exists(), "without weights lockstep has nothing to do")
        self.says("Loss over the epochs of one", "Accuracy over the epochs of one", "0123456789abcdef", "1,234,567", "67.50", "epoch 3",
                  "test: 0.83333", "train: 66.667 %", "2 ranks × 1 thread", "75.0", "8 s", "model.activation", "dense(units=7), tanh",
                  "9.8.7")  # fmt: skip
        self.is_silent("same weights", "Learning rate")

    def test_ThePageIsReproducible(self):
        self.page("one")
        first = self.html
        self.page("one")
        self.assertEqual(self.html, first)

    def test_RunsWithTheSameWeightsAreTold(self):
        finished("two", 4, "0123456789abcdef")
        finished("three", 6, "fedcba9876543210", "sigmoid")
        self.page("one", "two", "-o", "pair.html")
        self.says("Both runs ended with the same weights, bit for bit.", "The runs have the same configuration.")
        self.page("one", "two", "three", "-o", "all.html")
        self.says("one and two ended with the same weights, bit for bit. three did not.", "fedcba9876543210",
                  "What is configured differently")  # fmt: skip
        self.assertEqual(self.html.count('class="different"><th scope="row">model.activation'), 2)  # here and in the whole
        self.assertEqual(len(re.findall(r'class="different"><th scope="row">(?!model|ranks|weights)', self.html)), 0)
        self.page("two", "three", "-o", "other.html")
        self.says("No two of these runs ended with the same weights.")

    def test_ARunUnderWayIsTold(self):
        finished("begun", 4, "x")
        Path("begun/summary.json").unlink()
        table = Path("begun/metrics.csv").read_text()
        Path("begun/metrics.csv").write_text(table.replace(",0.1,2,", ",0.05,2,", 1))
        write("begun/config.toml", "seed = 5", "[data]", 'dataset = "spiral"')
        write("begun/gradients.csv", "epoch,layers.0.weight,layers.0.bias", "1,0.5,0.1", "2,0.25,0.1")
        self.page("begun")
        self.says("not finished: ", "Learning rate over", "Gradient norms over", "layers.0: 0.25", "data.dataset", "spiral")

    def test_NamesAreTextWhateverTheyLookLike(self):
        hostile = "<script>alert(\"1\")<|script>&amp;<img src=x onerror=y>'{{ 7 * 7 }}"
        finished(hostile, 4, '"><b>', "</td><script>")
        self.page(hostile, "one", "-o", "hostile.html")
        self.says(hostile, '"><b>', "</td><script>")

    def test_ARegressionOfManyEpochsIsASmallPage(self):
        finished("long", 20000, "0")
        rows = Path("long/metrics.csv").read_text().splitlines()
        changed = []
        for cells in (row.split(",") for row in rows[1:]):
            changed.append(",".join([cells[0], str(1 / int(cells[0]) ** 2), "nan", "nan", "nan", *cells[5:]]))
        write("long/metrics.csv", rows[0], *changed)
        self.page("long")
        self.is_silent("Accuracy", "accuracy", "nan")
        self.says("10⁻⁸", "mean of epochs 19501 to 20000")
        self.assertLess(len(self.html), 100000)
        self.page("long", "one", "-o", "mixed.html")
        self.says("Accuracy")
        self.is_silent("nan")

    def test_TwoOfOneNameSayWhereTheyAre(self):
        finished("b/one", 4, "1")
        self.page("one", "b/one", "-o", "both.html")
        self.says("b/one (2 ranks × 1 thread)")


class Tables(Report):
    def setUp(self):
        super().setUp()
        weights("one")

    def test_TheyAreAskedOfLockstep(self):
        self.page("one")
        self.assertRegex(Path("asked").read_text(), "^eval one --confusion --mistakes --weights --network --out /")
        self.says("No confusion matrix and no sheet of mistakes and no images of the first layer and no picture of the network: "
                  "lockstep: no data today", "launch/run -np 1 eval one --confusion --mistakes --weights --network")  # fmt: skip
        os.environ["LOCKSTEP"] = "/nowhere/lockstep"
        self.page("one")
        self.says("/nowhere/lockstep cannot be started: No such file", "launch/run -np 1 eval one --confusion --mistakes --weights --network")

    def test_TheyAreTakenFromTheRunWhereTheyAreNotOlder(self):
        program = stand_in("lockstep", r'''printf 'actual,cat,"<b>, dog"\ncat,3,1\n"<b>, dog",0,0\n' >"${@: -1}/confusion.csv"
printf 'row,actual,predicted,probability\n7,cat,"<b>, dog",0.987\n' >"${@: -1}/mistakes.csv"
{ printf 'P6\n4 2\n255\n' && head -c 24 /dev/zero; } >"${@: -1}/mistakes.ppm"
printf 'layer,description,name,outputs,parameters,added\n0,input,,3,0,\n' >"${@: -1}/network.csv"
{ printf 'P6\n65 65\n255\n' && head -c 12675 /dev/zero; } >"${@: -1}/weights.ppm"''')
        self.page("one")
        self.says("Confusion matrix of one", "cat taken for <b>, dog", "cat for <b>, dog, 25", "First-layer weights of one", "3 units",
                  "Image 7: cat taken for <b>, dog", ", 98.7\N{NO-BREAK SPACE}%")
        self.is_silent("What is not here")
        self.assertFalse(Path("one/confusion.csv").exists(), "the run's folder is as it was")
        os.system(f"{program} one")
        write("one/confusion.csv", 'actual,cow,"<b>, dog"', "cow,3,1", '"<b>, dog",0,0')
        program.unlink()
        self.page("one")
        self.says("cow taken for <b>, dog")
        os.utime("one/confusion.csv", (time.time() - 3600,) * 2)
        self.page("one")
        self.says("No confusion matrix: ")

    def test_ManyClassesAreAnImage(self):
        finished("many", 4, "0")
        Path("many/model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
        names = [f"c{i}" for i in range(1, 31)]
        write("many/confusion.csv", ",".join(["actual", *names]),
              *(",".join([name, *(str(int(i == j)) for j in range(30))]) for i, name in enumerate(names)))  # fmt: skip
        self.page("many")
        self.says("Confusion matrix of many: 30 classes", "No mistakes.")

    def test_TheFirst64OfMoreUnitsAreShown(self):
        weights("one", units=81)
        pixels = bytearray(b"\xff" * 3 * 26 * 26)
        for unit in range(81):
            for y in (0, 1):
                for x in (0, 1):
                    at = 3 * ((unit // 9 * 3 + y) * 26 + unit % 9 * 3 + x)
                    pixels[at : at + 3] = bytes([unit] * 3)
        Path("one/weights.ppm").write_bytes(b"P6\n26 26\n255\n" + pixels)
        write("one/confusion.csv", "actual,a", "a,1")
        self.page("one")
        self.says("64 of 81 units")
        png = base64.b64decode(re.search(r'image/png;base64,([^"]+)', self.html)[1])
        image = imread(io.BytesIO(png))
        self.assertEqual(image.shape[:2], (23, 23))
        for unit in range(64):
            self.assertEqual(round(255 * image[unit // 8 * 3][unit % 8 * 3][0]), unit)

    def test_WhatIsWrongIsOneLine(self):
        header = "epoch,train_loss,train_accuracy,test_loss,test_accuracy"
        write("one/confusion.csv", "actual,a", "a,1")
        Path("one/weights.ppm").write_bytes(b"P6\n1 1\n255\nxyz")
        write("one/mistakes.csv", "row,actual,predicted,probability", "1,a,b,1")
        Path("one/mistakes.ppm").write_bytes(b"P6\n2 2\n255\n" + bytes(12))
        for file, content, pattern in (
            ("metrics.csv", "", "an empty file, expected a header"),
            ("metrics.csv", f"{header}\n", "no epoch yet"),
            ("metrics.csv", "epoch,loss\n1,2\n", "no column train_loss, found 'epoch,loss'"),
            ("metrics.csv", f"{header}\n1,2,3,4\n", "line 2: 4 fields, expected 5"),
            ("metrics.csv", f"{header}\n1,2,3,4,5\n2,x,3,4,5\n", "line 3: train_loss is 'x', expected a number"),
            ("gradients.csv", "layers.0.weight\n1\n", "no column epoch"),
            ("summary.json", "{", "not JSON"),
            ("summary.json", "[1]", "no object with config and provenance"),
            ("summary.json", '{"config": {}, "provenance": 1}', "no object with config and provenance"),
            ("model.safetensors", "short", "not readable, expected weights"),
            ("confusion.csv", "actual,a\na,x\n", "line 2: a is 'x', expected a number"),
            ("confusion.csv", "actual,a,b\na,1,2\n", "1 classes have a line, expected 2"),
            ("mistakes.csv", "row,actual,predicted\n1,a,b\n", "no column probability"),
            ("mistakes.csv", "row,actual,predicted,probability\n1,a,b,x\n", "line 2: probability is 'x', expected a number"),
            ("mistakes.csv", "row,actual,predicted,probability\n" + 2 * "1,a,b,1\n",
             "2 mistakes, expected as many as mistakes.ppm has tiles"),
            ("mistakes.ppm", "P6\n2 2\n255\nxx", "13 bytes, expected 23"),
            ("weights.ppm", "P6\n2 2\n255\nxx", "13 bytes, expected 23"),
        ):
            with self.subTest(file=file, content=content):
                shutil.rmtree("bad", ignore_errors=True)
                shutil.copytree("one", "bad")
                Path("bad", file).write_text(content)
                later = time.time() + 60
                for table in ("bad/confusion.csv", "bad/mistakes.csv", "bad/weights.ppm"):
                    os.utime(table, (later, later))
                self.refused(3, f"^bad/{file}: {pattern}", command.main, "bad")
        for file in ("summary.json", "weights.ppm", "model.safetensors"):
            Path("bad", file).unlink()
        write("bad/config.toml", "= 1")
        self.refused(3, "^bad/config.toml: not TOML", command.main, "bad")

    def test_WhatAppliesDependsOnTheRun(self):
        run = mock.Mock(config={"data.dataset": "csv"}, shapes={"layers.0.weight": [8, 2]}, metrics=mock.Mock(classified=True))
        self.assertEqual(missing_tables.applying(run), ["confusion", "grid", "network"])
        run.metrics.classified = False
        self.assertEqual(missing_tables.applying(run), ["network"])
        run.shapes = {"layers.0.weight": [8, 1]}
        self.assertEqual(missing_tables.applying(run), ["grid", "network"])


    def test_MistakesAreTilesOfTheirSheet(self):
        """Three of 2 x 1 pixels: two above, one below."""
        write("one/confusion.csv", "actual,a", "a,1")
        Path("one/weights.ppm").write_bytes(b"P6\n1 1\n255\nxyz")
        write("one/mistakes.csv", "row,actual,predicted,probability", *(f"{row},a,b,0.5" for row in (7, 8, 9)))
        pixels = [bytes([grey] * 3) for grey in (1, 2, 255, 3, 4, 255, 255, 255, 255, 255, 5, 6, 255, 255, 255)]
        Path("one/mistakes.ppm").write_bytes(b"P6\n5 3\n255\n" + b"".join(pixels))
        self.page("one")
        images = [imread(io.BytesIO(base64.b64decode(png)))
                  for png in re.findall(r'alt="Image \d: [^"]*" src="data:image/png;base64,([^"]+)"', self.html)]
        self.assertEqual([[round(255 * grey[0]) for grey in image[0]] for image in images], [[1, 2], [3, 4], [5, 6]])
        self.assertEqual([image.shape[:2] for image in images], [(1, 2)] * 3)
        write("one/mistakes.csv", "row,actual,predicted,probability")
        self.page("one")
        self.says("No mistakes.")

    def test_FiltersAreCalledSo(self):
        header = json.dumps({"layers.0.weight": {"dtype": "F32", "shape": [3, 3, 5, 5], "data_offsets": [0, 900]}}).encode()
        Path("one/model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
        Path("one/weights.ppm").write_bytes(b"P6\n1 1\n255\nxyz")
        self.page("one")
        self.says("First-layer weights of one as images: 3 filters")


class CommandLine(Report):
    def test_WhatIsWrongIsOneLine(self):
        finished("two", 4, "0")
        Path("empty").mkdir()
        Path("taken.html").mkdir()
        for code, pattern, *words in (
            (2, "^no RUN", ),
            (2, "^2 runs and no -o FILE", "one", "two"),
            (2, "^-o has no value", "one", "-o"),
            (2, "^-o nowhere/p.html: no folder nowhere", "one", "-o", "nowhere/p.html"),
            (2, "^unknown option '--what'", "one", "--what"),
            (2, "^taken.html: cannot be written", "one", "-o", "taken.html"),
            (3, "^nowhere: no such folder, expected that of a run", "nowhere"),
            (3, "^empty/metrics.csv: no such file", "one", "empty", "-o", "p.html"),
        ):  # fmt: skip
            with self.subTest(words):
                self.refused(code, pattern, command.main, *words)
        self.assertFalse(Path("p.html").exists())
        self.assertEqual(list(Path().glob(".taken*")), [])

    def test_AMachineWithoutJinja2IsToldWhatInstallsIt(self):
        with mock.patch.object(packages.importlib.util, "find_spec", side_effect=lambda name: None if name == "jinja2" else name), \
                mock.patch.object(packages, "SYSTEM_PYTHON", "/nowhere"):  # fmt: skip
            self.refused(2, "^jinja2 is not installed; launch/install-deps --pictures installs it$", command.main, "one")
