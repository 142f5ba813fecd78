"""Data sets in the formats in which people have them: a network learns them, the same one on every number of ranks; eval says the
same of them, top-5 accuracy among it where there are more than 10 classes."""

import re
from pathlib import Path

import numpy as np
import pytest
from harness.datasets import image_arrays, npy, write_cifar100, write_idx, write_image_folder, write_npz
from harness.files import header, read_csv, summary_of, timeless, weights_hash, write
from harness.process import ALONE, lockstep, settings, succeed

CONFIG = """seed = 3
[data]
normalize = "mean_std"
shards = 4
[data.augment]
shift = 1
[model]
layers = [{ type = "conv", filters = 4, size = 3 }, { type = "relu" }, { type = "dense" }]
[train]
epochs = 2
batch_size = 16
learning_rate = 0.05
momentum = 0.9
[compute]
threads = 1
"""


def mnist():
    write_idx("digits", packed=True)
    return ["data.dataset=mnist", "data.dir=digits"], 10


def fashion():
    write_idx("clothes")
    return ["data.dataset=fashion_mnist", "data.dir=clothes"], 10


def fine():
    write_cifar100("cifar", 200)
    return ["data.dataset=cifar100", "data.dir=cifar", "data.train_samples=200", "data.test_samples=100"], 100


def coarse():
    return [*fine()[0], "data.label_mode=coarse"], 20


def arrays():
    write_npz("data.npz", image_arrays())
    return ["data.dataset=numpy", "data.file=data.npz"], 12


def images():
    write_image_folder("photos")
    return ["data.dataset=images", "data.dir=photos"], 3


ALL = [mnist, fashion, fine, coarse, arrays, images]
of_each = pytest.mark.parametrize("kind", ALL, ids=[kind.__name__ for kind in ALL])


def train(out, keys, ranks=ALONE):
    return succeed("train", "run.toml", "--out", out, *settings(*keys), ranks=ranks)


@of_each
def test_training_on_any_number_of_ranks_gives_the_same_weights(kind):
    write("run.toml", CONFIG)
    keys, classes = kind()
    train("1", keys)
    losses = [float(row["train_loss"]) for row in read_csv("1/metrics.csv")]
    assert losses[-1] < losses[0], "it learns"
    for ranks in (2, 3, 4):
        train(str(ranks), keys, ranks)
        assert Path(str(ranks), "model.safetensors").read_bytes() == Path("1/model.safetensors").read_bytes()
        assert timeless(read_csv(f"{ranks}/metrics.csv")) == timeless(read_csv("1/metrics.csv"))
    said = [succeed("eval", "1", "--out", "tables", "--confusion", ranks=ranks).out for ranks in (ALONE, 3)]
    assert said[0] == said[1]
    assert ("top-5 accuracy" in said[0]) == (classes > 10)
    assert header("tables/confusion.csv").count(",") == classes


def test_top5_accuracy_is_a_column_and_in_the_summary_with_more_than_10_classes():
    write("run.toml", CONFIG)
    keys, _ = arrays()
    train("many", keys)
    assert header("many/metrics.csv").endswith(",transfer_seconds,test_top5_accuracy")
    last = read_csv("many/metrics.csv")[-1]
    assert float(last["test_accuracy"]) < float(last["test_top5_accuracy"]) <= 1
    found = re.search(r"^test .*  top-5 accuracy (\S+)  \((\d+) of 40\)$", succeed("eval", "many").out, re.MULTILINE)
    assert float(found[1]) == pytest.approx(int(found[2]) / 40)
    assert float(found[1]) == pytest.approx(float(last["test_top5_accuracy"])) == summary_of("many")["test_top5_accuracy"]
    train("few", mnist()[0])
    assert header("few/metrics.csv").endswith(",transfer_seconds")
    assert "test_top5_accuracy" not in summary_of("few")


def test_a_resumed_run_goes_on_with_the_column():
    write("run.toml", CONFIG)
    keys, _ = arrays()
    train("whole", keys)
    train("parts", [*keys, "train.epochs=1"])
    succeed("train", "run.toml", "--out", "parts", "--resume", "latest", *settings(*keys))
    assert timeless(read_csv("parts/metrics.csv")) == timeless(read_csv("whole/metrics.csv"))
    assert weights_hash("parts") == weights_hash("whole")


def test_files_plain_or_packed_and_arrays_in_any_order_are_the_same_data():
    write("run.toml", CONFIG)
    train("packed", mnist()[0])
    write_idx("digits")
    for name in Path("digits").glob("*.gz"):
        name.unlink()
    train("plain", ["data.dataset=mnist", "data.dir=digits"])
    assert weights_hash("plain") == weights_hash("packed")
    of_images = image_arrays()
    write_npz("packed.npz", of_images)
    write_npz("plain.npz", of_images, packed=False)
    for name, array in of_images.items():
        write(f"folder/{name}.npy", array)
    for name in ("packed.npz", "plain.npz", "folder"):
        train(name + ".out", ["data.dataset=numpy", f"data.file={name}"])
    assert weights_hash("packed.npz.out") == weights_hash("plain.npz.out") == weights_hash("folder.out")


def test_numpy_reads_what_it_saves():
    write("run.toml", CONFIG)
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 255, (60, 4, 5), np.uint8), np.arange(60) % 3
    np.savez("c.npz", X=x, y=y)
    np.savez_compressed("f.npz", X=np.asfortranarray(x), y=y.astype(">i2"))
    for name in ("c", "f"):
        train(name, ["data.dataset=numpy", f"data.file={name}.npz", "data.test_fraction=0.25"])
    assert weights_hash("c") == weights_hash("f")


def test_samples_are_set_aside_from_folders_of_classes():
    write("run.toml", CONFIG)
    write_image_folder("photos", test=0)
    Path("photos/train").rename("classes")
    train("out", ["data.dataset=images", "data.dir=classes", "data.test_fraction=0.25", "data.stratify=true"])
    lines = succeed("eval", "out", "--confusion", "--mistakes").out
    assert re.search(r"^test .* of 12\)$", lines, re.MULTILINE)


@of_each
def test_inspect_says_what_is_there(kind):
    keys, classes = kind()
    where = keys[1].partition("=")[2]
    lines = succeed("inspect", where).out.splitlines()
    assert re.match(rf"{where}: [^,]+, \d+ training and \d+ test samples of \d+ features, (10|100|{classes}) classes$", lines[0])


def test_inspect_shows_arrays_that_are_no_samples():
    write_npz("weights.npz", {"W": npy("<f4", (2, 3), bytes(24)), "b": npy("<f8", (), bytes(8))})
    lines = succeed("inspect", "weights.npz").out.splitlines()
    assert lines[0].startswith("weights.npz: 2 arrays of NumPy; no samples: weights.npz: has no arrays with usual names")
    assert lines[1:] == ["array    type  shape", "W         <f4  (2, 3)", "b         <f8  ()"]


def test_a_network_is_evaluated_on_other_images_of_its_classes():
    write("run.toml", CONFIG)
    keys, _ = images()
    train("out", keys)
    write_image_folder("more", count=9, test=5)
    outcome = succeed("eval", "out", *settings("data.dir=more"))
    assert "of 9)" in outcome.out and "not the data that the network was trained on" in outcome.out
    write_image_folder("others", classes=("cat", "cow", "dog"))
    refusal = lockstep("eval", "out", *settings("data.dir=others"))
    assert refusal.code == 3
    assert refusal.err == "lockstep: others/train/cow: is none of the 3 classes, expected cat, dog, eel\n"
