"""The tables that `lockstep eval` writes for pictures."""

import math
from dataclasses import dataclass

from .run_folder import UnusableRun, read_columns, read_rows


@dataclass
class Confusion:
    names: list
    counts: list  # a row for each true class, a column for each predicted one

    @classmethod
    def read(cls, path):
        header, rows = read_rows(path)
        try:
            counts = [[int(cell) for cell in row[1:]] for row in rows]
        except ValueError as error:
            raise UnusableRun(f"{path}: {error}, expected counts") from None
        if len(rows) != len(header) - 1 or not rows or any(count < 0 for row in counts for count in row):
            raise UnusableRun(f"{path}: {len(rows)} rows for {len(header) - 1} classes, expected counts, a row for each")
        return cls(header[1:], counts)

    def shares(self):
        """The counts as parts of their row; nan in a row of none."""
        return [[count / sum(row) if sum(row) else math.nan for count in row] for row in self.counts]

    def worst(self, most):
        """(share, true class, predicted class) of the most frequent mistakes."""
        mistakes = [(share, self.names[i], self.names[j]) for i, row in enumerate(self.shares())
                    for j, share in enumerate(row) if i != j and share > 0]
        return sorted(mistakes, key=lambda mistake: -mistake[0])[:most]


@dataclass
class Weights:
    """The first units' weights as tiles of one image."""
    width: int
    height: int
    rgb: bytes
    shown: int
    units: int

    MOST_ACROSS = 8  # tiles in a row, and rows

    @classmethod
    def read(cls, path, units):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UnusableRun(f"{path}: not readable: {error.strerror}") from None
        parts = content.split(b"\n", 3)
        try:
            width, height = map(int, parts[1].split())
            whole = parts[0] == b"P6" and parts[2] == b"255" and len(parts[3]) == 3 * width * height > 0 < units
        except (IndexError, ValueError):
            whole = False
        if not whole:
            raise UnusableRun(f"{path}: {len(content)} bytes, expected a binary PPM of three bytes a pixel")
        return cls(width, height, parts[3], units, units).first_tiles()

    def first_tiles(self):
        """As many of the first units as a page has room for. Tiles are square, in rows of the square root of their number,
        with a line between them."""
        across = math.ceil(math.sqrt(self.units))
        pitch, rest = divmod(self.width + 1, across)
        if rest or self.units <= self.MOST_ACROSS ** 2:
            return self
        side = self.MOST_ACROSS * pitch - 1
        image = bytearray(b"\xff" * (3 * side * side))
        for unit in range(self.MOST_ACROSS ** 2):
            for y in range(pitch - 1):
                start = 3 * ((unit // across * pitch + y) * self.width + unit % across * pitch)
                to = 3 * ((unit // self.MOST_ACROSS * pitch + y) * side + unit % self.MOST_ACROSS * pitch)
                image[to:to + 3 * (pitch - 1)] = self.rgb[start:start + 3 * (pitch - 1)]
        return Weights(side, side, bytes(image), self.MOST_ACROSS ** 2, self.units)


@dataclass
class Grid:
    """What a network says on the plane (200 x 200 points, columns x0, x1, predicted, p_cat, p_dog, ...) or along a line (x0, output,
    target where it is known); and the samples, if there is a table of them."""
    columns: dict        # numbers by column; "predicted" is left out
    classes: list        # their names, in the order of their probabilities; of a line none
    points: dict | None  # "train", "test": columns, "class" as a place in `classes`

    @property
    def in_plane(self):
        return "x1" in self.columns

    @classmethod
    def read(cls, path, points_path):
        header, _ = read_rows(path)
        in_plane = "x1" in header
        columns = read_columns(path, ["x0", "x1"] if in_plane else ["x0", "output"], but="predicted")
        classes = [name[2:] for name in columns if name.startswith("p_")]
        if in_plane and len(classes) < 2:
            raise UnusableRun(f"{path}: columns of {len(classes)} classes (p_NAME), expected at least 2")
        if not columns["x0"] or not all(map(math.isfinite, sum(columns.values(), []))):
            raise UnusableRun(f"{path}: no points, or numbers that are none, expected a row for each point")
        points = None
        if points_path.exists():
            names, rows = read_rows(points_path)
            try:
                split = names.index("split")
                label = names.index("class") if in_plane else None
                numbers = {kind: [[classes.index(cell) if k == label else float(cell)
                                   for k, cell in enumerate(row) if k != split] for row in rows if row[split] == kind]
                           for kind in ("train", "test")}
            except ValueError as error:
                raise UnusableRun(f"{points_path}: {error}, expected numbers, the grid's classes and a column split") from None
            names.pop(split)
            points = {kind: dict(zip(names, zip(*some))) for kind, some in numbers.items() if some}
        return cls(columns, classes, points)
