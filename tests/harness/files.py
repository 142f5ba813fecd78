"""The files that the program reads and writes, as a test makes and reads them."""

import csv
import ctypes
import json
import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

TIMES = ("seconds", "samples_per_second", "compute_seconds", "wait_seconds", "transfer_seconds")


def write(path, text):
    """Writes a text or bytes, in a folder that is made where it is missing."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def read(path):
    return Path(path).read_text(encoding="utf-8")


def write_small_config(path="run.toml"):
    """A run of a second or less on 403 samples of the synthetic set, one thread per rank."""
    write(path, """seed = 3
[data]
dataset = "synthetic"
train_samples = 403
test_samples = 150
[model]
hidden = [8]
[train]
epochs = 2
batch_size = 64
learning_rate = 0.05
momentum = 0.9
[compute]
threads = 1
""")


def write_planar_config(path="run.toml", model='hidden = [5]\nactivation = "tanh"\n'):
    """A run of a tenth of a second on 60 points of the plane, 24 of them to test on, in 4 shards."""
    write(path, """seed = 3
[data]
dataset = "circle"
n = 60
noise = 0.1
test_fraction = 0.4
shards = 4
normalize = "none"
[train]
epochs = 4
batch_size = 8
learning_rate = 0.1
momentum = 0.9
[compute]
threads = 1
[model]
""" + model)


def write_black_cifar10(folder):
    """Six files of CIFAR-10's size, all labels and pixels 0, that take no room on the disk."""
    for name in (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"):
        write(Path(folder, name), "")
        resize(Path(folder, name), 30730000)


def write_random_cifar10(folder, images):
    """Six files of CIFAR-10's size, all 0 but for random labels and pixels of so many training and so many test images. Returns
    the pixels of the latter, 3072 bytes each."""
    write_black_cifar10(folder)
    random = Random(1)
    for file in ("data_batch_1.bin", "test_batch.bin"):
        pixels = [random.randbytes(3072) for _ in range(images)]
        with open(Path(folder, file), "r+b") as opened:
            opened.write(b"".join(bytes([random.randrange(10)]) + image for image in pixels))
    return pixels


def set_label(path, record, label):
    """Replaces the label byte of one record of a CIFAR-10 file."""
    with open(path, "r+b") as file:
        file.seek(record * 3073)
        file.write(bytes([label]))


def resize(path, size):
    with open(path, "r+b") as file:
        file.truncate(size)


def header(path):
    """A CSV file's first line."""
    return read(path).split("\n", 1)[0]


def read_csv(path):
    """A CSV file's rows: fields as text, by column."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not [row for row in rows if None in row or None in row.values()], f"{path} has rows of another length"
    return rows


def timeless(rows):
    """The rows without the columns of times, which no two runs share."""
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]


def read_json(path):
    return json.loads(read(path))


def summary_of(run):
    """summary.json of the run in that folder."""
    return read_json(Path(run, "summary.json"))


def weights_hash(run):
    return summary_of(run)["weights_hash"]


@dataclass
class Tensors:
    """A safetensors file: the JSON header and the bytes after it."""

    header: dict = field(default_factory=dict)
    data: bytes = b""

    def add(self, name, dtype, shape, data):
        self.header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(self.data), len(self.data) + len(data)]}
        self.data += data

    def bytes_of(self, name):
        begin, end = self.header[name]["data_offsets"]
        return self.data[begin:end]


def read_safetensors(path):
    content = Path(path).read_bytes()
    end = 8 + struct.unpack_from("<Q", content)[0]
    return Tensors(json.loads(content[8:end]), content[end:])


def write_safetensors(path, tensors):
    text = json.dumps(tensors.header, separators=(",", ":")).encode()
    write(path, struct.pack("<Q", len(text)) + text + tensors.data)


def zero_tensors(*widths):
    """Tensors of zeros for a network of these widths, inputs first, named as the program names them."""
    tensors = Tensors()
    for layer, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        for name, shape in (("weight", (outputs, inputs)), ("bias", (outputs,))):
            tensors.add(f"layers.{layer}.{name}", "F32", shape, bytes(4 * math.prod(shape)))
    return tensors


def xxh3(data):
    """16 hex digits of XXH3-64, as weights_hash and checkpoints have them."""
    function = ctypes.CDLL("libxxhash.so.0").XXH3_64bits
    function.restype, function.argtypes = ctypes.c_uint64, (ctypes.c_char_p, ctypes.c_size_t)
    return f"{function(data, len(data)):016x}"
