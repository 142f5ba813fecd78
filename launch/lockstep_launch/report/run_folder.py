"""A run's folder as Python values. What cannot be read is a Failure whose line names the file, what was found and what was
expected."""

import json
import struct
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from ..layer_tables import Film, Layers
from ..run_tables import Gradients, Metrics
from ..script import Failure
from ..tables import read_text
from ..words import amount


@dataclass
class Run:
    folder: Path
    name: str
    metrics: Metrics
    gradients: Gradients | None
    layers: Layers | None
    film: Film | None
    summary: dict | None  # of a finished run
    config: dict  # "section.key": text
    weights: Path | None  # the model, or the newest checkpoint of a run that is not finished
    shapes: dict  # tensor of the network: its shape
    tables: dict = field(default_factory=dict)  # "confusion", "mistakes", "weights", "grid" or "network": what is read
    notes: list = field(default_factory=list)  # why a table is not there: (words, command that makes it)

    @property
    def hash(self):
        return str(self.summary.get("weights_hash", "")) if self.summary else ""

    @property
    def layout(self):
        """2 ranks × 1 thread; a dash of a run that is not finished."""
        if not self.summary:
            return "–"
        ranks, threads = self.summary.get("ranks", "?"), self.summary.get("threads", "?")
        return f"{amount(ranks, 'rank')} × {amount(threads, 'thread')}"


def read_summary(path):
    try:
        summary = json.loads(read_text(path))
    except ValueError as error:
        raise Failure(3, f"{path}: not JSON ({error}), expected the summary of a run") from None
    if not isinstance(summary, dict) or not all(isinstance(summary.get(key), dict) for key in ("config", "provenance")):
        raise Failure(3, f"{path}: no object with config and provenance, expected the summary of a run")
    return summary


def read_config(path):
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise Failure(3, f"{path}: not TOML ({error}), expected the configuration of a run") from None


def layer_text(layer):
    """dense(units=64, bias=False): what is not as it always is."""
    options = [f"{key}={value}" for key, value in layer.items()
               if key != "type" and value not in (0, "", None) and not (key == "bias" and value is True)]
    return str(layer.get("type", "?")) + (f"({', '.join(options)})" if options else "")


def flat(config, prefix=""):
    """{"data": {"n": 1}} as {"data.n": "1"}."""
    values = {}
    for key, value in config.items():
        if isinstance(value, dict):
            values.update(flat(value, f"{prefix}{key}."))
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            values[prefix + key] = ", ".join(map(layer_text, value))
        else:
            values[prefix + key] = value if isinstance(value, str) else json.dumps(value)
    return values


def read_shapes(path):
    """The shapes in a safetensors file's header."""
    try:
        with open(path, "rb") as file:
            length, = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, 1 << 24)))
        return {name: [int(size) for size in entry["shape"]] for name, entry in header.items() if name.startswith("layers.")}
    except (OSError, struct.error, ValueError, AttributeError, KeyError, TypeError):
        raise Failure(3, f"{path}: not readable, expected weights in safetensors format") from None


def newest_weights(folder):
    if (folder / "model.safetensors").exists():
        return folder / "model.safetensors"
    checkpoints = (folder / "checkpoints").glob("step-*.safetensors")
    return max(checkpoints, key=lambda path: (len(path.name), path.name), default=None)


def read_run(folder, name):
    if not folder.is_dir():
        raise Failure(3, f"{folder}: no such folder, expected that of a run")
    if not (folder / "metrics.csv").exists():
        raise Failure(3, f"{folder}/metrics.csv: no such file, expected the metrics of a run")
    metrics = Metrics.read(folder / "metrics.csv")
    gradients, layers, film = (kind.read(folder / table) if (folder / table).exists() else None
                               for kind, table in ((Gradients, "gradients.csv"), (Layers, "layers.csv"), (Film, "film.csv")))  # fmt: skip
    summary = read_summary(folder / "summary.json") if (folder / "summary.json").exists() else None
    config = {}
    if summary:
        config = summary["config"]
    elif (folder / "config.toml").exists():
        config = read_config(folder / "config.toml")
    weights = newest_weights(folder)
    return Run(folder, name, metrics, gradients, layers, film, summary, flat(config), weights, read_shapes(weights) if weights else {})
