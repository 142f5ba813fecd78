"""The ways in which a job is disturbed, each at a random moment."""

import ctypes
import os
import select
import signal
import time
from pathlib import Path

from harness.jobs import is_alive, parent_of, ranks_below
from harness.points import ranks_of

IN_CREATE = 0x100  # of <sys/inotify.h>


def to_one(number):
    return lambda ranks, random: _send(random.choice(ranks), number)


def to_all(number):
    return lambda ranks, _: [_send(rank, number) for rank in ranks]


def to_first(number):
    return lambda ranks, _: _send(ranks[0], number)


def to_mpirun(number):
    """Or to the program itself, where there is no mpirun."""
    return lambda ranks, _: _send(ranks[0] if os.getpid() == parent_of(ranks[0]) else parent_of(ranks[0]), number)


WHILE_WRITING = "kill -9 in a checkpoint's write"
AND_CUT = "kill -9, newest file cut in half"
KILLS = {
    "kill -9 of a rank": to_one(signal.SIGKILL),
    "kill -9 of all ranks": to_all(signal.SIGKILL),
    "kill -9 of mpirun": to_mpirun(signal.SIGKILL),
    WHILE_WRITING: to_first(signal.SIGKILL),
    AND_CUT: to_one(signal.SIGKILL),
    "SIGTERM to a rank": to_one(signal.SIGTERM),
    "SIGINT to a rank": to_one(signal.SIGINT),
    "SIGUSR1 to all ranks": to_all(signal.SIGUSR1),
}


def disturb(kill, job, layout, checkpoints, seconds, random):
    """Disturbs a running job at a random moment within so many seconds. The ids of its ranks; none where it was done before."""
    if kill == WHILE_WRITING:
        Path(checkpoints).mkdir(parents=True, exist_ok=True)
        with Watch(checkpoints) as watch:
            ranks = ranks_of(job, max(layout.ranks, 1))
            if not wait_for_a_write(job, watch, random):
                return []
    else:
        time.sleep(random.uniform(0, seconds))
        while not (ranks := ranks_below(job.pid)):
            if not is_alive(job.pid):
                return []
            time.sleep(0.001)
    KILLS[kill](ranks, random)
    return ranks


def wait_for_a_write(job, watch, random):
    """Until the file of a random checkpoint is made, and a little longer. False where the job is done before."""
    left = random.randint(1, 30)
    while left > 0:
        if watch.made(0.02):
            left -= 1
        elif not is_alive(job.pid):
            return False
    end = time.monotonic() + random.uniform(0, 0.002)
    while time.monotonic() < end:
        pass
    return True


class Watch:
    """Sees every file that is made in a folder from now on."""

    def __init__(self, folder):
        libc = ctypes.CDLL(None, use_errno=True)
        self._file = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._file < 0 or libc.inotify_add_watch(self._file, os.fsencode(folder), IN_CREATE) < 0:
            raise OSError(ctypes.get_errno(), f"{folder} cannot be watched")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._file)

    def made(self, seconds):
        """Whether a file was made since the last call; waits for one as long as that."""
        return bool(select.select([self._file], [], [], seconds)[0]) and bool(os.read(self._file, 4096))


def _send(process, number):
    try:
        os.kill(process, number)
    except ProcessLookupError:  # it has just ended
        pass
