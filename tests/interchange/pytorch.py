#!/usr/bin/python3
"""PyTorch and Lockstep understand each other's weights: a model.safetensors that Lockstep trained gives in PyTorch the
outputs that `lockstep eval --predictions` writes; weights that PyTorch drew give them in Lockstep; and a training run
that starts from those ends where torch.optim.SGD ends.

Usage: pytorch.py PROGRAM            (the lockstep to test; PyTorch is Debian's python3-torch)

The images are CIFAR-10's where CIFAR10_DIR says where they are, else made up here in its format.
"""

import csv
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import torch

from images import CIFAR10, CifarImages, make_up_cifar10
from networks import Network, read_safetensors, write_safetensors

TRAIN_SAMPLES, TEST_SAMPLES = 1000, 500
PIXELS, CLASSES = 3072, 10
NAMES = "airplane automobile bird cat deer dog frog horse ship truck".split()

NETWORKS = {
    "relu": {"model.hidden": "[64, 32]", "model.activation": "relu"},
    "sigmoid_mse": {"model.activation": "sigmoid", "model.loss": "mse", "model.output_activation": "sigmoid",
                    "data.normalize": "mean_std"},
    "affine": {"model.hidden": "[]", "data.normalize": "scale"},
    "layers": {"model.loss": "cross_entropy", "model.layers":
               "[{type='dense', units=40, bias=false}, {type='leaky_relu'}, {type='dropout', rate=0.3}, "
               "{type='dense', units=30}, {type='elu'}, {type='dense', units=20}, {type='tanh'}, {type='dense'}]"},
    "convolutional": {"data.normalize": "mean_std", "model.layers":
                      "[{type='whiten', size=2}, {type='conv', filters=6, size=3}, {type='batch_norm'}, {type='relu'}, {type='max_pool', size=3, stride=2}, "
                      "{type='conv', filters=7, size=4, stride=2, padding=1, bias=false}, {type='batch_norm', momentum=0.5}, "
                      "{type='tanh', name='a'}, {type='conv', filters=7, size=3, init='dirac'}, {type='add', from='a'}, {type='gelu', name='b'}, "
                      "{type='add', from='a'}, {type='add', from='b'}, {type='average_pool', size=2}, {type='conv', filters=5, size=2, padding='valid'}, {type='gelu'}, "
                      "{type='dense', units=20}, {type='batch_norm', epsilon=0.01}, {type='relu'}, {type='dense'}, {type='multiply', factor=0.25}]"},
}


OPTIMIZERS = {  # the settings, and PyTorch's optimizer for groups of parameters
    "sgd": ({"train.learning_rate": 0.2, "train.weight_decay": 0.01},
            lambda groups: torch.optim.SGD(groups, lr=0.2, weight_decay=0.01)),
    "nesterov": ({"train.learning_rate": 0.02, "train.momentum": 0.9, "train.nesterov": "true", "train.weight_decay": 0.01},
                 lambda groups: torch.optim.SGD(groups, lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.01)),
    "adam": ({"train.optimizer": "adam", "train.learning_rate": 0.001, "train.epsilon": 1e-5, "train.weight_decay": 0.01},
             lambda groups: torch.optim.Adam(groups, lr=0.001, eps=1e-5, weight_decay=0.01)),
    "adamw": ({"train.optimizer": "adamw", "train.learning_rate": 0.001, "train.epsilon": 1e-5, "train.beta1": 0.8, "train.beta2": 0.99,
               "train.weight_decay": 0.1}, lambda groups: torch.optim.AdamW(groups, lr=0.001, betas=(0.8, 0.99), eps=1e-5, weight_decay=0.1)),
}


def layers_of(model):
    """The tables of model.layers, or those that model.hidden stands for."""
    if "layers" in model:
        return model["layers"]
    layers = []
    for units in model["hidden"]:
        layers += [{"type": "dense", "units": units}, {"type": model["activation"]}]
    return layers + [{"type": "dense"}, {"type": model["output_activation"]}]


def network(tensors, model):
    """The network of a weight file and of the configuration it was trained with, in evaluation."""
    result = Network(layers_of(model), model, PIXELS, CLASSES, CIFAR10)
    result.load(tensors)
    result.modules.eval()
    return result


class Lockstep:
    def __init__(self, program, work, data):
        self.program, self.work = program, work
        self.settings = {"data.dataset": "cifar10", "data.dir": str(data), "data.train_samples": TRAIN_SAMPLES,
                         "data.test_samples": TEST_SAMPLES, "train.epochs": 1, "train.batch_size": 40}

    def run(self, *words):
        done = subprocess.run([self.program, *map(str, words)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"lockstep {words[0]} ended with {done.returncode}: {done.stderr}"

    def train(self, name, settings):
        config = self.work / "empty.toml"
        config.touch()
        words = []
        for key, value in {**self.settings, **settings}.items():
            words += ["--set", f"{key}={value}"]
        self.run("train", config, "--quiet", "--out", self.work / name, *words)
        return self.work / name

    def outputs(self, run, images, weights=None):
        """What eval writes for the test images, (TEST_SAMPLES, outputs)."""
        self.run("eval", run, "--predictions", *(["--model", weights] if weights else []))
        with open(run / "predictions.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [int(row["row"]) for row in rows] == list(range(1, TEST_SAMPLES + 1))
        assert [NAMES.index(row["actual"]) for row in rows] == images.test_labels.tolist()
        outputs = torch.tensor([[float(row[f"o{k}"]) for k in range(CLASSES)] for row in rows])
        assert [NAMES.index(row["predicted"]) for row in rows] == outputs.argmax(dim=1).tolist()
        probabilities = torch.tensor([[float(row[f"p_{name}"]) for name in NAMES] for row in rows])
        if json.loads((run / "summary.json").read_text())["config"]["model"]["loss"] == "cross_entropy":
            expect_equal("probabilities", probabilities, outputs.softmax(dim=1))
        return outputs


def expect_equal(what, found, expected, tolerance=1e-5):
    worst, largest = (found - expected).abs().max().item(), max(1, expected.abs().max().item())
    print(f"{what}: {worst:.2g} apart at most, of {largest:.2g}")
    assert worst <= tolerance * largest, f"{what}: {worst:.2g} apart, expected {tolerance} of {largest:.2g} at most"


def weights_are_understood_both_ways(lockstep, images, name, settings):
    run = lockstep.train(name, settings)
    config = json.loads((run / "summary.json").read_text())["config"]
    inputs = images.normalized(images.test, config["data"]["normalize"]).float()
    tensors = read_safetensors(run / "model.safetensors")
    net = network(tensors, config["model"])
    with torch.no_grad():
        expect_equal(f"{name}, Lockstep's weights in PyTorch", net.modules(inputs), lockstep.outputs(run, images))
        net.draw()
        write_safetensors(run / "drawn.safetensors", net.named().state_dict())
        write_safetensors(run / "sequential.safetensors", net.modules.state_dict())  # "0.weight", "2.weight"
        assert torch.equal(lockstep.outputs(run, images, run / "sequential.safetensors"),
                           lockstep.outputs(run, images, run / "drawn.safetensors"))
        expect_equal(f"{name}, PyTorch's weights in Lockstep", lockstep.outputs(run, images, run / "drawn.safetensors"),
                     net.modules(inputs))


def the_lines_of_the_readme_load_the_weights(lockstep, images):
    """README's lines of Python, as they stand there, on an nn.Sequential; where the safetensors package is not installed,
    with the reader above in its place."""
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    lines, = (block for block in re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL) if "load_file" in block)
    if not importlib.util.find_spec("safetensors"):
        reader = types.ModuleType("safetensors.torch")
        reader.load_file = read_safetensors
        sys.modules.update({"safetensors": types.ModuleType("safetensors"), "safetensors.torch": reader})
    dense = torch.nn.Sequential(torch.nn.Linear(PIXELS, 32), torch.nn.Tanh(), torch.nn.Linear(32, CLASSES))
    convolutional = torch.nn.Sequential(
        torch.nn.Unflatten(1, (3, 32, 32)), torch.nn.Conv2d(3, 6, 3, padding="same", bias=False), torch.nn.BatchNorm2d(6),
        torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(6 * 256, CLASSES))  # fmt: skip
    layers = ("[{type='conv', filters=6, size=3, bias=false}, {type='batch_norm'}, {type='relu'}, {type='max_pool', size=2}, "
              "{type='dense'}]")  # fmt: skip
    for model, settings in ((dense, {"model.hidden": "[32]", "model.activation": "tanh"}), (convolutional, {"model.layers": layers})):
        run = lockstep.train("runs/small", settings)
        before = Path.cwd()
        os.chdir(lockstep.work)
        exec(lines, {"torch": torch, "model": model.eval()})
        os.chdir(before)
        with torch.no_grad():
            expect_equal("README's lines", model(images.normalized(images.test, "mean").float()), lockstep.outputs(run, images))
        shutil.rmtree(run)


def training_from_the_same_weights_ends_at_the_same(lockstep, images):
    """50 steps in file order, with every optimizer that PyTorch has, with smoothed labels, clipped gradients and averaged weights.
    Weights decay and biases do not."""
    for name, (keys, optimizer) in OPTIMIZERS.items():
        trains_as_pytorch(lockstep, images, name, keys, optimizer)


def trains_as_pytorch(lockstep, images, name, keys, optimizer_of):
    settings = {"model.hidden": "[32]", "model.activation": "tanh", "data.shuffle": "none", "train.epochs": 2,
                "train.label_smoothing": 0.1, "train.clip_norm": 0.4, "train.average_decay": 0.9, **keys}
    tensors = {"layers.0.weight": torch.empty(32, PIXELS), "layers.0.bias": torch.empty(32),
               "layers.1.weight": torch.empty(CLASSES, 32), "layers.1.bias": torch.empty(CLASSES)}
    for tensor in tensors.values():
        tensor.uniform_(-0.05, 0.05)
    start = lockstep.work / "start.safetensors"
    write_safetensors(start, tensors)
    run = lockstep.train(f"from_pytorch_{name}", {**settings, "train.init_from": start})
    net = network(tensors, json.loads((run / "summary.json").read_text())["config"]["model"])
    weights, biases = ([p for p in net.modules.parameters() if (p.dim() > 1) == many] for many in (True, False))
    optimizer = optimizer_of([{"params": weights}, {"params": biases, "weight_decay": 0}])
    average = torch.optim.swa_utils.AveragedModel(net.named(), avg_fn=lambda mean, new, _: mean + (1 - 0.9) * (new - mean))
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    inputs, norms = images.normalized(images.train, "mean").float(), []
    for x, labels in 2 * list(zip(inputs.split(40), images.train_labels.split(40))):
        optimizer.zero_grad()
        criterion(net.modules(x), labels).backward()
        norms.append(torch.nn.utils.clip_grad_norm_(net.modules.parameters(), 0.4))
        optimizer.step()
        average.update_parameters(net.named())
    assert max(norms) > 0.4, f"no gradient of {name} was clipped"
    trained = read_safetensors(run / f"checkpoints/step-{2 * TRAIN_SAMPLES // 40:09}.safetensors", floats_only=True)
    averaged = average.module.state_dict()
    for tensor, values in net.tensors().items():
        assert (values - tensors[tensor]).abs().max() > 1e-3, f"{tensor} has hardly moved"
        expect_equal(f"{name}, {tensor} after 50 steps from PyTorch's weights", trained[tensor], values)
        expect_equal(f"{name}, the average of {tensor}", trained["average." + tensor], averaged[tensor])


def main():
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(os.environ.get("CIFAR10_DIR") or folder)
        if data == Path(folder):
            make_up_cifar10(data)
        images = CifarImages(data, TRAIN_SAMPLES, TEST_SAMPLES)
        lockstep = Lockstep(sys.argv[1], Path(folder), data.absolute())
        for name, settings in NETWORKS.items():
            weights_are_understood_both_ways(lockstep, images, name, settings)
        training_from_the_same_weights_ends_at_the_same(lockstep, images)
        the_lines_of_the_readme_load_the_weights(lockstep, images)


main()
