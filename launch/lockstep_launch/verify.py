"""launch/verify: lockstep verify on a grid of ranks and threads."""

import re
import subprocess
import sys

from .script import REPOSITORY, Failure, say


def parse(words):
    """(CONFIG, numbers of ranks, numbers of threads, options of lockstep verify)."""
    if not words or words[0].startswith("-"):
        raise Failure(2, "no CONFIG, expected the file of a training run first")
    config, words, options = words[0], list(words[1:]), []
    grid = {"--ranks": "1,2,3,5,8", "--threads": "1,2"}
    while words:
        option, equals, value = words.pop(0).partition("=")
        if option not in grid:
            options.append(option + equals + value)
            continue
        if not equals:
            value = words.pop(0) if words else ""
        if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", value):
            raise Failure(2, f"{option} is '{value}', expected whole numbers as in 1,2,4")
        grid[option] = value
    ranks, threads = ([int(number) for number in text.split(",")] for text in grid.values())
    return config, ranks, threads, options


def verdict_of(config, ranks, threads, options):
    """(exit code, what lockstep verify says in the end) of one layout; ends the program where that fails otherwise."""
    run = [str(REPOSITORY / "launch/run"), "-np", str(ranks), "--threads", str(threads), "--force", "verify", config, *options]
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
    config, ranks, threads, options = parse(words)
    verdicts = []
    print(f"{'ranks':>5} {'threads':>7}  verdict", flush=True)
    for count in ranks:
        for of_each in threads:
            code, verdict = verdict_of(config, count, of_each, options)
            verdicts.append((code, verdict))
            shown = re.sub(rf", {count} rank.*$", "", verdict)
            print(f"{count:>5} {of_each:>7}  {shown}", flush=True)
    code, said = conclusion(verdicts)
    say(said)
    return code
