"""The networks of Lockstep's configurations in PyTorch, and the weight files that both read."""

import json
import struct
from pathlib import Path

import torch
from torch import nn

ACTIVATIONS = {
    "identity": lambda model: nn.Identity(),
    "sigmoid": lambda model: nn.Sigmoid(),
    "tanh": lambda model: nn.Tanh(),
    "relu": lambda model: nn.ReLU(),
    "leaky_relu": lambda model: nn.LeakyReLU(model["leaky_slope"]),
    "elu": lambda model: nn.ELU(model["elu_alpha"]),
    "gelu": lambda model: nn.GELU(),
}
OF_IMAGES = ("whiten", "conv", "max_pool", "average_pool", "global_average_pool")


def read_safetensors(path, floats_only=False):
    """Every tensor by its name: 8 bytes with the length of the JSON header, the header, the numbers. floats_only: those of another
    type are left out, which else there must not be."""
    content = Path(path).read_bytes()
    length, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if floats_only and entry["dtype"] != "F32":
            continue
        assert entry["dtype"] == "F32", f"{name} has type {entry['dtype']}"
        begin, end = entry["data_offsets"]
        numbers = torch.frombuffer(bytearray(content[8 + length + begin:8 + length + end]), dtype=torch.float32)
        tensors[name] = numbers.reshape(entry["shape"])
    return tensors


def write_safetensors(path, tensors):
    """Whole numbers as I64, others as F32."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        dtype = "F32" if tensor.is_floating_point() else "I64"
        numbers = (tensor.float() if dtype == "F32" else tensor).detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers
    text = json.dumps(header).encode()
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


class Sequence(nn.Sequential):
    """Whose modules Add add the output of an earlier module, by its number."""

    def forward(self, x):
        outputs = []
        for module in self:
            x = module(x + outputs[module.number] if isinstance(module, Add) else x)
            outputs.append(x)
        return x


class Add(nn.Identity):
    def __init__(self, number):
        super().__init__()
        self.number = number


class Multiply(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


class Network:
    """The network of a list of tables as [[model.layers]] has them, whose unnamed keys have their defaults, and of what else
    [model] says.

    modules: an nn.Sequential that takes rows (samples, features), a feature being a pixel of a channel where `image` is their
    (channels, height, width); layers: those with parameters or statistics, in order; tables: the table of each of them.
    """

    def __init__(self, tables, model, features, outputs, image=None):
        self._model, self._outputs = model, outputs
        self._features, self._image, self._by_channel = features, image, False  # what the next layer gets
        self._modules, self._numbers, self.layers, self.tables = [], {}, [], []
        for table in tables:
            self._append(table)
            self._numbers[table.get("name")] = len(self._modules) - 1
        self._give_rows()
        self.modules = Sequence(*self._modules)

    def named(self):
        """The same weights under the names of Lockstep's files."""
        return nn.ModuleDict({"layers": nn.ModuleList(self.layers)})

    def tensors(self):
        """A copy of them."""
        return {name: tensor.detach().clone() for name, tensor in self.named().state_dict().items() if not is_count(name)}

    def load(self, tensors):
        """Takes the numbers of a file, which must have every name, and none more."""
        counts = {name: tensor for name, tensor in self.named().state_dict().items() if is_count(name)}
        self.named().load_state_dict(tensors | counts)

    def draw(self):
        """Weights as PyTorch draws them. What batch norm has is of the order of 1, so that each of its numbers matters."""
        for layer in self.layers:
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                for parameter in layer.parameters():
                    nn.init.uniform_(parameter, 0.5, 1.5)
                layer.running_mean.uniform_(-1, 1)
                layer.running_var.uniform_(0.5, 2)
            else:
                layer.reset_parameters()

    def _append(self, table):
        kind = table["type"]
        if kind in OF_IMAGES or kind == "batch_norm" and self._image:
            self._give_images()
        if kind in ("dense", "flatten"):
            self._give_rows()
        if kind == "flatten":
            return
        module = self._module(kind, table)
        self._modules.append(module)
        if kind in ("dense", "whiten", "conv", "batch_norm"):
            self.layers.append(module)
            self.tables.append(table)
        if self._by_channel:
            self._image = tuple(module.eval()(torch.zeros(1, *self._image)).shape[1:])
            self._features = torch.Size(self._image).numel()
        elif kind == "dense":
            self._features = module.out_features

    def _give_images(self):
        if not self._by_channel:
            self._modules.append(nn.Unflatten(1, self._image))
        self._by_channel = True

    def _give_rows(self):
        if self._by_channel:
            self._modules.append(nn.Flatten())
        self._by_channel, self._image = False, None

    def _module(self, kind, table):
        if kind == "dense":
            return nn.Linear(self._features, table.get("units", 0) or self._outputs, bias=table.get("bias", True))
        if kind == "conv":
            padding = table.get("padding", "same")
            padding = padding if padding in ("same", "valid") else int(padding)
            return nn.Conv2d(self._image[0], table["filters"], table["size"], table.get("stride", 1), padding,
                             bias=table.get("bias", True))
        if kind == "whiten":
            channels, size = self._image[0], table["size"]
            layer = nn.Conv2d(channels, 2 * channels * size**2, size, bias=table.get("bias", True))
            layer.weight.requires_grad = False
            return layer
        if kind == "max_pool":
            return nn.MaxPool2d(table["size"], table.get("stride"))
        if kind == "average_pool":
            return nn.AvgPool2d(table["size"], table.get("stride"))
        if kind == "global_average_pool":
            return nn.AdaptiveAvgPool2d(1)
        if kind == "batch_norm":
            of_images, channels = (nn.BatchNorm2d, self._image[0]) if self._by_channel else (nn.BatchNorm1d, self._features)
            norm = of_images(channels, table.get("epsilon", 1e-5), table.get("momentum", 0.1))
            norm.weight = norm.weight if table.get("scale", True) else None
            norm.bias = norm.bias if table.get("shift", True) else None
            return norm
        if kind == "dropout":
            return nn.Dropout(table["rate"])
        if kind == "add":
            return Add(self._numbers[table["from"]])
        if kind == "multiply":
            return Multiply(table["factor"])
        return ACTIVATIONS[kind](self._model)


def is_count(name):
    """Of PyTorch's batch norm; Lockstep's files have none, for nothing depends on it."""
    return name.endswith("num_batches_tracked")
