"""Trained networks as ONNX files: well formed for ONNX's own checker, and computed by OpenCV, whose reader and kernels share
nothing with the program, from a data set's own numbers, they give what lockstep eval says."""

import json
import os
from pathlib import Path
from random import Random

import cv2
import numpy as np
import onnx
import pytest
from harness.evaluation import evaluate, train
from harness.files import (read_csv, read_safetensors, weights_hash, write, write_planar_config, write_random_cifar10,
                           write_safetensors, write_small_config)
from harness.process import lockstep, succeed

SAMPLES = 150
EVERY_LAYER = """model.layers=[{type="conv", filters=6, size=3}, {type="batch_norm"}, {type="relu"},
    {type="max_pool", size=3, stride=2}, {type="conv", filters=7, size=4, bias=false}, {type="batch_norm", scale=false, shift=false},
    {type="tanh"}, {type="conv", filters=5, size=4, stride=2, padding=1}, {type="leaky_relu"}, {type="average_pool", size=2},
    {type="dropout"}, {type="conv", filters=6, size=2, padding="valid"}, {type="elu"}, {type="flatten"}, {type="dense", units=9},
    {type="batch_norm", epsilon=0.01}, {type="identity"}, {type="sigmoid"}, {type="dense", bias=false}]"""
RESIDUAL = """model.layers=[{type="whiten", size=2}, {type="gelu"}, {type="conv", filters=8, size=1, name="first"},
    {type="gelu"}, {type="conv", filters=8, size=3}, {type="add", from="first"}, {type="relu", name="second"}, {type="multiply", factor=0.25},
    {type="conv", filters=8, size=3}, {type="add", from="second"}, {type="global_average_pool", name="pooled"}, {type="dense", units=8},
    {type="tanh"}, {type="add", from="pooled"}, {type="dense"}, {type="multiply", factor=0.25}]"""
TO_THE_END = 'model.layers=[{type="conv", filters=10, size=5, stride=3, padding=0}, {type="global_average_pool"}]'
IMAGES = {
    "every_layer": [EVERY_LAYER, "data.normalize=mean_std", "model.leaky_slope=0.2", "model.elu_alpha=0.7"],
    "residual": [RESIDUAL, "data.normalize=mean_std"],
    "no_dense_layer": [TO_THE_END, "data.normalize=scale"],
    "dense": ["model.hidden=[20]", "model.activation=relu", "data.normalize=mean"],
    "squares": ["model.loss=mse", "model.output_activation=sigmoid", "data.normalize=none", "train.learning_rate=1e-5"],
}


def graph(file):
    """The model, which is well formed: types and shapes fit, too."""
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    return model


def computed(file, samples):
    """What OpenCV makes of samples, one by one."""
    network = cv2.dnn.readNetFromONNX(str(file))
    outputs = []
    for sample in samples:
        network.setInput(np.asarray(sample, np.float32)[np.newaxis])
        outputs.append(network.forward()[0])
    return np.array(outputs)


def expect_equal(found, expected):
    assert found == pytest.approx(np.asarray(expected, float), rel=1e-4, abs=1e-4 * max(1, np.abs(expected).max()))


def outputs_of(rows):
    """Those of predictions.csv."""
    names = [name for name in rows[0] if name[0] == "o" and name[1:].isdigit()]
    return [[float(row[name]) for name in names] for row in rows]


def metadata(model):
    return {entry.key: entry.value for entry in model.metadata_props}


@pytest.fixture
def images(folder, real_cifar10):
    """The first test images of CIFAR-10 where it is, else made-up ones: (SAMPLES, 3, 32, 32) bytes; and the settings for them."""
    where = os.environ.get("CIFAR10_DIR")
    if where:
        records = np.fromfile(Path(where, "test_batch.bin"), np.uint8, SAMPLES * 3073).reshape(SAMPLES, 3073)
        pixels = records[:, 1:]
    else:
        where = folder / "cifar"
        pixels = np.frombuffer(b"".join(write_random_cifar10(where, SAMPLES)), np.uint8)
    return pixels.reshape(SAMPLES, 3, 32, 32), ["data.dataset=cifar10", f"data.dir={where}"]


@pytest.mark.parametrize("network", IMAGES)
def test_takes_pixels_and_gives_the_outputs_that_eval_does(network, images):
    write_small_config()
    train(*images[1], *IMAGES[network])
    said = succeed("export", "out", "--onnx", "network.onnx").out
    assert said.startswith("network.onnx: input (N, 3, 32, 32): pixels from 0 to 255\noutput (N, 10): "), said
    evaluate("--predictions")
    expect_equal(computed("network.onnx", images[0]), outputs_of(read_csv("out/predictions.csv")))
    model = graph("network.onnx")
    assert [dimension.dim_param or dimension.dim_value for dimension in model.graph.input[0].type.tensor_type.shape.dim] == [
        "N", 3, 32, 32]  # fmt: skip
    weights = read_safetensors("out/model.safetensors")
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for name in (name for name in weights.header if name.startswith("layers.")):
        assert list(tensors[name].dims) == weights.header[name]["shape"]
        assert tensors[name].raw_data == weights.bytes_of(name)
    told = metadata(model)
    assert told["weights_hash"] == weights_hash("out")
    assert json.loads(told["channels"]) == ["red", "green", "blue"]
    assert json.loads(told["classes"]) == [name[2:] for name in read_csv("out/predictions.csv")[0] if name.startswith("p_")]


def write_table(path, rows):
    """Sizes far from 0, a colour, and a value of 100 and more that follows from them."""
    random, lines = Random(2), ["size,colour,value"]
    for _ in range(rows):
        size, colour = random.uniform(1000, 1003), random.choice(["red", "green", "blue"])
        lines.append(f"{size:.4f},{colour},{100 + 7 * (size - 1000) + 10 * (colour == 'red'):.3f}")
    write(path, "\n".join(lines) + "\n")


def test_takes_the_features_of_a_table_and_gives_values_in_its_units(folder):
    write_planar_config()
    write_table("table.csv", 60)
    train("data.dataset=csv", f"data.file={folder}/table.csv", "data.task=regression", "data.normalize=mean_std",
          "data.target_scale=mean_std", "model.loss=mse")
    said = succeed("export", "out", "--onnx", "network.onnx").out
    assert said == ("network.onnx: input (N, 4): size, colour=blue, colour=green, colour=red\noutput (N, 1): the target\n")
    assert json.loads(metadata(graph("network.onnx"))["features"]) == ["size", "colour=blue", "colour=green", "colour=red"]
    evaluate("--predictions")
    table, predictions = read_csv("table.csv"), read_csv("out/predictions.csv")
    rows = [table[int(row["row"]) - 1] for row in predictions]
    features = [[float(row["size"]), *(row["colour"] == colour for colour in ("blue", "green", "red"))] for row in rows]
    expect_equal(computed("network.onnx", features), [[float(row["predicted"])] for row in predictions])


def test_a_checkpoint_is_exported_too_and_from_several_ranks():
    write_small_config()
    train("checkpoint.every_epochs=1")
    succeed("export", "out", "--onnx", "model.onnx")
    assert "no model.safetensors yet" not in succeed("export", "out", "--onnx", "ranks.onnx", ranks=2).out
    Path("out/model.safetensors").unlink()
    assert "no model.safetensors yet" in succeed("export", "out", "--onnx", "latest.onnx").out
    newest = max(Path("out/checkpoints").glob("step-*.safetensors"))
    succeed("export", "out/config.toml", "--model", newest, "--onnx", "named.onnx")
    contents = [Path(f"{name}.onnx").read_bytes() for name in ("model", "ranks", "latest", "named")]
    assert all(content == contents[0] for content in contents)


def weights_of_another_program():
    tensors = read_safetensors("out/model.safetensors")
    tensors.header.pop("__metadata__")
    write_safetensors("other.safetensors", tensors)


def far_from_zero():
    """Differences that float32 does not see."""
    write("far.csv", "x,y\n" + "".join(f"{10**9 + i / 1000:.3f},{i % 2}\n" for i in range(60)))
    train("data.dataset=csv", f"data.file={Path.cwd()}/far.csv", "data.normalize=mean")


@pytest.mark.parametrize("arrange, words, code, says", [
    (None, "out", 2, "export: there is nothing to write, expected --onnx FILE"),
    (None, "out --onnx nowhere/network.onnx", 2, "nowhere/network.onnx: cannot be written: No such file or directory"),
    (None, "nowhere --onnx network.onnx", 2, "nowhere: no such file or folder, expected a configuration or the folder of a run"),
    (None, "run.toml --onnx network.onnx", 2, "run.toml names no weights: expected --model FILE, train.init_from, or the folder of a run"),
    (weights_of_another_program, "out --model other.safetensors --onnx network.onnx", 4,
     "other.safetensors: does not say what it was trained on"),
    (None, "out --set model.hidden=[3] --onnx network.onnx", 4, "out/model.safetensors: layers.0.weight has shape (5, 2)"),
    (far_from_zero, "out --onnx network.onnx", 2, "--onnx: feature x is normalised as (v + -1000000000.0"),
], ids=["nothing", "no_folder", "no_run", "no_weights", "no_record", "other_network", "far_from_zero"])
def test_what_cannot_be_exported_is_refused(arrange, words, code, says):
    write_planar_config()
    train()
    if arrange:
        arrange()
    outcome = lockstep("export", *words.split())
    assert (outcome.code, outcome.err.count("\n")) == (code, 1), outcome.err
    assert outcome.err.startswith(f"lockstep: {says}"), outcome.err
    assert not Path("network.onnx").exists()
