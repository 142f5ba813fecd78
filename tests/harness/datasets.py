"""Small data sets in the formats in which people have them. Images of a class have a mark that tells it, so that a network learns."""

import gzip
import io
import struct
import zipfile
import zlib
from pathlib import Path
from random import Random

from .files import resize, write


def marked_image(label, height, width, channels, random):
    """Bytes (channels, height, width): noise, and a bright pixel at the label's place in every channel."""
    image = [bytearray(random.randrange(100) for _ in range(height * width)) for _ in range(channels)]
    for channel in image:
        channel[label % (height * width)] = 255
    return [bytes(channel) for channel in image]


def samples(count, classes, height, width, channels, seed=1):
    """Labels, which take turns, and images of theirs."""
    random = Random(seed)
    labels = [i % classes for i in range(count)]
    return labels, [marked_image(label, height, width, channels, random) for label in labels]


def write_idx(folder, train=96, test=40, packed=False, side=6):
    """Four files in MNIST's form, plain or gzipped."""
    for name, count, seed in (("train", train, 1), ("t10k", test, 2)):
        labels, images = samples(count, 10, side, side, 1, seed)
        for kind, sizes, elements in (("images-idx3", (count, side, side), b"".join(image[0] for image in images)),
                                      ("labels-idx1", (count,), bytes(labels))):
            content = bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + elements
            path = Path(folder, f"{name}-{kind}-ubyte" + (".gz" if packed else ""))
            write(path, gzip.compress(content) if packed else content)


def write_cifar100(folder, images):
    """Files of CIFAR-100's size, all 0 but for so many training and test images; of image i the fine label is i % 100, the coarse
    one i % 20."""
    random = Random(1)
    for name, records in (("train.bin", 50000), ("test.bin", 10000)):
        content = b"".join(bytes([i % 20, i % 100]) + b"".join(marked_image(i % 100, 32, 32, 3, random)) for i in range(images))
        write(Path(folder, name), content)
        resize(Path(folder, name), records * 3074)


def npy(descr, shape, elements, fortran_order=False):
    """An array's file as NumPy writes it."""
    header = repr({"descr": descr, "fortran_order": fortran_order, "shape": tuple(shape)}).encode()
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + elements


def write_npz(path, arrays, packed=True):
    """arrays: names and npy(...)."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as file:
        for name, array in arrays.items():
            file.writestr(f"{name}.npy", array)
    write(path, content.getvalue())


def image_arrays(count=96, test=40, classes=12, height=5, width=6, channels=3):
    """Arrays as Keras names them, channels last."""
    arrays = {}
    for split, size, seed in (("train", count, 1), ("test", test, 2)):
        labels, images = samples(size, classes, height, width, channels, seed)
        pixels = b"".join(bytes(channel[i] for i in range(height * width) for channel in image) for image in images)
        arrays[f"x_{split}"] = npy("|u1", (size, height, width, channels), pixels)
        arrays[f"y_{split}"] = npy("<i8", (size, 1), struct.pack(f"<{size}q", *labels))
    return arrays


def png(height, width, channels):
    """A PNG file of an image's channels, each height * width bytes."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b""
    for y in range(height):
        rows += b"\0" + bytes(channel[y * width + x] for x in range(width) for channel in channels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if len(channels) == 3 else 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write_image_folder(folder, count=48, test=20, classes=("cat", "dog", "eel"), side=6):
    """Folders train and test with folders of PNG images, a class each."""
    for split, size, seed in (("train", count, 1), ("test", test, 2)):
        labels, images = samples(size, len(classes), side, side, 3, seed)
        for number, (label, image) in enumerate(zip(labels, images)):
            write(Path(folder, split, classes[label], f"{number:03}.png"), png(side, side, image))
