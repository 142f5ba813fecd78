"""launch/report: of which runs, and where the page goes."""

import tempfile
from pathlib import Path

from .. import packages
from ..files import replace_file
from ..script import Failure, program, say, value_of


def parse(words):
    """The folders of the runs, and the page's file."""
    words, runs, out = list(words), [], None
    while words:
        if words[0] == "-o":
            out = Path(value_of(words, "a file name"))
        elif words[0].startswith("-"):
            raise Failure(2, f"unknown option '{words[0]}', expected -o FILE or the folder of a run")
        else:
            runs.append(Path(words.pop(0)))
    if not runs:
        raise Failure(2, "no RUN, expected the folder of a run")
    if out is None:
        if len(runs) > 1:
            raise Failure(2, f"{len(runs)} runs and no -o FILE, expected a name for their page")
        out = runs[0] / "report.html"
    elif not out.parent.is_dir():
        raise Failure(2, f"-o {out}: no folder {out.parent}, expected one to write into")
    return runs, out


def main(words):
    folders, out = parse(words)
    packages.require("matplotlib", "jinja2")
    from . import missing_tables, page
    from .run_folder import read_run

    names = [folder.resolve().name for folder in folders]
    # of two runs with one name, show where they are
    runs = [read_run(folder, name if names.count(name) == 1 else str(folder)) for folder, name in zip(folders, names)]
    for run in runs:
        with tempfile.TemporaryDirectory() as work:
            missing_tables.complete(run, program(), Path(work), say)
    replace_file(out, page.of(runs))
    say(out)
