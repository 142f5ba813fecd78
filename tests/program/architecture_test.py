"""The tree is the architecture: a file of src/FOLDER includes only its own folder and lower floors."""

import re
from pathlib import Path

from harness.build import REPOSITORY
from harness.files import write

# The floors, lowest first. Folders of one floor do not know each other.
FLOORS = [{"base"}, {"liveness", "npz"}, {"kernels", "comm", "data"}, {"nn", "optim"}, {"reduce"}, {"train", "report"}, {"compare", "config"},
          {"run"}, {"scaling"}, {"cli"}]
FOLDERS = set().union(*FLOORS)

# System headers that one folder alone may include.
DOORS = {"mpi.h": "comm", "blis.h": "kernels", "cblas.h": "kernels", "immintrin.h": "kernels"}

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def allowed(folder):
    """The folders that a file of this one may include."""
    floor = next(i for i, floor in enumerate(FLOORS) if folder in floor)
    return {folder}.union(*FLOORS[:floor])


def objection(folder, bracket, header):
    """Why a file of `folder` must not include this; "" where it may."""
    door = DOORS.get(Path(header).name)
    if door:
        return "" if door == folder else f"only {door}/ may include it"
    target = header.partition("/")[0]
    if bracket == "<":
        return "own headers are included in quotes" if target in FOLDERS else ""
    if folder not in FOLDERS:
        return f"{folder}/ is on no floor"
    if target == header:
        return "no folder is named"
    if target not in FOLDERS:
        return f"{target}/ is on no floor"
    return "" if target in allowed(folder) else f"{target}/ is not below {folder}/"


def includes(root):
    """Of every include line: its folder, "FILE:LINE: the line", its bracket, its header."""
    for path in sorted(Path(root).rglob("*")):
        if re.search(r"\.(h|hpp|c|cc|cpp)(\.in)?$", path.name):
            name = path.relative_to(root)
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if match := INCLUDE.match(line):
                    yield name.parts[0], f"{name}:{number}: {line}", *match.groups()


def violations(root):
    return [f"{line} ({why})" for folder, line, *include in includes(root) if (why := objection(folder, *include))]


def test_sources_include_only_their_own_and_lower_floors():
    assert violations(REPOSITORY / "src") == []
    found = list(includes(REPOSITORY / "src"))
    assert {folder for folder, *_ in found} == FOLDERS
    assert sum(bracket == '"' for _, _, bracket, _ in found) > 50


def test_the_include_rule_finds_every_kind_of_violation(folder):
    write("base/low.h", '#pragma once\n\n#include "nn/model.h"\n')
    write("comm/door.cpp", '#include <mpi.h>\n#include <vector>\n#include "base/low.h"\n')
    write("comm/neighbour.cpp", '#include "data/dataset.h"\n')
    write("data/neighbour.cpp", '#include "data/dataset.h"\n#include "kernels/gemm.h"\n')
    write("kernels/door.cpp", '#include <blis.h>\n#include "data/dataset.h"\n')
    write("optim/optimizer.cpp", "  #  include <blis/cblas.h>  // a product\n")
    write("report/door.h.in", '#include "mpi.h"\n')
    write("train/near.cpp", '#include "near.h"\n#include <reduce/reducer.h>\n#include "../base/low.h"\n')
    write("util/new.cpp", '#include "base/low.h"\n')
    assert violations(folder) == [
        'base/low.h:3: #include "nn/model.h" (nn/ is not below base/)',
        'comm/neighbour.cpp:1: #include "data/dataset.h" (data/ is not below comm/)',
        'data/neighbour.cpp:2: #include "kernels/gemm.h" (kernels/ is not below data/)',
        'kernels/door.cpp:2: #include "data/dataset.h" (data/ is not below kernels/)',
        "optim/optimizer.cpp:1:   #  include <blis/cblas.h>  // a product (only kernels/ may include it)",
        'report/door.h.in:1: #include "mpi.h" (only comm/ may include it)',
        'train/near.cpp:1: #include "near.h" (no folder is named)',
        "train/near.cpp:2: #include <reduce/reducer.h> (own headers are included in quotes)",
        'train/near.cpp:3: #include "../base/low.h" (../ is on no floor)',
        'util/new.cpp:1: #include "base/low.h" (util/ is on no floor)',
    ]
