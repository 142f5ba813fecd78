"""launch/plot and launch/report on what a run tells of its layers, on a film, on a network's boxes and on what lockstep sanity has
found: the pictures say what the tables say, and what is wrong with a table is one line."""

import io
import json
import os
import re
import unittest
from pathlib import Path

import read_page
from PIL import Image
from support import ToolTest, is_png, stand_in, texts, write, write_metrics

from lockstep_launch import colours, plot
from lockstep_launch.layer_tables import COLUMNS, Film, Layers, read_network
from lockstep_launch.pictures import film, layers, network, sanity, style
from lockstep_launch.report import command
from lockstep_launch.sanity_tables import Sanity

NETWORK = ["layer,description,name,outputs,parameters,added", "0,input,,3x8x8,0,", '1,"Conv 3x8x8 -> 4x8x8, 3x3",stem,4x8x8,112,',
           "2,relu,,4x8x8,0,", "3,add stem,,4x8x8,0,1", "4,max pool 4x8x8 -> 4x4x4,,4x4x4,0,", "5,flatten,,64,0,", "6,Dense 64 -> 10,,10,650,"]  # fmt: skip


def write_layers(run, epochs=4):
    """Of a layer whose outputs are replaced, and of one that has them."""
    rows = []
    for epoch in range(1, epochs + 1):
        numbers = ",".join(str(x * epoch) for x in (0.5, 1, -2, -1, 0.25, 1, 2))
        none = ",".join(["nan"] * 7)
        rows += [f"{epoch},1,Dense 2 -> 8,{none},nan,{numbers},{0.01 / epoch}", f"{epoch},2,tanh,{numbers},0.125,{none},nan"]
    write(f"{run}/layers.csv", ",".join(COLUMNS), *rows)


def write_film(run, epochs):
    """A border that moves from the left to the right."""
    rows = [f"{epoch},{x},{y},{int(x >= epoch)},{int(x < epoch)}" for epoch in epochs for y in range(6) for x in range(6)]
    write(f"{run}/film.csv", "epoch,x0,x1,p_red,p_blue", *rows)


def findings(**more):
    document = {"holds": False, "checks": [{"name": "inputs", "holds": True, "found": "-1 to 1"},
                                           {"name": "first loss", "holds": False, "found": "9.1, expected 2 to 3 " + "and more " * 20}],
                "classes": [{"name": "cat", "train": 30, "test": 7}, {"name": "dog", "train": 20, "test": 5}],
                "curves": [{"name": "the data", "losses": [2.3, 2.0, None]}, {"name": "20 samples", "losses": [1 / (i + 1) for i in range(300)]}],
                "levels": {"all outputs 0": 2.303, "the targets' shares": None}}  # fmt: skip
    return document | more


class Pictures(ToolTest):
    def setUp(self):
        super().setUp()
        write_metrics("one", 4)

    def says(self, svg, *words):
        found = "\n".join(texts(svg))
        for word in words:
            self.assertIn(word, found)


class Plots(Pictures):
    def test_LayersHaveBandsAndLines(self):
        write_layers("one")
        self.call(plot.main, "one")
        self.says("one/layers.svg", "Layers: one", "1 Dense 2 -> 8", "2 tanh", "Share of units that give the same for all samples")
        self.assertTrue(is_png("one/layers.png"))
        data = Layers.read(Path("one/layers.csv"))
        self.assertEqual(data.epochs, [1, 2, 3, 4])
        self.assertEqual([layer.name for layer in layers.shown(data.layers, "output_p50")], ["2 tanh"])
        self.assertEqual([layer.name for layer in layers.shown(data.layers, "update")], ["1 Dense 2 -> 8"])

    def test_OfManyLayersSomeAreShown(self):
        data = [type("Layer", (), {"name": str(i), "has": lambda self, column: True})() for i in range(40)]
        shown = [layer.name for layer in layers.shown(data, "dead")]
        self.assertEqual((len(shown), shown[0], shown[-1]), (layers.MOST, "0", "39"))

    def test_AFilmIsAnAnimatedFileOfAllItsPictures(self):
        write_film("one", [1, 3, 5])
        self.assertIn("one/film.gif", self.call(plot.main, "one"))
        self.says("one/film.svg", "epoch 1", "epoch 3", "epoch 5")
        image = Image.open("one/film.gif")
        self.assertEqual((image.n_frames, image.size), (3, (36, 36)))
        times, corners = [], []
        for frame in range(3):
            image.seek(frame)
            times.append(image.info["duration"])
            corners.append([image.convert("RGB").getpixel((x, 30)) for x in (3, 15, 33)])
        self.assertLess(times[0], times[-1], "the last one stays")
        self.assertEqual(len(set(map(str, corners))), 3, "the border moves")
        first = Path("one/film.gif").read_bytes()
        self.call(plot.main, "one")
        self.assertEqual(Path("one/film.gif").read_bytes(), first)

    def test_ThePicturesHaveTheHighestRowAbove(self):
        rows = [f"1,{x},{y},{int(y > 0)},{int(y == 0)}" for y in range(2) for x in range(2)]
        write("one/film.csv", "epoch,x0,x1,p_a,p_b", *rows)
        pixels = film.pixels(Film.read(Path("one/film.csv")).planes[0])
        self.assertFalse((pixels[0] == pixels[1]).all())
        self.assertGreater(int(pixels[0, 0, 2]), int(pixels[1, 0, 2]), "class a is blue, and is above")

    def test_TheEpochIsWrittenInInkHoweverManyTonesThereAre(self):
        rows = [f"1,{x},{y},{0.5 + (x + y) / 160},{0.5 - (x + y) / 160}" for y in range(-40, 40) for x in range(-40, 40)]
        write("one/film.csv", "epoch,x0,x1,p_a,p_b", *rows)
        image = Image.open(io.BytesIO(film.animation(Film.read(Path("one/film.csv")))))
        self.assertIn(colours.bytes_of(style.INK), set(image.convert("RGB").getdata()))

    def test_FilmsOfTwoRunsAreTwoFiles(self):
        write_metrics("two", 4)
        for run in ("one", "two"):
            write_film(run, [1, 2])
        out = self.call(plot.main, "one", "two", "-o", "both")
        self.assertIn("both_film1.gif", out)
        self.assertTrue(Path("both_film2.gif").exists())

    def test_ANetworkHasABoxForEachLayer(self):
        write("one/network.csv", *NETWORK)
        self.call(plot.main, "one")
        self.says("one/network.svg", "one: 762 parameters", "Conv, 3x3 “stem”", "4 × 8 × 8", "112 parameters", "max pool", "Dense", "10")
        boxes = read_network(Path("one/network.csv"))
        self.assertEqual([box.added for box in boxes if box.added is not None], [1])
        self.assertEqual(network.total(boxes), 762)

    def test_WhatSanityFoundIsASheet(self):
        write("found/sanity.json", json.dumps(findings(points=[[0, 1, "cat"], [1, 0, "dog"]])))
        self.call(plot.main, "found")
        self.says("found/sanity.svg", "Before training: found", "pass", "FAIL", "inputs: -1 to 1", "first loss: 9.1, expected 2 to 3",
                  "cat", "training", "20 samples", "all outputs 0")  # fmt: skip
        tiles = b"P6\n5 2\n255\n" + bytes(30)
        write("images/sanity.json", json.dumps(findings(images=["cat", "dog"])))
        Path("images/sanity.ppm").write_bytes(tiles)
        self.call(plot.main, "images")
        self.says("images/sanity.svg", "cat", "dog", "Some training samples")
        write("values/sanity.json", json.dumps(findings(classes=[])))
        self.call(plot.main, "values")
        self.assertNotIn("Samples of each class", texts("values/sanity.svg"))

    def test_LossesOfManyStepsAreSmoothed(self):
        losses = [float(i % 2) for i in range(1000)]
        smooth = sanity.smoothed(losses)
        self.assertEqual(list(sanity.smoothed([3.0, 1.0])), [3.0, 1.0])
        self.assertLess(abs(smooth[-1] - 0.5), 1e-9)

    def test_WhatIsWrongWithATableIsOneLine(self):
        for file, lines, pattern in (
            ("layers.csv", ["epoch,layer"], "no column description"),
            ("layers.csv", [",".join(COLUMNS), "1,1,a" + 16 * ",0", "1,2,b" + 16 * ",0", "2,1,a" + 16 * ",0"], "layer 2 has other epochs"),
            ("film.csv", ["epoch,x0,x1,p_a"], "no point yet"),
            ("film.csv", ["epoch,x0,x1,p_a", "1,0,0,1"], "no columns p_CLASS of two classes or more"),
            ("film.csv", ["epoch,x0,x1,p_a,p_b", "1,0,0,1,0"], "a grid of 1 x 1 points"),
            ("network.csv", ["layer,description"], "no column name"),
            ("network.csv", [NETWORK[0], "x,input,,3,0,"], "line 2: layer is 'x', expected a number"),
            ("sanity.json", ["{"], "not readable"),
            ("sanity.json", ['{"checks": []}'], "not readable: 'classes', expected what lockstep sanity --out writes"),
            ("sanity.json", ["[]"], "not readable"),
        ):  # fmt: skip
            with self.subTest(file=file, lines=lines):
                write_metrics("bad", 2)
                write(f"bad/{file}", *lines)
                self.refused(3, f"^bad/{file}: {pattern}", plot.main, "bad")
                Path("bad", file).unlink()
        write("bad/sanity.json", json.dumps(findings(images=["cat"])))
        self.refused(3, "^bad/sanity.ppm: not readable: No such file", plot.main, "bad")
        self.assertEqual(len(Sanity.__dataclass_fields__), 7)


class Pages(Pictures):
    def page(self, *words):
        path = self.call(command.main, *words).splitlines()[-1].split(": ", 1)[1]
        self.html = Path(path).read_text(encoding="utf-8")
        return "\n".join(read_page.read(path))

    def test_AFilmHasASliderWithoutAScript(self):
        write_film("one", range(1, 41))
        text = self.page("one")
        self.assertIn("What the network says where after epoch 40", text)
        buttons = re.findall(r'<input type="radio" name="film0" aria-label="epoch (\d+)" title="epoch \d+"( checked="")?>', self.html)
        self.assertEqual((len(buttons), buttons[0][0], buttons[-1]), (25, "1", ("40", ' checked=""')))
        self.assertIn("grid-template-columns: repeat(25, ", self.html)
        self.assertNotIn("<script", self.html)
        self.assertLess(len(self.html), 200000)

    def test_LayersHaveTheirChartsAndNamesThatAreText(self):
        write_layers("one")
        Path("one/layers.csv").write_text(Path("one/layers.csv").read_text().replace("tanh", "<script>tanh"))
        text = self.page("one")
        for words in ("What the layers do", "2 <script>tanh", "Share of units that give the same for all samples, over the epochs of one",
                      "Gradients of the mean loss by the outputs of 1 Dense 2 -> 8, one", "median: 0.5"):  # fmt: skip
            self.assertIn(words, text)

    def test_ANetworkIsMadeByLockstep(self):
        header = json.dumps({"layers.0.weight": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}}).encode()
        Path("one/model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
        write("network", *NETWORK)
        os.environ["LOCKSTEP"] = str(stand_in("lockstep", f'printf "actual,a\\na,1\\n" >"${{@: -1}}/confusion.csv"\n'
                                              f'printf "x0,x1,p_a,p_b\\n0,0,1,0\\n1,0,1,0\\n0,1,0,1\\n1,1,0,1\\n" >"${{@: -1}}/grid.csv"\n'
                                              f'cp {Path("network").resolve()} "${{@: -1}}/network.csv"'))  # fmt: skip
        text = self.page("one")
        self.assertIn("The layers of one as boxes", text)
        self.assertIn("762 parameters", text)


if __name__ == "__main__":
    unittest.main()
