"""Networks of images are trained as PyTorch trains them in double precision (reference.py): from the same weights, the same
gradient of every tensor, the same loss at each of 50 steps, the same weights after them and the same outputs in evaluation."""

import json
import math
from dataclasses import replace

import pytest
import torch
from cases import CASES
from harness.files import read_csv, summary_of, write
from harness.process import succeed
from images import CIFAR10, CifarImages, TableImages, make_up_cifar10
from networks import read_safetensors, write_safetensors
from reference import Training

STEPS, TEST_SAMPLES = 50, 70

pytestmark = [pytest.mark.parametrize("name", CASES),
              pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")]


def images_of(case):
    if case.image != CIFAR10:
        return TableImages(case.image, case.classes, case.samples, TEST_SAMPLES)
    make_up_cifar10(".", case.classes)
    return CifarImages(".", case.samples, TEST_SAMPLES)


def write_config(case, images, **settings):
    """As a user writes it: keys, then the tables of layers."""
    keys = {"data.normalize": "none", "data.shuffle": "none", "data.shards": case.shards, "train.batch_size": case.batch,
            "train.learning_rate": case.rate, "train.init_from": "start.safetensors", "checkpoint.every_epochs": 0,
            "log.steps": True, "compute.threads": 1, **images.settings, **case.settings, **settings}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    for layer in case.layers:
        text += "[[model.layers]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in layer.items())
    write("run.toml", text)


def begin(case, epochs, **settings):
    """PyTorch's training, with start.safetensors and run.toml for Lockstep's, which has other settings too."""
    training = Training(case, images_of(case), epochs)
    training.draw()
    write_safetensors("start.safetensors", training.network.tensors())
    write_config(case, training.images, **{"train.epochs": epochs, **settings})
    return training


def train():
    """Lockstep's: the weights after it."""
    succeed("train", "run.toml", "--quiet", "--out", "run")
    return {name: tensor.double() for name, tensor in read_safetensors("run/model.safetensors").items()}


def largest(tensor):
    return tensor.abs().max().item()


def first_step(case):
    """Of the same network: the first batch is all that there is, and the update is the gradient."""
    of_gradients = ("data.normalize", "model.", "train.l2", "train.label_smoothing", "reduce.")
    settings = {key: value for key, value in case.settings.items() if key.startswith(of_gradients)}
    return replace(case, samples=min(case.samples, case.batch), rate=1.0, settings=settings)


def expect_differences(training, gradients):
    """The derivative of PyTorch's loss along a direction of each tensor is the slope of the loss: from so near that hardly a unit
    of relu or a window of max pooling changes its mind, and the loss's own digits are in the way at 1e-8."""
    step = 1e-7
    for name, gradient in gradients.items():
        weights, losses = training.network.named().get_parameter(name), []
        direction = torch.randint_like(weights, 2) * 2 - 1
        for way in (step, -2 * step, step):
            weights.data += way * direction
            losses.append(training.gradient(0))
        difference = (losses[0] - losses[1]) / (2 * step)
        slope, tolerance = (gradient * direction).sum().item(), 1e-6 * gradient.norm().item() + 2e-8
        assert difference == pytest.approx(slope, rel=0, abs=tolerance), name


def test_every_gradient_is_pytorchs(name):
    case = first_step(CASES[name])
    training = begin(case, epochs=1)
    start, trained = training.network.tensors(), train()
    training.gradient(0)
    tables = {f"layers.{number}": table for number, table in enumerate(training.network.tables)}
    gradients = {tensor: parameter.grad.clone() for tensor, parameter in training.network.named().named_parameters()
                 if parameter.requires_grad and not tables[tensor.rpartition(".")[0]].get("frozen", False)}
    for tensor, expected in training.network.tensors().items():
        if "running" in tensor:
            assert largest(trained[tensor] - expected) <= 1e-6 * largest(expected), tensor
        elif tensor in gradients:
            rate, gradient = tables[tensor.rpartition(".")[0]].get("learning_rate_factor", 1.0), gradients[tensor]
            found = (start[tensor] - trained[tensor]) / rate
            # What rounds the weight, and sums whose terms cancel, as those of biases before batch norm do.
            hidden = 2**-24 * largest(start[tensor]) / rate + 1e-6 * max(map(largest, gradients.values()))
            assert largest(found - gradient) <= 1e-4 * largest(gradient) + hidden, tensor
        else:
            assert torch.equal(trained[tensor], start[tensor]), tensor
    expect_differences(training, gradients)


def test_a_network_is_trained_as_in_pytorch(name):
    case = CASES[name]
    epochs = math.ceil(STEPS / math.ceil(case.samples / case.batch))
    training = begin(case, epochs)
    start, trained = training.network.tensors(), train()

    losses = [training.step(number) for number in range(epochs * training.steps_per_epoch)]
    assert len(losses) >= STEPS
    found = [float(row["loss"]) for row in read_csv("run/steps.csv")]
    assert found == pytest.approx(losses, rel=1e-5)
    for tensor, expected in training.network.tensors().items():
        # Each of some 50 updates rounds a weight by 2^-24 of it at most; gradients are of float32, as is which pixel of a window
        # is the largest.
        error, way = largest(trained[tensor] - expected), largest(expected - start[tensor])
        assert error <= 3e-6 * largest(expected) + 3e-5 * way, tensor

    outputs = training.outputs_of_test_samples()
    succeed("eval", "run", "--predictions")
    rows = read_csv("run/predictions.csv")
    predicted = torch.tensor([[float(row[f"o{k}"]) for k in range(case.classes)] for row in rows])
    assert largest(predicted - outputs) <= 1e-4 * max(1, largest(outputs))
    assert summary_of("run")["test_loss"] == pytest.approx(training.test_loss(), rel=1e-5)
