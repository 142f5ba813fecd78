"""NumPy's files without NumPy: a zip of arrays."""

import io
import math
import struct
import zipfile


def array_bytes(descr, shape, data, fortran_order=False):
    """A .npy file."""
    header = f"{{'descr': {descr if descr.startswith('[') else repr(descr)}, 'fortran_order': {fortran_order}, 'shape': {shape}, }}\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def floats(shape, *values):
    """An array of float32; a single value fills it."""
    count = math.prod(shape)
    numbers = values * count if len(values) == 1 else values
    return array_bytes("<f4", tuple(shape), struct.pack(f"<{count}f", *numbers))


def write_npz(path, compression=zipfile.ZIP_STORED, **arrays):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in arrays.items():
            file.writestr(f"{name}.npy", content)


def read_npz(path):
    """Of each array its type, its shape and its numbers (of text, its bytes)."""
    arrays = {}
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            content = io.BytesIO(file.read(name))
            assert content.read(8) == b"\x93NUMPY\x01\x00"
            length, = struct.unpack("<H", content.read(2))
            header = eval(content.read(length), {"__builtins__": {}}, {})  # a Python literal
            data, kind = content.read(), {"f4": "f", "f8": "d", "i8": "q"}.get(header["descr"][1:])
            numbers = struct.unpack(f"<{math.prod(header['shape'])}{kind}", data) if kind else data
            arrays[name.removesuffix(".npy")] = (header["descr"], header["shape"], numbers)
    return arrays
