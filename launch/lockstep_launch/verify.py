"""launch/verify: lockstep verify on a grid of ranks, threads and kernels."""

import itertools
import re
import subprocess
import sys

from .script import REPOSITORY, Failure, say

# Options that span the grid: default, what a list of values looks like, and in words.
GRID = {
    "--ranks": ("1,2,3,5,8", r"[1-9]\d*(,[1-9]\d*)*", "whole numbers as in 1,2,4"),
    "--threads": ("1,2", r"[1-9]\d*(,[1-9]\d*)*", "whole numbers as in 1,2,4"),
    "--kernels": ("auto", r"[a-z0-9]+(,[a-z0-9]+)*", "names as in avx2,portable"),
}


def parse(words):
    """(CONFIG, layouts of (ranks, threads, kernels) as text, options of lockstep verify)."""
    if not words or words[0].startswith("-"):
        raise Failure(2, "no CONFIG, expected the file of a training run first")
    config, words, options = words[0], list(words[1:]), []
    grid = {option: default for option, (default, _, _) in GRID.items()}
    while words:
        option, equals, value = words.pop(0).partition("=")
        if option not in grid:
            options.append(option + equals + value)
            continue
        if not equals:
            value = words.pop(0) if words else ""
        _, pattern, expected = GRID[option]
        if not re.fullmatch(pattern, value):
            raise Failure(2, f"{option} is '{value}', expected {expected}")
        grid[option] = value
    return config, list(itertools.product(*(text.split(",") for text in grid.values()))), options


def verdict_of(config, ranks, threads, kernels, options):
    """(exit code, what lockstep verify says in the end) of one layout; ends the program where that fails otherwise."""
    run = [str(REPOSITORY / "launch/run"), "-np", ranks, "--threads", threads, "--force", "verify", config]
    run += ["--set", f"compute.kernels={kernels}", *options]
    ended = subprocess.run(run, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if ended.returncode not in (0, 1):
        print(*ended.stderr.splitlines()[-1:], sep="\n", file=sys.stderr)
        sys.exit(ended.returncode if ended.returncode > 0 else 128 - ended.returncode)
    return ended.returncode, (ended.stdout.splitlines() or [""])[-1]


def conclusion(verdicts):
    """(exit code, what is said) of (exit code, verdict) of each layout."""
    hashes = [found[1] for _, verdict in verdicts for found in [re.search(r"weights ([0-9a-f]{16})", verdict)] if found]
    if all(code == 0 for code, _ in verdicts):
        if len(hashes) == len(verdicts) and len(set(hashes)) == 1:
            return 0, "every layout gave the same weights"
        if any("within the tolerance" in verdict for _, verdict in verdicts):
            return 0, "every layout stayed within the tolerance"
    return 1, "the layouts did not all give the same weights"


def main(words):
    config, layouts, options = parse(words)
    verdicts = []
    print(f"{'ranks':>5} {'threads':>7} {'kernels':>9}  verdict", flush=True)
    for ranks, threads, kernels in layouts:
        code, verdict = verdict_of(config, ranks, threads, kernels, options)
        verdicts.append((code, verdict))
        shown = re.sub(rf", {ranks} rank.*$", "", verdict)
        print(f"{ranks:>5} {threads:>7} {kernels:>9}  {shown}", flush=True)
    code, said = conclusion(verdicts)
    say(said)
    return code
