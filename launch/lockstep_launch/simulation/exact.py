"""Whether simulated ranks train the weights of a real one."""

import json
import tempfile
import time
from pathlib import Path

from ..script import Failure, say
from . import programs


def summary_of(folder):
    try:
        return json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(5, f"{folder}/summary.json: not readable: {error}") from None


def show(kind, ranks, weights, seconds=""):
    print(f"{kind:<9} {ranks:>5}  {weights:<16} {seconds:>8}".rstrip(), flush=True)


def compare(config, ranks, settings):
    """Trains the configuration on one real rank, then on each number of simulated ones. settings: words of --set."""
    with tempfile.TemporaryDirectory() as work:
        real = Path(work, "real")
        programs.attempt([programs.LOCKSTEP, "train", config, *settings, "--quiet", "--out", real])
        expected = summary_of(real)["weights_hash"]
        # One thread; no watchdog, for ranks wait long while others have their turn.
        settings = [*settings, "--set", "compute.threads=1", "--set", "run.watchdog_seconds=0"]
        show("", "ranks", "weights", "seconds")
        show("real", 1, expected)
        wrong = 0
        for count in ranks:
            out = Path(work, str(count))
            begun = time.monotonic()
            programs.simulate(count, 25, 10, [programs.SIMULATED / "lockstep", "train", config, *settings, "--quiet", "--out", out])
            weights = summary_of(out)["weights_hash"]
            show("simulated", count, weights, f"{time.monotonic() - begun:.1f}")
            if weights != expected:
                wrong = count
    if wrong:
        raise Failure(1, f"{wrong} simulated ranks gave other weights than one real rank")
    say("all gave the same weights")
