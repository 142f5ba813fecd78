"""The tables that `lockstep eval` writes for pictures: grid.csv with points.csv, confusion.csv, weights.ppm, mistakes.csv with
mistakes.ppm."""

import math
from dataclasses import dataclass, field

from .tables import read_table
from .script import Failure

MAX_SAMPLES = 600  # of training, and of test, in a picture


@dataclass
class Samples:
    """Those of points.csv of training or of test: their columns by name, x0 and x1 and class (a name), or x0 and target."""

    columns: dict = field(default_factory=dict)

    def __len__(self):
        return len(self.columns.get("x0", ()))

    def __getitem__(self, name):
        return self.columns[name]


def read_samples(path, names):
    """{"train": Samples, "test": Samples}, of each MAX_SAMPLES at most, evenly. names: the columns beside split."""
    table = read_table(path, [*names, "split"], "sample")
    columns = {name: table.texts(name) if name == "class" else table.numbers(name) for name in names}
    rows = {"train": [], "test": []}
    for i, split in enumerate(table.texts("split")):
        if split not in rows:
            raise table.problem(f"line {table.lines[i]}: split is '{split}', expected train or test")
        rows[split].append(i)
    return {
        split: Samples({name: [column[i] for i in some[:: -(-len(some) // MAX_SAMPLES) or 1]]
                        for name, column in columns.items()})
        for split, some in rows.items()
    }  # fmt: skip


@dataclass
class Plane:
    """What a network of two inputs says: probabilities has a list for each of the classes, of rows from the lowest x1 up, each
    of len(x0) points from the left."""

    x0: list
    x1: list
    classes: list  # their names
    probabilities: list
    samples: dict


@dataclass
class Line:
    """What a network of one input says, and the target where it is known, else None."""

    x0: list
    output: list
    target: list | None
    samples: dict

    def errors(self):
        """|output - target| of each point; [] where no target is known."""
        return [abs(a - b) for a, b in zip(self.output, self.target or [])]


def read_grid(path, points):
    """A Plane or a Line; `points`, the samples' table, need not be there."""
    table = read_table(path, ["x0"], None)
    if "x1" in table.place:
        samples = read_samples(points, ["x0", "x1", "class"]) if points.exists() else {}
        return read_plane(read_table(path, ["x0", "x1"], "point"), samples)
    table = read_table(path, ["x0", "output"], "point")
    target = table.numbers("target") if "target" in table.place else None
    samples = read_samples(points, ["x0", "target"]) if points.exists() else {}
    return Line(table.numbers("x0"), table.numbers("output"), target, samples)


def read_plane(table, samples):
    classes = [name.removeprefix("p_") for name in table.header if name.startswith("p_")]
    if len(classes) < 2:
        raise table.problem(f"no columns p_CLASS of two classes or more, found '{','.join(table.header)[:80]}'")
    columns = [table.numbers(f"p_{name}") for name in classes]
    heights = table.numbers("x1")
    starts = [i for i, x1 in enumerate(heights) if i == 0 or x1 != heights[i - 1]]  # of the lines of equal x1
    across = (starts + [len(heights)])[1] if starts else 0
    for start, end in zip(starts, starts[1:] + [len(heights)]):
        if end - start != across:
            raise table.problem(f"x1 = {heights[start]:g} has {end - start} points, expected {across} as before")
    if across < 2 or len(starts) < 2:
        raise table.problem(f"a grid of {across} x {len(starts)} points, expected at least 2 x 2")
    if heights[starts[0]] > heights[starts[-1]]:
        starts.reverse()
    rows = [[column[start : start + across] for start in starts] for column in columns]
    return Plane(table.numbers("x0")[:across], [heights[start] for start in starts], classes, rows, samples)


@dataclass
class Confusion:
    """confusion.csv: the classes, and of each true one a row of counts, one for each class that it was taken for."""

    names: list
    counts: list

    @classmethod
    def read(cls, path):
        table = read_table(path, ["actual"], "class")
        names = [name for name in table.header if name != "actual"]
        actual, columns = table.texts("actual"), [table.numbers(name) for name in names]
        for name, expected, line in zip(actual, names, table.lines):
            if name != expected:
                raise table.problem(f"line {line}: actual is '{name}', expected '{expected}' as in the header")
        if len(actual) != len(names):
            raise table.problem(f"{len(actual)} classes have a line, expected {len(names)} as in the header")
        counts = [list(row) for row in zip(*columns)]
        for row, line in zip(counts, table.lines):
            if not all(count >= 0 and count == int(count) for count in row):
                raise table.problem(f"line {line}: a number that is not a count, expected whole numbers from 0")
        if not sum(map(sum, counts)):
            raise table.problem("no sample in any class, expected counts")
        return cls(names, [[int(count) for count in row] for row in counts])

    @property
    def samples(self):
        return sum(map(sum, self.counts))

    @property
    def right(self):
        return sum(row[i] for i, row in enumerate(self.counts))

    def shares(self):
        """The counts as parts of their row; nan in a row of none."""
        return [[count / sum(row) if sum(row) else math.nan for count in row] for row in self.counts]

    def worst(self, most):
        """(share, true class, predicted class) of the most frequent mistakes."""
        mistakes = [(share, self.names[i], self.names[j]) for i, row in enumerate(self.shares())
                    for j, share in enumerate(row) if i != j and share > 0]  # fmt: skip
        return sorted(mistakes, key=lambda mistake: -mistake[0])[:most]


@dataclass
class Tiles:
    """weights.ppm, mistakes.ppm: small images as tiles of one, rows of 3 bytes a pixel. Tiles are of one size, in rows of the
    square root of their number, with a line of a pixel between them."""

    width: int
    height: int
    rgb: bytes

    @classmethod
    def read(cls, path):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Failure(3, f"{path}: not readable: {error.strerror}") from None
        magic, size, deepest, pixels = (content.split(b"\n", 3) + [b""] * 3)[:4]
        numbers = size.split()
        if magic != b"P6" or deepest != b"255" or len(numbers) != 2 or not all(n.isdigit() and int(n) for n in numbers):
            raise Failure(3, f"{path}: not a binary PPM, expected it to begin with the lines P6, WIDTH HEIGHT and 255")
        width, height = map(int, numbers)
        expected = len(content) - len(pixels) + 3 * width * height
        if len(content) != expected:
            raise Failure(3, f"{path}: {len(content)} bytes, expected {expected} for {width} x {height} pixels")
        return cls(width, height, pixels)

    def first_tiles(self, units, side=8):
        """(the image of as many of the first units as side x side tiles hold, how many). Tiles are square."""
        across = math.ceil(math.sqrt(units))
        pitch, rest = divmod(self.width + 1, across)
        if rest or units <= side**2:
            return self, units
        across_now = side * pitch - 1
        image = bytearray(b"\xff" * (3 * across_now**2))
        for unit in range(side**2):
            for y in range(pitch - 1):
                start = 3 * ((unit // across * pitch + y) * self.width + unit % across * pitch)
                to = 3 * ((unit // side * pitch + y) * across_now + unit % side * pitch)
                image[to : to + 3 * (pitch - 1)] = self.rgb[start : start + 3 * (pitch - 1)]
        return Tiles(across_now, across_now, bytes(image)), side**2

    def tile(self, place, count):
        """That one of so many, by itself."""
        across = math.ceil(math.sqrt(count))
        wide, high = (self.width + 1) // across - 1, (self.height + 1) // math.ceil(count / across) - 1
        left, top = place % across * (wide + 1), place // across * (high + 1)
        starts = [3 * (y * self.width + left) for y in range(top, top + high)]
        return Tiles(wide, high, b"".join(self.rgb[start : start + 3 * wide] for start in starts))


@dataclass
class Mistake:
    row: str  # its number where the data set has it
    actual: str
    predicted: str
    probability: float  # of the predicted class
    image: Tiles


def read_mistakes(path):
    """Of mistakes.csv and, beside it, mistakes.ppm: a list, surest first."""
    table = read_table(path, ["row", "actual", "predicted", "probability"], None)
    count, sheet = len(table.rows), Tiles.read(path.with_suffix(".ppm"))
    across = math.ceil(math.sqrt(count))
    if count and ((sheet.width + 1) % across or (sheet.height + 1) % math.ceil(count / across)):
        raise table.problem(f"{count} mistakes, expected as many as {path.with_suffix('.ppm').name} has tiles")
    columns = [table.texts(name) for name in ("row", "actual", "predicted")]
    return [Mistake(*told, sheet.tile(i, count)) for i, told in enumerate(zip(*columns, table.numbers("probability")))]
