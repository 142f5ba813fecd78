#!/usr/bin/env python3
"""Trains a network on CIFAR-10 with PyTorch as Lockstep's configurations do, for launch/bench: same network, data,
batch, loss and optimizer; the whole set in memory, less the mean of each pixel, batches by index_select. Nothing is augmented.

Usage: bench-pytorch.py NETWORK BATCH EPOCHS [SAMPLES [MEMORY_FORMAT]]      NETWORK: hidden widths, as 1024,1024, or conv
MEMORY_FORMAT of the convolutional network: contiguous or channels_last.
Prints the seconds of each epoch. Threads: OMP_NUM_THREADS. Processes: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT
make it one of several, with DistributedDataParallel over gloo; rank 0 prints.
"""

import os
import sys
import time

import numpy as np
import torch

RATE, DECAY = 0.3, 0.00133  # of the convolutional network, at the start


def samples(folder, count):
    """Float32 rows less the mean of each pixel, and labels."""
    records = np.concatenate(
        [np.fromfile(f"{folder}/data_batch_{i}.bin", np.uint8).reshape(-1, 3073) for i in range(1, 6)])[:count]
    pixels = records[:, 1:].astype(np.float32) / 255
    return torch.from_numpy(pixels - pixels.mean(axis=0)), torch.from_numpy(records[:, 0].astype(np.int64))


def dense(widths):
    layers, inputs = [], 3072
    for width in widths:
        layers += [torch.nn.Linear(inputs, width), torch.nn.ReLU()]
        inputs = width
    return torch.nn.Sequential(*layers, torch.nn.Linear(inputs, 10))


class Multiply(torch.nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor


def convolutional():
    """The network of configs/cifar10_fast.toml: (model, its optimizer)."""
    biases = []

    def normalised(channels):
        norm = torch.nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
        norm.weight.requires_grad_(False)
        biases.append(norm.bias)
        return [norm, torch.nn.GELU()]

    whitening = torch.nn.Conv2d(3, 24, 2)  # its filters are not trained
    whitening.weight.requires_grad_(False)
    layers, channels = [whitening, torch.nn.GELU()], 24
    for filters in (64, 256, 256):
        layers += [torch.nn.Conv2d(channels, filters, 3, padding=1, bias=False), torch.nn.MaxPool2d(2), *normalised(filters)]
        layers += [torch.nn.Conv2d(filters, filters, 3, padding=1, bias=False), *normalised(filters)]
        channels = filters
    layers += [torch.nn.MaxPool2d(3), torch.nn.Flatten(), torch.nn.Linear(channels, 10, bias=False), Multiply(1 / 9)]
    weights = [layer.weight for layer in layers if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)) and layer is not whitening]
    groups = [{"params": [*weights, whitening.bias]}, {"params": biases, "lr": 64 * RATE, "weight_decay": DECAY / 64}]
    optimizer = torch.optim.SGD(groups, lr=RATE, momentum=0.85, nesterov=True, weight_decay=DECAY)
    return torch.nn.Sequential(*layers), optimizer


def main():
    batch, epochs = int(sys.argv[2]), int(sys.argv[3])
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 50000
    memory_format = torch.channels_last if sys.argv[5:] == ["channels_last"] else torch.contiguous_format
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    torch.set_num_threads(threads)
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    torch.manual_seed(1)
    x, y = samples(os.environ["CIFAR10_DIR"], count)
    x, y = x[rank::world], y[rank::world]
    if sys.argv[1] == "conv":
        x, (model, optimizer) = x.reshape(-1, 3, 32, 32), convolutional()
        model = model.to(memory_format=memory_format)
        loss_of = torch.nn.CrossEntropyLoss(label_smoothing=0.2)
    else:
        model = dense([int(width) for width in sys.argv[1].split(",")])
        optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
        loss_of = torch.nn.CrossEntropyLoss()
    if world > 1:
        torch.distributed.init_process_group("gloo")
        model = torch.nn.parallel.DistributedDataParallel(model)
    for _ in range(epochs):
        start = time.perf_counter()
        order = torch.randperm(len(x))
        for indices in order.split(batch // world):
            optimizer.zero_grad()
            inputs = x.index_select(0, indices)
            if inputs.dim() == 4:
                inputs = inputs.contiguous(memory_format=memory_format)
            loss = loss_of(model(inputs), y.index_select(0, indices))
            loss.backward()
            optimizer.step()
        if rank == 0:
            print(f"{time.perf_counter() - start:.4f}", flush=True)
    if world > 1:
        torch.distributed.destroy_process_group()


main()
