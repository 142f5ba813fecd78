"""The arrays of lockstep trace-step are PyTorch's, of double precision: of every course configuration, of a small convolutional
network with batch norm, and of one with nearly every kind of layer."""

import os
import tomllib

import numpy as np
import pytest
import torch
from harness.files import write
from harness.process import lockstep, settings, succeed
from harness.shipped import CONFIGS, CONFIGURATIONS
from images import make_up_cifar10
from networks import Add, Network
from torch import nn

COURSES = [name for name in CONFIGURATIONS if name.startswith("courses/")]
# A configuration, a step, and how far float32 may be from double precision: further where there are twenty layers.
STEPS = [(name, step, 1e-6) for name in COURSES for step in (1, 3)] + [("cifar10_cnn.toml", 2, 1e-6), ("every_layer.toml", 3, 1e-5)]


class Masked(nn.Module):
    """Dropout with the units that the step drops."""

    def __init__(self, masks):
        super().__init__()
        self.masks = masks

    def forward(self, x):
        return x * self.masks[self.rows].reshape(x.shape)


def tables_of(model):
    """The network as [[model.layers]] has it."""
    if "layers" in model:
        return model["layers"]
    layers = []
    for units in model["hidden"]:
        layers += [{"type": "dense", "units": units}, {"type": model["activation"]}]
    return layers + [{"type": "dense"}, {"type": model.get("output_activation", "identity")}]


class Step:
    """PyTorch's step from what a file's begins with: outputs and their gradients by number, parameters with their gradients."""

    def __init__(self, file):
        self.file, config = file, tomllib.loads(str(file["config"]))
        self.train, model = config["train"], {"leaky_slope": 0.1, "elu_alpha": 1.0, **config["model"]}
        self.loss = model["loss"]
        self.x, self.targets = self.tensor("inputs"), torch.from_numpy(file["targets"])
        image = tuple(self.x.shape[1:]) if self.x.dim() == 4 else None
        last = max(int(name.split(".")[1]) for name in file.files if name.startswith("outputs."))
        self.outputs = file[f"outputs.{last}"].shape[1]
        self.network = Network(tables_of(model), model, self.x[0].numel(), self.outputs, image)
        self.network.load({name: self.tensor(name) for name in self.network.tensors()})
        self.modules = self.network.modules.double().train()
        self.found, self.gradients = {}, {}
        self.look()

    def tensor(self, name):
        return torch.from_numpy(self.file[name]).double()

    def look(self):
        """Notes each layer's output and its gradient, numbered as Lockstep numbers layers."""
        number, self.masked = 0, []
        numbers = {}
        for place, module in enumerate(self.modules):
            shape = self.shape_of(place)
            if isinstance(module, nn.Identity) and not isinstance(module, Add):
                continue
            if isinstance(module, nn.Flatten) and shape.numel() == shape[0]:
                continue  # of one pixel: there is nothing to do
            number += 1
            numbers[place] = number
            if isinstance(module, nn.Dropout):
                self.modules[place] = Masked(self.tensor(f"masks.{number}"))
                self.masked.append(self.modules[place])
        for place, number in numbers.items():
            self.modules[place].register_forward_hook(lambda _, __, y, number=number: self.note(number, y))

    def shape_of(self, place):
        """Of what a module is given, without samples."""
        x = self.x.flatten(1)[:1]
        with torch.no_grad():
            for module in list(self.modules)[:place]:
                keeps_shape = isinstance(module, (Add, Masked, nn.Dropout, nn.modules.batchnorm._BatchNorm))
                x = x if keeps_shape else module(x)
        return x.shape[1:]

    def note(self, number, y):
        y.retain_grad()
        self.parts.setdefault(number, []).append(y)

    def run(self):
        """The whole step, micro-batch by micro-batch; the loss."""
        self.parts, running, self.averages = {}, dict(self.network.named().named_buffers()), []
        x = self.x.flatten(1).requires_grad_()
        before = {name: buffer.clone() for name, buffer in running.items()}
        l2 = 0.5 * self.train["l2"] * sum(w.square().sum() for w in self.decayed())
        if self.train["l2"]:
            l2.backward()
        first, loss = 0, l2.item()
        for rows in self.file["micro_batches"]:
            rows = slice(first, first + int(rows))
            first = rows.stop
            for module in self.masked:
                module.rows = rows
            for name, buffer in running.items():
                buffer.copy_(before[name])
            part = self.sum_of_losses(self.modules(x[rows]), self.targets[rows]) / len(x)
            part.backward()
            loss += part.item()
            self.averages.append({name: buffer.clone() for name, buffer in running.items()})
        self.dx = x.grad.reshape(self.x.shape)
        self.found = {number: torch.cat([part.detach() for part in parts]) for number, parts in self.parts.items()}
        self.gradients = {number: torch.cat([part.grad for part in parts]) for number, parts in self.parts.items()}
        return loss

    def decayed(self):
        for layer, table in zip(self.network.layers, self.network.tables):
            if table["type"] in ("dense", "conv") and not table.get("frozen", False):
                yield layer.weight

    def sum_of_losses(self, outputs, targets):
        if self.loss == "cross_entropy":
            return nn.functional.cross_entropy(outputs, targets, reduction="sum", label_smoothing=self.train.get("label_smoothing", 0.0))
        if self.loss == "binary_cross_entropy":
            return nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], targets.double(), reduction="sum")
        if outputs.shape[1] > 1:
            targets = nn.functional.one_hot(targets, outputs.shape[1])
        return (outputs - targets.reshape(outputs.shape)).square().sum() * (0.5 if self.loss == "half_mse" else 1.0)

    def update(self):
        """torch.optim.SGD, from the velocity before."""
        decayed = set(self.decayed())
        learning = [p for layer, table in zip(self.network.layers, self.network.tables) for p in layer.parameters()
                    if p.requires_grad and not table.get("frozen", False)]
        groups = [{"params": [p], "weight_decay": self.train["weight_decay"] if p in decayed else 0.0} for p in learning]
        optimizer = torch.optim.SGD(groups, lr=float(self.file["learning_rate"]), momentum=self.train["momentum"],
                                    nesterov=self.train["nesterov"])
        names = {p: name for name, p in self.network.named().named_parameters()}
        if self.train["momentum"]:
            for p in learning:
                optimizer.state[p]["momentum_buffer"] = self.tensor(f"{names[p]}.velocity.before")
        optimizer.step()
        for name, buffer in self.network.named().named_buffers():
            buffer.copy_(sum(after[name] for after in self.averages) / len(self.averages))
        return {f"{names[p]}.velocity": optimizer.state[p]["momentum_buffer"] for p in learning if self.train["momentum"]}


def expect_equal(name, found, expected, tolerance):
    """Relative to the largest, or to 1 where all are smaller. Pixels that no pooling layer reads are not computed."""
    if expected.dim() == 4:
        expected = expected[:, :, :found.shape[2], :found.shape[3]]
    assert found.shape == expected.shape, name
    error = (torch.from_numpy(found).double() - expected).abs().max().item()
    assert error <= tolerance * max(1.0, expected.abs().max().item()), f"{name}: {error}"


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name, number, tolerance", STEPS)
def test_every_array_is_pytorchs(name, number, tolerance):
    words = settings("data.train_samples=103", "train.batch_size=56")
    if "cifar10" in (CONFIGS / name).read_text():
        folder = os.environ.get("CIFAR10_DIR") or "."
        if folder == ".":
            make_up_cifar10(folder)
        words = settings("data.train_samples=103", "data.test_samples=100", "train.batch_size=56", f"data.dir={folder}")
    out = succeed("trace-step", CONFIGS / name, *words, "--step", number, "--out", "step.npz").out
    file = np.load("step.npz")
    assert str(file["README"]).startswith(f"One training step, number {number}, of the configuration {name[:-5].split('/')[-1]}, ")
    step = Step(file)
    start = step.network.tensors()
    assert float(file["loss"]) == pytest.approx(step.run(), rel=1e-6)
    expect_equal("inputs.grad", file["inputs.grad"], step.dx, tolerance)
    numbers = {int(array.split(".")[1]) for array in file.files if array.startswith("outputs.")}
    assert numbers == set(step.found), "layers are numbered in another way"
    for k in numbers:
        expect_equal(f"outputs.{k}", file[f"outputs.{k}"], step.found[k], tolerance)
        expect_equal(f"outputs.{k}.grad", file[f"outputs.{k}.grad"], step.gradients[k], tolerance)
    gradients = {tensor: parameter.grad for tensor, parameter in step.network.named().named_parameters()}
    of_parameters = [array[:-5] for array in file.files if array.startswith("layers.") and array.endswith(".grad")]
    assert of_parameters
    for tensor in of_parameters:
        expect_equal(f"{tensor}.grad", file[f"{tensor}.grad"], gradients[tensor], tolerance)
    for array, velocity in step.update().items():
        expect_equal(array, file[array], velocity, tolerance)
    for tensor, value in step.network.tensors().items():
        expect_equal(f"{tensor}.updated", file[f"{tensor}.updated"], value, tolerance)
    assert any((start[tensor] - value).abs().max() > 0 for tensor, value in step.network.tensors().items())
    assert "difference from float64" in out


def test_other_ways_to_name_arrays_and_other_types_are_read():
    """Aliases, transposed weights, columns for samples, one-hot classes, compressed files, Fortran order, float16, big-endian."""
    write("run.toml", '[data]\ndataset = "spiral"\nn = 100\n[model]\nhidden = [5, 4]\nactivation = "tanh"\n[train]\nbatch_size = 16\n')
    succeed("trace-step", "run.toml", "--out", "step.npz")
    step = np.load("step.npz")
    W1, W2, X = step["layers.0.weight"], step["layers.1.weight"], step["inputs"]
    one_hot = np.eye(2)[step["targets"]]
    files = {
        "names": {"X": X, "y": step["targets"], "W1": W1, "b1": step["layers.0.bias"], "loss": step["loss"]},
        "weights transposed": {"W1": W1.T, "dW2": step["layers.1.weight.grad"].T, "W2_new": step["layers.1.weight.updated"].T},
        "samples as columns": {"X": X.T, "z1": step["outputs.1"].T, "y": one_hot.T},
        "one-hot": {"y": one_hot.astype(np.float32)},
        "added lengths": {"b1": step["layers.0.bias"][None], "db2": step["layers.1.bias.grad"][:, None], "loss": step["loss"][None]},
        "types": {"W1": np.asfortranarray(W1), "W2": W2.astype(">f4"), "X": X.astype(np.float16), "z2": step["outputs.3"].astype(">f8")},
    }
    for name, arrays in files.items():
        for save in (np.savez, np.savez_compressed):
            save("mine.npz", **arrays)
            outcome = lockstep("compare", "mine.npz", "--against", "step.npz")
            assert (outcome.code, outcome.err) == (0, ""), (name, outcome.out)
            assert (("compared transposed" in outcome.out) == (name in ("weights transposed", "samples as columns"))), name
