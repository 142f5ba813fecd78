"""All that can be wrong with what the program is given, and what it must say of it."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.files import write, write_planar_config
from harness.process import settings

QUIET_TRAINING = ["train", "run.toml", "--out", "out", "--quiet"]
ONE_LAYER = '[[model.layers]]\ntype = "dense"\n'


@dataclass(frozen=True)
class Mistake:
    name: str
    code: int  # the exit code that it must have
    arrange: Callable  # puts files beside run.toml, which is there already; returns the words of the command line
    says: tuple  # parts of the message, in this order
    of_one_rank: bool  # of several ranks one notices it, and the message names that one; else all do, or rank 0 for all


def bad(name, code, arrange, *says, of_one_rank=False):
    return Mistake(name, code, arrange, says, of_one_rank)


def command(words):
    return lambda: words.split()


def setting(*keys):
    """Trains with these settings, nothing else being special."""
    return lambda: QUIET_TRAINING + settings(*keys)


def planar(*keys, **config):
    """Trains on points of the plane, with these settings."""

    def arrange():
        write_planar_config(**config)
        return QUIET_TRAINING + settings(*keys)

    return arrange


def config(text):
    """Trains by bad.toml, which has this text."""

    def arrange():
        write("bad.toml", text)
        return ["train", "bad.toml", "--out", "out", "--quiet"]

    return arrange
