"""What training writes of a network's layers and of what it says over the plane, and eval of its shape: layers.csv, film.csv,
network.csv."""

import math
from dataclasses import dataclass

from .eval_tables import read_plane
from .tables import Table, read_table

QUANTILES = ("p05", "p25", "p50", "p75", "p95")
COLUMNS = ["epoch", "layer", "description", *(f"{of}_{part}" for of in ("output", "gradient") for part in ("mean", "std", *QUANTILES)),
           "dead", "update"]  # fmt: skip


@dataclass
class Layer:
    """A layer's columns over the epochs; nan where there is no such number."""

    name: str
    columns: dict

    def has(self, column):
        return any(map(math.isfinite, self.columns[column]))


@dataclass
class Layers:
    """layers.csv."""

    epochs: list
    layers: list

    @classmethod
    def read(cls, path):
        table = read_table(path, COLUMNS, "layer")
        rows = {}
        for i, number in enumerate(table.texts("layer")):
            rows.setdefault(number, []).append(i)
        epochs = [table.number(i, "epoch") for i in next(iter(rows.values()))]
        numbers = {name: table.numbers(name) for name in COLUMNS[3:]}
        layers = []
        for number, places in rows.items():
            if [table.number(i, "epoch") for i in places] != epochs:
                raise table.problem(f"layer {number} has other epochs than the first")
            name = f"{number} {table.texts('description')[places[0]]}"
            layers.append(Layer(name, {column: [values[i] for i in places] for column, values in numbers.items()}))
        return cls(epochs, layers)


@dataclass
class Film:
    """film.csv: for each of some epochs, a Plane without samples."""

    epochs: list
    planes: list

    @classmethod
    def read(cls, path):
        table = read_table(path, ["epoch", "x0", "x1"], "point")
        frames = {}
        for i, epoch in enumerate(table.texts("epoch")):
            frames.setdefault(epoch, []).append(i)
        planes = [read_plane(Table(path, table.header, [table.rows[i] for i in some], [table.lines[i] for i in some]), {})
                  for some in frames.values()]  # fmt: skip
        return cls([table.number(some[0], "epoch") for some in frames.values()], planes)


@dataclass
class Box:
    """A layer of network.csv, or the input."""

    layer: int
    description: str
    name: str
    outputs: str  # "10", or "32x16x16" of images
    parameters: int
    added: int | None  # the layer whose outputs are added


def read_network(path):
    table = read_table(path, ["layer", "description", "name", "outputs", "parameters", "added"], "layer")
    boxes = []
    for i in range(len(table.rows)):
        added = table.texts("added")[i]
        boxes.append(Box(int(table.number(i, "layer")), table.texts("description")[i], table.texts("name")[i], table.texts("outputs")[i],
                         int(table.number(i, "parameters")), int(table.number(i, "added")) if added else None))  # fmt: skip
    return boxes
