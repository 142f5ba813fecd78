"""What `lockstep sanity --out` writes: sanity.json and, of images, sanity.ppm."""

import json
from dataclasses import dataclass

from .eval_tables import Tiles
from .script import Failure
from .tables import read_text


@dataclass
class Sanity:
    checks: list  # {"name", "holds", "found"}
    classes: list  # {"name", "train", "test"}; none of values
    curves: list  # {"name", "losses"}
    levels: dict  # what losses are compared with: name, loss
    images: list  # labels of the tiles
    points: list  # [x0, x1, label]
    tiles: Tiles | None

    @classmethod
    def read(cls, path):
        try:
            document = json.loads(read_text(path))
            found = cls(document["checks"], document["classes"], document["curves"], document["levels"], document.get("images", []),
                        document.get("points", []), None)  # fmt: skip
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise Failure(3, f"{path}: not readable: {error}, expected what lockstep sanity --out writes") from None
        if found.images:
            found.tiles = Tiles.read(path.with_suffix(".ppm"))
        return found
