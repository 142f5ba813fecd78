"""The tables that lockstep eval writes for pictures: the same on any number of ranks, and true to the run."""

import math
import re
import struct
from collections import Counter
from pathlib import Path

import pytest
from harness.evaluation import evaluate, expect_refusal, expect_the_same_from_three_ranks, train
from harness.files import (header, read_csv, read_safetensors, write_planar_config, write_random_cifar10,
                           write_small_config)
from harness.process import three_ranks_if_long

OF_VALUES = ("data.dataset=function", "model.loss=mse")


def write_config(data):
    {"planar": write_planar_config, "images": write_small_config}[data]()


def numbers(rows, column):
    return [float(row[column]) for row in rows]


@pytest.mark.parametrize("data, keys, flags, files", [
    ("planar", (), "--grid --confusion --predictions", "grid.csv points.csv confusion.csv predictions.csv"),
    ("planar", OF_VALUES, "--grid --predictions", "grid.csv points.csv predictions.csv"),
    ("images", (), "--weights --confusion --mistakes --predictions",
     "weights.ppm confusion.csv mistakes.csv mistakes.ppm predictions.csv"),
], ids=["classes", "a_function", "images"])
def test_tables_are_the_same_as_of_one_rank(data, keys, flags, files):
    write_config(data)
    train(*keys)
    expect_the_same_from_three_ranks(flags.split(), files.split())


def test_tables_have_the_classes_of_the_plane_around_the_points():
    """The plane's grid reaches a tenth of the points' range beyond them."""
    write_planar_config()
    train()
    evaluate("--grid")
    assert header("out/grid.csv") == "x0,x1,predicted,p_0,p_1"
    assert header("out/points.csv") == "x0,x1,class,split"
    grid, points = read_csv("out/grid.csv"), read_csv("out/points.csv")
    assert len(grid) == 40000
    assert Counter(point["split"] for point in points) == {"train": 36, "test": 24}
    for x in ("x0", "x1"):
        low, high = min(numbers(points, x)), max(numbers(points, x))
        assert float(grid[0][x]) == pytest.approx(low - 0.1 * (high - low), abs=1e-4, rel=0)
        assert float(grid[-1][x]) == pytest.approx(high + 0.1 * (high - low), abs=1e-4, rel=0)
    assert grid[0]["x0"] == grid[200]["x0"] != grid[199]["x0"]  # x0 runs fastest
    assert grid[0]["x1"] == grid[199]["x1"] != grid[200]["x1"]
    for row in grid:
        p0, p1 = float(row["p_0"]), float(row["p_1"])
        assert abs(p0 + p1 - 1) <= 2e-6
        assert abs(p0 - p1) <= 1e-5 or row["predicted"] == ("0" if p0 > p1 else "1")
    assert {row["predicted"] for row in grid} == {"0", "1"}


def test_tables_have_the_function_and_what_the_network_makes_of_it():
    write_planar_config()
    train(*OF_VALUES, "data.noise=0")
    said = evaluate("--grid")
    assert header("out/grid.csv") == "x0,output,target"
    assert header("out/points.csv") == "x0,target,split"
    grid, points = read_csv("out/grid.csv"), read_csv("out/points.csv")
    line = [i / 1000 for i in range(1001)]
    assert numbers(grid, "x0") == pytest.approx(line, abs=1e-6, rel=0)
    assert numbers(grid, "target") == pytest.approx([math.sin(2 * math.pi * x) for x in line], abs=1e-6, rel=0)
    assert numbers(points, "target") == pytest.approx([math.sin(2 * math.pi * x) for x in numbers(points, "x0")], abs=1e-5, rel=0)
    # The largest error on the samples, of either set, is hardly below that on the line.
    largest = max(abs(float(row["output"]) - float(row["target"])) for row in grid)
    largest_said = max(float(error) for error in re.findall(r"largest error (\S+)", said))
    assert 0.9 * largest <= largest_said <= largest + 1e-4


@pytest.mark.parametrize("fraction, counted", [("0.4", "test"), ("0", "train")])
def test_tables_of_confusion_count_the_classes_and_the_accuracy(fraction, counted):
    """Without a test set, the training set is counted."""
    write_planar_config()
    train(f"data.test_fraction={fraction}")
    said = evaluate("--confusion", "--grid")
    assert header("out/confusion.csv") == "actual,0,1"
    rows = read_csv("out/confusion.csv")
    assert [row["actual"] for row in rows] == ["0", "1"]
    of_class = Counter(point["class"] for point in read_csv("out/points.csv") if point["split"] == counted)
    assert [int(row["0"]) + int(row["1"]) for row in rows] == [of_class["0"], of_class["1"]]
    right = sum(int(row[row["actual"]]) for row in rows)
    assert re.search(rf"^{counted} .*\({right} of {of_class.total()}\)$", said, re.MULTILINE), said


@pytest.mark.parametrize("data, keys, samples", [("images", (), 150), ("planar", ("data.test_fraction=0",), 60)])
def test_tables_of_predictions_are_those_that_are_counted(data, keys, samples):
    """Without a test set, they are the training set's."""
    write_config(data)
    train(*keys)
    evaluate("--confusion", "--predictions")
    rows, confusion = read_csv("out/predictions.csv"), read_csv("out/confusion.csv")
    classes = [row["actual"] for row in confusion]
    assert [row["row"] for row in rows] == [str(i + 1) for i in range(samples)]
    assert len(rows[0]) == 3 + 2 * len(classes)
    counts = Counter((row["actual"], row["predicted"]) for row in rows)
    assert {(row["actual"], name): int(row[name]) for row in confusion for name in classes if row[name] != "0"} == counts
    for row in rows:
        assert float(row["o" + row["predicted"]]) == max(float(row["o" + name]) for name in classes)
        assert sum(float(row["p_" + name]) for name in classes) == pytest.approx(1, abs=1e-5, rel=0)


def test_tables_of_weights_are_an_image_of_a_tile_per_unit():
    """Units in rows of tiles, 32 pixels square, with a line between them; of 8 units, 3 x 3 tiles."""
    write_small_config()
    train()
    evaluate("--weights")
    image, start = Path("out/weights.ppm").read_bytes(), b"P6\n98 98\n255\n"
    assert image.startswith(start)
    pixels = image[len(start) :]
    assert len(pixels) == 3 * 98 * 98

    def pixel(x, y):
        return pixels[3 * (98 * y + x) :][:3]

    white = b"\xff\xff\xff"
    assert all(pixel(32, i) == pixel(i, 65) == white for i in range(98))
    assert pixel(90, 90) == white  # there is no ninth unit
    assert len(set(pixels)) > 100


def test_tables_of_mistakes_are_the_surest_ones_and_their_images(folder):
    """CIFAR-10's images lie channel by channel; a tile has a pixel's three colours together."""
    images = write_random_cifar10("cifar", 150)
    write_small_config()
    train("data.dataset=cifar10", f"data.dir={folder}/cifar")
    evaluate("--mistakes", "--predictions")
    mistakes = read_csv("out/mistakes.csv")
    assert header("out/mistakes.csv") == "row,actual,predicted,probability"
    wrong = [row for row in read_csv("out/predictions.csv") if row["actual"] != row["predicted"]]
    surest = sorted(wrong, key=lambda row: -float(row["p_" + row["predicted"]]))[:25]
    assert [mistake["row"] for mistake in mistakes] == [row["row"] for row in surest]
    assert [mistake["probability"] for mistake in mistakes] == [row["p_" + row["predicted"]] for row in surest]
    assert all((mistake["actual"], mistake["predicted"]) == (row["actual"], row["predicted"])
               for mistake, row in zip(mistakes, surest))
    sheet, start = Path("out/mistakes.ppm").read_bytes(), b"P6\n164 164\n255\n"  # 5 x 5 tiles
    assert sheet.startswith(start)
    for place, mistake in enumerate(mistakes):
        image = images[int(mistake["row"]) - 1]
        for y in range(32):
            at = len(start) + 3 * (164 * (place // 5 * 33 + y) + place % 5 * 33)
            assert sheet[at : at + 96] == bytes(image[1024 * colour + 32 * y + x] for x in range(32) for colour in range(3))


def test_tables_of_weights_show_the_filters_of_a_convolution():
    """Seven filters of 5 x 5 pixels, in 3 x 3 tiles."""
    write_small_config()
    train('model.layers=[{type="conv", filters=7, size=5}, {type="relu"}, {type="max_pool", size=4}, {type="dense"}]')
    evaluate("--weights")
    weights = read_safetensors("out/model.safetensors").bytes_of("layers.0.weight")
    filters = [struct.unpack_from("<75f", weights, 300 * filter) for filter in range(7)]
    image, start = Path("out/weights.ppm").read_bytes(), b"P6\n17 17\n255\n"
    assert image.startswith(start)
    for place, filter in enumerate(filters):
        largest = max(map(abs, filter))
        for y in range(5):
            at = len(start) + 3 * (17 * (place // 3 * 6 + y) + place % 3 * 6)
            expected = [127.5 + 127.5 * filter[25 * colour + 5 * y + x] / largest for x in range(5) for colour in range(3)]
            assert list(image[at : at + 15]) == pytest.approx(expected, abs=0.51, rel=0)


def test_tables_go_where_they_are_told():
    write_planar_config()
    train()
    evaluate("--grid", "--confusion", "--out", "far/away")
    for file in ("grid.csv", "points.csv", "confusion.csv"):
        assert Path("far/away", file).exists()
        assert not Path("out", file).exists()


def test_tables_of_an_earlier_run_do_not_survive_the_next():
    write_small_config()
    train("log.gradients=true", "log.steps=true")
    evaluate("--weights", "--confusion", "--mistakes", "--predictions")
    write_planar_config()
    train()
    for file in ("weights.ppm", "confusion.csv", "mistakes.csv", "mistakes.ppm", "predictions.csv", "gradients.csv", "steps.csv"):
        assert not Path("out", file).exists()
    evaluate("--grid")
    train()
    for file in ("grid.csv", "points.csv"):
        assert not Path("out", file).exists()


@three_ranks_if_long
@pytest.mark.parametrize("data, keys, flag, says, files", [
    ("planar", (), "--weights", "the first layer's weights are 5 x 2, expected those of square images with 1 or 3 channels",
     ["weights.ppm"]),
    ("planar", (), "--mistakes", "the samples of circle are no images with 1 or 3 channels, expected such", ["mistakes.csv"]),
    ("planar", OF_VALUES, "--confusion", "the targets are values, expected a data set of classes", ["confusion.csv"]),
    ("images", (), "--grid", "the network has 3072 inputs and classes, expected 2 inputs and classes, or 1 input and a value",
     ["grid.csv", "points.csv"]),
], ids=["weights", "mistakes", "confusion", "grid"])
def test_tables_that_do_not_apply_are_refused(data, keys, flag, says, files, ranks):
    write_config(data)
    train(*keys)
    expect_refusal([flag], 2, f"{flag}: {says}\n", ranks)
    assert [file for file in files if Path("out", file).exists()] == []


@pytest.mark.parametrize("out", ["run.toml", "run.toml/tables"])
def test_tables_that_cannot_be_written_end_it_before_it_scores(out, ranks):
    write_planar_config()
    train()
    refused = expect_refusal(["--confusion", "--out", out], 2, f"{out}: cannot be written: Not a directory\n", ranks)
    assert refused.out == ""
