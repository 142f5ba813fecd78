"""The options of launch/run, which come before what they run."""

import os
import re
import shlex
import tomllib
from dataclasses import dataclass, field

from . import hosts
from .script import Failure, name

SUBCOMMANDS = ("train", "eval", "export", "verify", "selftest", "gradcheck", "sanity", "trace-step", "compare", "sweep", "inspect",
               "receipt", "configs", "activations", "predict", "doctor")  # fmt: skip
# The subcommands that end with 1 where they found a difference.
FIND_DIFFERENCES = ("verify", "selftest", "gradcheck", "sanity", "trace-step", "compare")
SAVE_THEIR_STATE = ("train", "sweep")  # those that go on where a signal has ended them
WITH_VALUE = ("-np", "-n", "--threads", "--bind", "--hostfile", "--host", "--retries", "--start-seconds", "--mpi")
FLAGS = {"--balance": "balance", "--force": "force", "--allow-run-as-root": "root_meant", "--verbose": "verbose", "--dry-run": "dry_run"}


@dataclass
class Options:
    ranks: int | None = None
    threads: int | None = None
    bind: str | None = None  # core or none
    hosts: list = field(default_factory=list)  # hosts.Host
    placement: list = field(default_factory=list)  # the same as words for mpirun
    mpi: list = field(default_factory=list)  # the user's words for mpirun
    retries: int = 0
    start_seconds: int = 120
    balance: bool = False
    force: bool = False
    root_meant: bool = False
    verbose: bool = False
    dry_run: bool = False
    words: list = field(default_factory=list)  # for lockstep, the subcommand first

    def trains(self):
        return self.words[0] == "train"

    def shards(self):
        """data.shards of a training run or verify, of which each rank needs one; None where it cannot be told here: the ranks will."""
        if self.words[0] not in ("train", "verify") or len(self.words) < 2:
            return None
        given = [found[1] for word in self.words if (found := re.fullmatch(r"(?:--set=)?data\.shards=(.*)", word))]
        try:
            with open(self.words[1], "rb") as file:
                return int(given[-1] if given else tomllib.load(file).get("data", {}).get("shards", 8))
        except (OSError, ValueError, AttributeError, TypeError):
            return None


def parse(words):
    """Throws Failure on nonsense."""
    options = Options()
    words = list(words)
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option.startswith("--") and "=" in option and option.split("=")[0] in WITH_VALUE:
            option, value = option.split("=", 1)
            take(options, option, value)
        elif option in WITH_VALUE:
            if not words:
                raise Failure(2, f"{option} has no value")
            take(options, option, words.pop(0))
        elif option in FLAGS:
            setattr(options, FLAGS[option], True)
        else:
            raise Failure(2, f"unknown option '{option}' before CONFIG, see {name()} --help")
    if not words or not words[0]:
        raise Failure(2, "no CONFIG, expected the file of a training run or a subcommand (lockstep configs lists those that come "
                         "with the program)")
    # What cannot be a file is a subcommand that lockstep corrects.
    if words[0] not in SUBCOMMANDS and ("." in words[0] or "/" in words[0] or os.path.exists(words[0])):
        words.insert(0, "train")
    for word in words[1:]:
        if word in WITH_VALUE and word != "-n":
            raise Failure(2, f"{word} comes after {words[1]}, expected it before: {name()} {word} VALUE {words[1]}")
    options.words = words
    if options.balance:
        if not options.trains():
            raise Failure(2, f"--balance with {words[0]}, expected a training run")
        words += ["--set", "compute.balance=true"]
    return options


def take(options, option, value):
    if option in ("-np", "-n"):
        options.ranks = count(option, value, 1)
    elif option == "--threads":
        options.threads = count(option, value, 1)
    elif option == "--retries":
        options.retries = count(option, value, 0)
    elif option == "--start-seconds":
        options.start_seconds = count(option, value, 0)
    elif option == "--bind":
        if value not in ("core", "none"):
            raise Failure(2, f"--bind is '{value}', expected core or none")
        options.bind = value
    elif option == "--mpi":
        try:
            options.mpi = shlex.split(value)
        except ValueError as error:
            raise Failure(2, f"--mpi is '{value}', {str(error).lower()}: expected mpirun's options as a shell takes them") from None
    else:
        options.hosts = hosts.of_file(value) if option == "--hostfile" else hosts.of_list(value)
        options.placement = [option, value]


def count(option, value, least):
    """A whole number from `least` to 99999."""
    if not re.fullmatch(r"\d{1,5}", value) or int(value) < least:
        raise Failure(2, f"{option} is '{value}', expected a whole number, at least {least}")
    return int(value)
