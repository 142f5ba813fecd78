#!/usr/bin/python3
"""Trains a small network again and again, each run killed at random moments and resumed at random numbers of ranks and threads until
it is done; each must end as the undisturbed run does: weights, metrics.csv, steps.csv and gradients.csv.

Usage: chaos.py [RUNS [SEED [WORKERS]]]
  RUNS      default 8, the least in which every kind of disturbance has its turn
  SEED      draws what is done and when (default 1); what it hits depends on the machine
  WORKERS   runs at a time (default 2)

Prints a table. Exit code 1 where a run was another one. Environment: LOCKSTEP_BUILD is the build's folder, instead of build/.
"""

import os
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

import pytest  # noqa: E402
from harness import points  # noqa: E402
from harness.files import resize, weights_hash  # noqa: E402
from harness.jobs import wait_for_launcher, wait_until_gone  # noqa: E402
from harness.points import Layout  # noqa: E402
from harness.process import Running, steer_nothing  # noqa: E402
from kills import AND_CUT, KILLS, disturb  # noqa: E402

MAX_RANKS, MAX_THREADS, MIN_KILLS, MAX_KILLS = 4, 2, 2, 6
SETTINGS = ["checkpoint.every_steps=2", "train.epochs=30"]
COLUMNS = ("times", "resumed", "started over", "steps lost", "at most", "hung", "failures")


class ChaosRun:
    """A run into the folder `out` of the working folder, to be compared with the one in the folder `whole`."""

    def __init__(self, seed, seconds, whole):
        self.random, self.seconds, self.whole = random.Random(seed), seconds, whole
        self.tallies = defaultdict(Counter)  # by kind of disturbance

    def train_to_the_end(self, turn):
        """Trains, killed now and then, first in the way whose turn it is. What went wrong, or None."""
        kinds = list(KILLS)
        kills = self.random.randint(MIN_KILLS, MAX_KILLS)
        kill = kinds[turn % len(kinds)]
        for i in range(sys.maxsize):
            done, problem = self._attempt(kill if i < kills else None)
            if problem is None and done and (file := points.difference(self.whole, "out")):
                problem = f"{file} is not the undisturbed run's"
            if problem:
                self.tallies[kill]["failures"] += 1
            if done or problem:
                return problem
            self._after(kill)
            kill = self.random.choice(kinds)

    def _attempt(self, kill):
        """Starts or goes on, killed or not. Whether the run is done, and what went wrong, or None."""
        layout = Layout(self.random.randint(0, MAX_RANKS), self.random.randint(1, MAX_THREADS))
        more = ["--resume", "latest"] if points.newest_step("out") > 0 else []
        with Running(points.words("out", *SETTINGS, *more, layout=layout), limit=points.LIMIT) as job:
            ranks = disturb(kill, job, layout, "out/checkpoints", self.seconds, self.random) if kill else []
            launcher_ended = not ranks or wait_for_launcher(job.pid)
            outcome = job.wait()
        if not wait_until_gone(ranks) or not launcher_ended:
            self.tallies[kill]["hung"] += 1
        if outcome.code in (2, 3, 4) or (not ranks and outcome.code != 0):
            return False, f"exit code {outcome.code}: {outcome.err}"
        return outcome.code == 0, None

    def _after(self, kill):
        """Counts what a kill has cost."""
        tally = self.tallies[kill]
        tally["times"] += 1
        kept = points.steps_kept("out")
        if kill == AND_CUT and kept:
            file = points.checkpoint("out", kept.pop())
            if kept:
                resize(file, file.stat().st_size // 2)
            else:
                file.unlink()  # half of the only one --resume latest would refuse, rightly
        newest = max(kept, default=0)
        tally["resumed" if newest else "started over"] += 1
        lost = max(last_logged_step("out/steps.csv") - newest, 0)
        tally["steps lost"] += lost
        tally["at most"] = max(tally["at most"], lost)


def last_logged_step(table):
    """Of steps.csv, whose last line may be cut."""
    try:
        *whole, _ = Path(table).read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return 0
    return int(whole[-1].partition(",")[0]) if len(whole) > 1 else 0


def one_run(number, seed, seconds, whole):
    """In a folder of its own: what went wrong, or None, and the tallies."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="lockstep-chaos-") as folder:
        os.chdir(folder)
        points.write_points_config()
        run = ChaosRun(seed * 1_000_003 + number, 0.5 * seconds, whole)
        try:
            problem = run.train_to_the_end(number)
        except pytest.fail.Exception as failure:  # it hangs
            problem = str(failure)
        finally:
            os.chdir(before)
    return problem, run.tallies


def table_of(tallies):
    rows = ["| disturbance | " + " | ".join(COLUMNS) + " |", "|---" * (1 + len(COLUMNS)) + "|"]
    everything = Counter()
    for kill in KILLS:
        rows.append(f"| {kill} | " + " | ".join(str(tallies[kill][column]) for column in COLUMNS) + " |")
        add(everything, tallies[kill])
    rows.append("| all | " + " | ".join(str(everything[column]) for column in COLUMNS) + " |")
    return "\n".join(rows)


def add(tally, other):
    most = max(tally["at most"], other["at most"])
    tally.update(other)
    tally["at most"] = most


def run(runs, seed=1, workers=2):
    """Prints how so many runs have gone. The number of those that failed."""
    with tempfile.TemporaryDirectory(prefix="lockstep-chaos-") as folder:
        os.chdir(folder)
        points.write_points_config()
        began = time.monotonic()
        points.finish("out", *SETTINGS, layout=Layout(1))
        seconds = time.monotonic() - began
        print(f"{runs} runs, seed {seed}, {workers} at a time; undisturbed {seconds:.2f} s, weights {weights_hash('out')}")
        failed, tallies = 0, defaultdict(Counter)
        with ProcessPoolExecutor(workers) as pool:
            jobs = [pool.submit(one_run, number, seed, seconds, f"{folder}/out") for number in range(runs)]
            for number, job in enumerate(jobs):
                problem, own = job.result()
                for kill, tally in own.items():
                    add(tallies[kill], tally)
                if problem:
                    failed += 1
                    print(f"run {number}: {problem}", flush=True)
        os.chdir("/")
    print(table_of(tallies))
    print(f"{runs - failed} of {runs} runs ended as the undisturbed one")
    return failed


def main(words):
    if words[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    steer_nothing()
    return 1 if run(*(int(word) for word in words or [8])) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
