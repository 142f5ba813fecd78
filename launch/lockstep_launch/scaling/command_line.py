"""The command line of launch/scaling."""

import argparse
import re

from ..script import Failure


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Failure(2, f"{message}, see launch/scaling --help")


def numbers(text):
    if not re.fullmatch(r"[1-9]\d{0,4}(,[1-9]\d{0,4})*", text):
        raise argparse.ArgumentTypeError(f"'{text}', expected whole numbers as in 1,2,4")
    return sorted({int(number) for number in text.split(",")})


def count(text):
    if not re.fullmatch(r"[1-9]\d{0,4}", text):
        raise argparse.ArgumentTypeError(f"'{text}', expected a whole number, at least 1")
    return int(text)


def override(text):
    if not re.fullmatch(r"[\w.]+=.*", text):
        raise argparse.ArgumentTypeError(f"'{text}', expected section.key=value")
    return text


def parse(words):
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("config", nargs="?", metavar="CONFIG")
    parser.add_argument("--ranks", type=numbers)
    parser.add_argument("--threads", type=numbers, default=[1])
    parser.add_argument("--repeats", type=count, default=5)
    parser.add_argument("--epochs", type=count, default=3)
    parser.add_argument("--weak", action="store_true")
    parser.add_argument("--set", type=override, action="append", default=[])
    parser.add_argument("--hostfile")
    parser.add_argument("--host")
    parser.add_argument("--mpi")
    parser.add_argument("--bind", choices=["core", "none"])
    parser.add_argument("--name")
    parser.add_argument("--out")
    parser.add_argument("--predict", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--only-report", metavar="DIR")
    options = parser.parse_args(words)
    options.words = words
    if options.only_report:
        if len(words) != (1 if words[0].startswith("--only-report=") else 2):
            raise Failure(2, "--only-report DIR goes with nothing else")
        return options
    if not options.config:
        raise Failure(2, "no CONFIG, expected the file of a training run")
    if not options.ranks:
        raise Failure(2, "no --ranks, expected numbers of ranks as in --ranks 1,2,4")
    if options.host and options.hostfile:
        raise Failure(2, "--host and --hostfile, expected one of them")
    return options
