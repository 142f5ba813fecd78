"""The command line of launch/scaling --time-to-accuracy."""

import argparse
import re

from ..script import Failure
from .accuracy_table import RULES
from .command_line import Parser, count, numbers, override


def fraction(text):
    if not re.fullmatch(r"0\.\d{1,9}|1|1\.0", text) or float(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}', expected a fraction as 0.55")
    return float(text)


def rules(text):
    found = text.split(",")
    if not set(found) <= set(RULES):
        raise argparse.ArgumentTypeError(f"'{text}', expected of {','.join(RULES)}")
    return sorted(set(found), key=RULES.index)


def seeds(text):
    if not re.fullmatch(r"\d{1,9}(,\d{1,9})*", text):
        raise argparse.ArgumentTypeError(f"'{text}', expected whole numbers as in 1,2,3")
    return sorted({int(seed) for seed in text.split(",")})


def parse(words):
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("config", nargs="?", metavar="CONFIG")
    parser.add_argument("--time-to-accuracy", action="store_true")
    parser.add_argument("--accuracy", type=fraction)
    parser.add_argument("--batches", type=numbers, default=[2**k for k in range(7, 15)])
    parser.add_argument("--rules", type=rules, default=list(RULES))
    parser.add_argument("--base-batch", type=count)
    parser.add_argument("--micro-batch", type=count)
    parser.add_argument("--epochs", type=count)
    parser.add_argument("--seeds", type=seeds)
    parser.add_argument("--ranks", type=numbers, default=[2**k for k in range(9)])
    parser.add_argument("--network", default="25gbit")
    parser.add_argument("--cores-per-host", type=count, default=1)
    parser.add_argument("--set", type=override, action="append", default=[])
    parser.add_argument("--mpi")
    parser.add_argument("--name")
    parser.add_argument("--out")
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args(words)
    options.words = words
    if not options.config:
        raise Failure(2, "no CONFIG, expected the file of a training run")
    if options.accuracy is None:
        raise Failure(2, "no --accuracy, expected the test accuracy to be reached, as in --accuracy 0.55")
    return options
