"""The processes of a job that runs beside the test: its ranks and its launcher."""

import os
import signal
import time
from pathlib import Path

from .build import PROGRAM


def _state_and_parent(pid):
    """A process's state letter and its parent, from /proc/PID/stat: "PID (name) S PARENT ..."."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return "X", 0
    return state, int(parent)


def _is_program(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe") == PROGRAM
    except OSError:
        return False


def tree_of(pid):
    """The process and all below it."""
    parents = {int(name): _state_and_parent(name)[1] for name in os.listdir("/proc") if name.isdigit()}
    tree = [pid]
    for member in tree:  # which grows meanwhile
        tree += [child for child, parent in parents.items() if parent == member]
    return tree


def parent_of(pid):
    """The process that started it: of a rank, mpirun. 0 where there is none any more."""
    return _state_and_parent(pid)[1]


def ranks_below(pid):
    """Processes of the built program among `pid` and those below it: under mpirun, the job's ranks."""
    return [member for member in tree_of(pid) if _is_program(member)]


def is_alive(pid):
    return _state_and_parent(pid)[0] not in "XZ"


def end(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def wait_until_gone(pids):
    """Waits until all have ended. False where they had to be ended, after 20 s."""
    deadline = time.monotonic() + 20
    while alive := [pid for pid in pids if is_alive(pid)]:
        if time.monotonic() > deadline:
            end(pid for pid in alive if _is_program(pid))
            return False
        time.sleep(0.005)
    return True


def wait_for_launcher(job):
    """Waits until a disturbed job's process has ended.

    Open MPI 4.1's mpirun can lock itself up in PMIx_server_finalize after a rank was killed: without ranks for 10 s it is ended
    too, and that is False.
    """
    busy = time.monotonic()  # when there last were ranks
    while is_alive(job):
        if ranks_below(job):
            busy = time.monotonic()
        if time.monotonic() - busy > 10:
            end(tree_of(job))
            return False
        time.sleep(0.02)
    return True
