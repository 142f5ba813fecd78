#!/usr/bin/env python3
"""Trains a network on CIFAR-10 with PyTorch as Lockstep's configurations do, for launch/bench: same network, data,
normalisation (mean of each pixel), batch, loss and optimizer; the whole set in memory, batches by index_select.

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


def convolutional():
    """The network of lockstep_launch/bench/conv.toml."""

    def normalised(channels):
        norm = torch.nn.BatchNorm2d(channels)
        norm.weight.requires_grad_(False)
        return [norm, torch.nn.ReLU()]

    layers, channels = [torch.nn.Conv2d(3, 24, 2).requires_grad_(False), torch.nn.ReLU()], 24
    for filters in (64, 256, 256):
        layers += [torch.nn.Conv2d(channels, filters, 3, padding=1, bias=False), torch.nn.MaxPool2d(2), *normalised(filters)]
        layers += [torch.nn.Conv2d(filters, filters, 3, padding=1, bias=False), *normalised(filters)]
        channels = filters
    return torch.nn.Sequential(*layers, torch.nn.MaxPool2d(3), torch.nn.Flatten(), torch.nn.Linear(channels, 10, bias=False))


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
        x, model = x.reshape(-1, 3, 32, 32), convolutional().to(memory_format=memory_format)
    else:
        model = dense([int(width) for width in sys.argv[1].split(",")])
    if world > 1:
        torch.distributed.init_process_group("gloo")
        model = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    loss_of = torch.nn.CrossEntropyLoss()
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
