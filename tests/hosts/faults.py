#!/usr/bin/python3
"""What can happen to a job of four ranks on two hosts, and how that ends.

Usage: faults.py FAULT SECONDS, inside of a world: makes it happen to a job with such a watchdog (run.watchdog_seconds), and prints as
JSON: code, out, err; seconds from the fault to the end of launch/run; left, the processes that are still there 10 s later.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "hosts"), str(TESTS)]

from hosts import isolate, isolate_data, kill_host, limit_rate, processes, resume_host, send, stop_host  # noqa: E402

WORLD = TESTS / "hosts/world"
# Keys that a fault needs beside those of all: each rank sends for itself, and parameters are twice as long under way as sums.
KEYS = {"killed_rank_amid_parameters": ["reduce.levels=one", "reduce.wire=int16"]}
AT_A_TIME = 4  # worlds in which something happens
NOT_PERMITTED = 77  # world's exit code


def kill_daemon():
    """Open MPI 4 has one, 5 has two of the other."""
    send(signal.SIGKILL, processes("h1", "orted") + processes("h1", "prted"))


def stop_ranks():
    for host in ("h0", "h1"):
        send(signal.SIGSTOP, processes(host, "lockstep"))


def kill_amid_sums():
    """Nearly all of a step's time is the way of gradients and parameters."""
    limit_rate("h1", "200kbit")
    time.sleep(2)
    send(signal.SIGKILL, processes("h1", "lockstep")[:1])


FAULTS = {
    "killed_rank": ("kill -9 of a rank", lambda: send(signal.SIGKILL, processes("h1", "lockstep")[:1])),
    "killed_near_rank": ("kill -9 of a rank beside mpirun", lambda: send(signal.SIGKILL, processes("h0", "lockstep")[:1])),
    "killed_rank_amid_sums": ("kill -9 of a rank, over a cable so slow that sums and parameters are under way", kill_amid_sums),
    "killed_rank_amid_parameters": ("the same where ranks send parameters while the next step goes on", kill_amid_sums),
    "killed_daemon": ("kill -9 of a host's daemon (orted, prted)", kill_daemon),
    "killed_host": ("power failure of a host", lambda: kill_host("h1")),
    "stopped_rank": ("SIGSTOP of a rank", lambda: send(signal.SIGSTOP, processes("h1", "lockstep")[:1])),
    "stopped_near_rank": ("SIGSTOP of a rank beside mpirun", lambda: send(signal.SIGSTOP, processes("h0", "lockstep")[:1])),
    "stopped_ranks": ("SIGSTOP of all ranks", stop_ranks),
    "stopped_host": ("SIGSTOP of a whole host", lambda: stop_host("h1")),
    "cut_link": ("cut link", lambda: isolate("h1")),
    "cut_data_network": ("cut data network, control network alive", lambda: isolate_data("h1")),
}


def happen(fault, seconds):
    """Inside of a world, in the working folder: see above. A stopped host goes on before what is left is looked for."""
    from jobs import Job, left_running

    job = Job(4, "h0:2,h1:2", "train.epochs=1000000", "checkpoint.every_epochs=1000", "reduce.bucket_bytes=256",
              f"run.watchdog_seconds={seconds}", *KEYS.get(fault, []))
    job.wait_until_it_trains()
    FAULTS[fault][1]()
    job.wait(60)
    if fault == "stopped_host":
        resume_host("h1")
    return {"code": job.code, "out": job.out, "err": job.err, "seconds": job.took, "left": left_running(10)}


def suffer(asked):
    """Makes all of these happen, pairs of a fault and seconds, each in a world of its own, some at a time. What faults.py says of each,
    in order; or what world says, a line, where the machine does not permit it."""
    def one(fault, seconds):
        return subprocess.run([WORLD, "2", sys.executable, __file__, fault, str(seconds)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        ended = list(pool.map(lambda words: one(*words), asked))
    for process in ended:
        if process.returncode == NOT_PERMITTED:
            return process.stderr
        assert process.returncode == 0, process.stdout + process.stderr
    return [json.loads(process.stdout) for process in ended]


def main(fault, seconds):
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        print(json.dumps(happen(fault, seconds)))
        os.chdir("/")


if __name__ == "__main__":
    main(*sys.argv[1:])
