"""The folder of a study: study.json says what its rows are of, so that those of another one are not mixed with them."""

import datetime
import hashlib
import json
import platform
import shlex
from pathlib import Path

from ..files import replace_file
from ..script import Failure, program
from .allocation import processor


def program_digest():
    """Of the program that the runs are of."""
    path = Path(program())
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        raise Failure(2, f"{path} is not a program; build it with launch/build") from None


def facts(name, words):
    """What a report says of a study that begins now. words: of the command line."""
    return {
        "name": name,
        "command": shlex.join(["launch/scaling", *words]),
        "begun": datetime.date.today().isoformat(),
        "host": platform.node(),
        "processor": processor(),
        "system": f"{platform.system()} {platform.release()}",
    }


def read_study(folder):
    """Of study.json: None where there is none."""
    path = folder / "study.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Failure(3, f"{path}: not readable: {error}") from None


def write_study(folder, study):
    replace_file(folder / "study.json", json.dumps(study, indent=2) + "\n")


def goes_on(folder, study, fresh):
    """Whether DIR has runs of this study, which are kept; its facts are then those of when it began. Throws Failure where it has those
    of another one."""
    if fresh or not (folder / "runs.csv").exists():
        return False
    earlier = read_study(folder)
    if not earlier:
        raise Failure(3, f"{folder} has runs.csv without study.json; --fresh begins anew")
    for key, value in study["experiment"].items():
        if earlier["experiment"].get(key) != value:
            raise Failure(2, f"{folder} has the runs of another study, of another {key}: "
                             "expected --fresh, which begins anew, or another --out")  # fmt: skip
    study["facts"] = {**earlier["facts"], "command": study["facts"]["command"]}
    return True


def begin(folder, study, kept, files):
    """Makes the folder ready. kept: whether it goes on; otherwise these files of before go."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(2, f"{folder}: cannot be made: {error.strerror}") from None
    if not kept:
        for old in files:
            (folder / old).unlink(missing_ok=True)
    write_study(folder, study)
