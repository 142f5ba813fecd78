"""TensorBoard's event files, read as their formats are described: TFRecord framing, and messages of Protocol Buffers.

Debian 12 and 13 have no package of TensorBoard, whose own reader would do.
"""

import io
import struct
from dataclasses import dataclass, field
from pathlib import Path

import PIL.Image


@dataclass
class Event:
    time: float = 0.0
    step: int = 0
    version: str = ""
    starts: bool = False  # a session: what has been read of this step and later ones is no longer so
    scalars: dict = field(default_factory=dict)
    images: dict = field(default_factory=dict)  # Image by tag


@dataclass
class Image:
    width: int
    height: int
    rows: list  # each of 3 * width bytes


def crc32c(data):
    """Bit by bit, RFC 3720."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(crc):
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(content):
    """The contents of a file's records. Raises AssertionError where one is not whole or its checksums are others."""
    at = 0
    while at < len(content):
        length, of_length = struct.unpack_from("<QI", content, at)
        assert of_length == masked(crc32c(content[at:at + 8])), f"the checksum of the length at {at}"
        data = content[at + 12:at + 12 + length]
        (of_data,) = struct.unpack_from("<I", content, at + 12 + length)
        assert of_data == masked(crc32c(data)), f"the checksum of the record at {at}"
        yield data
        at += 12 + length + 4


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(message):
    """(number, value) of each field: an int, or bytes."""
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = varint(message, at)
        else:
            size, at = varint(message, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
            value, at = message[at:at + size], at + size
            assert len(value) == size, "the message ends within a field"
        yield number, value


def read_png(content):
    with PIL.Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        pixels, size = image.tobytes(), 3 * image.width
        return Image(image.width, image.height, [pixels[y * size:(y + 1) * size] for y in range(image.height)])


def event(message):
    """tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto."""
    read = Event()
    for number, value in fields(message):
        if number == 1:
            (read.time,) = struct.unpack("<d", value)
        elif number == 2:
            read.step = value
        elif number == 3:
            read.version = value.decode()
        elif number == 7:
            read.starts = dict(fields(value)) == {1: 1}
        else:
            assert number == 5, f"a field {number} of an event"
            for of_summary, entry in fields(value):
                assert of_summary == 1, f"a field {of_summary} of a summary"
                entry = dict(fields(entry))
                tag = entry.pop(1).decode()
                if 2 in entry:
                    (read.scalars[tag],) = struct.unpack("<f", entry.pop(2))
                else:
                    image = dict(fields(entry.pop(4)))
                    read.images[tag] = read_png(image[4])
                    assert (image[1], image[2], image[3]) == (read.images[tag].height, read.images[tag].width, 3)
                assert not entry, f"other fields of a value: {entry}"
    return read


def read_events(folder):
    """All events of a run folder, as TensorBoard reads them: file by file in the order of their names."""
    files = sorted(Path(folder).glob("*tfevents*"))
    return [event(record) for file in files for record in records(file.read_bytes())]


def curve(events, tag):
    """(step, value) of each point."""
    return [(event.step, event.scalars[tag]) for event in events if tag in event.scalars]
