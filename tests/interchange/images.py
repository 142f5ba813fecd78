"""Images to train on, as Lockstep's files have them and as PyTorch takes them."""

import csv
import math
from pathlib import Path

import torch

CIFAR10 = (3, 32, 32)  # channels, height, width
RECORD = 1 + math.prod(CIFAR10)  # bytes: a label, then the pixels


def normalized(pixels, train, kind, channels):
    """Numbers (samples, features), each feature in one of the channels, as data.normalize says with the training samples' own
    statistics; in double. Of bytes, `channels` is the image's; numbers of a table are a channel each."""
    if kind == "none":
        return pixels
    mean = train.mean(dim=0)
    if kind == "mean":
        return pixels - mean
    assert kind == "mean_std", kind
    by_channel = train.reshape(len(train), channels, -1)
    of_pixels = train.shape[1] // channels
    deviation = by_channel.std(dim=(0, 2), unbiased=False)
    mean = by_channel.mean(dim=(0, 2))
    return (pixels - mean.repeat_interleave(of_pixels)) / deviation.repeat_interleave(of_pixels)


class TableImages:
    """Images of any shape in CSV files, a row each: those of a class lie around a picture of its own."""

    def __init__(self, shape, classes, train_samples, test_samples):
        features, count = math.prod(shape), train_samples + test_samples
        generator = torch.Generator().manual_seed(features)
        pictures = torch.randn(classes, features, generator=generator)
        labels = torch.arange(count) % classes
        noisy = 0.5 * pictures[labels] + torch.randn(count, features, generator=generator) + 0.3
        pixels = (noisy.double() * 64).round() / 64  # exact in float, and short in a file
        self.train, self.test = pixels[:train_samples], pixels[train_samples:]
        self.train_labels, self.test_labels = labels[:train_samples], labels[train_samples:]
        self.settings = {"data.dataset": "csv", "data.file": "train.csv", "data.test_file": "test.csv", "data.header": "no",
                         "data.image": list(shape)}
        self._write("train.csv", self.train, self.train_labels)
        self._write("test.csv", self.test, self.test_labels)

    def _write(self, name, pixels, labels):
        with open(name, "w", newline="") as file:
            csv.writer(file).writerows([*row, label] for row, label in zip(pixels.tolist(), labels.tolist()))

    def normalized(self, pixels, kind):
        return normalized(pixels, self.train, kind, pixels.shape[1])


class CifarImages:
    """The first training and test images of CIFAR-10's files in a folder."""

    def __init__(self, folder, train_samples, test_samples):
        self.train_labels, self.train = self._read(Path(folder, "data_batch_1.bin"), train_samples)
        self.test_labels, self.test = self._read(Path(folder, "test_batch.bin"), test_samples)
        self.settings = {"data.dataset": "cifar10", "data.dir": str(folder), "data.train_samples": train_samples,
                         "data.test_samples": test_samples}

    def _read(self, path, count):
        """Labels (count) and bytes (count, features)."""
        with open(path, "rb") as file:
            rows = torch.frombuffer(bytearray(file.read(count * RECORD)), dtype=torch.uint8).reshape(count, RECORD)
        return rows[:, 0].long(), rows[:, 1:].double()

    def normalized(self, pixels, kind):
        if kind == "none":
            return pixels
        return pixels / 255 if kind == "scale" else normalized(pixels / 255, self.train / 255, kind, CIFAR10[0])


def make_up_cifar10(folder, classes=10, train_samples=1000, test_samples=1000):
    """Files of CIFAR-10's names and sizes; the first of each has so many records of random pixels, and zeros behind."""
    generator = torch.Generator().manual_seed(1)
    counts = {f"data_batch_{i}.bin": train_samples for i in range(1, 6)} | {"test_batch.bin": test_samples}
    for name, count in counts.items():
        rows = torch.randint(0, 256, (count, RECORD), generator=generator, dtype=torch.uint8)
        rows[:, 0] %= classes
        with open(Path(folder, name), "wb") as file:
            file.write(rows.numpy().tobytes())
            file.truncate(10000 * RECORD)  # the rest takes no room on disk
    Path(folder, "batches.meta.txt").write_text("".join(f"class{i}\n" for i in range(10)))
