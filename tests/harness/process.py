"""Runs programs as a user would: with arguments, on a terminal or on pipes; a hang becomes a failure."""

import os
import pty
import re
import selectors
import shlex
import signal
import subprocess
import termios
import time
from dataclasses import dataclass

import pytest

from .build import MPIRUN, PROGRAM, SANITIZED

ALONE = 0  # as a number of ranks: one process, without mpirun

# For a test that on three ranks is left to launch/test --long: of what rank 0 does alone, while the others wait, or of sums that
# other tests show to be one process's.
three_ranks_if_long = pytest.mark.parametrize(
    "ranks", [pytest.param(ALONE, id="one_process"), pytest.param(3, id="three_ranks", marks=pytest.mark.long)])


def steer_nothing():
    """Takes away from this process, of what those that it starts inherit, whatever steers the program."""
    for name in list(os.environ):
        if name.startswith(("OMP_", "BLIS_", "LOCKSTEP_KERNELS")) or name == "NO_COLOR":
            del os.environ[name]
    os.environ.pop("COLUMNS", None)
    os.unsetenv("COLUMNS")  # which readline, loaded by pytest 8, has set to 80 behind os.environ's back
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell has ignored by what it starts in the background
    os.environ["OMP_WAIT_POLICY"] = "passive"  # there may be more threads than cores
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")  # MPI libraries leave memory behind


@dataclass
class Outcome:
    code: int  # the exit code, or 128 and the signal that ended it
    out: str  # on a terminal both streams are here
    err: str  # without what mpirun adds when a rank fails


class Running:
    """A command that runs beside the test, as the leader of its process group; ended with the block of a `with`.

    Its input is empty. It writes to pipes, or, where columns is a number, to a terminal of that width. A test in which it and
    whoever holds its output take longer than `limit` seconds fails, in a sanitizer's build than four times that. verbatim: what
    mpirun adds is kept in Outcome.err.
    """

    def __init__(self, words, limit=60, columns=None, verbatim=False):
        words = [str(word) for word in words]
        self.command, self.limit, self._verbatim = shlex.join(words), limit * (4 if SANITIZED else 1), verbatim
        ends_with_the_test = ["setpriv", "--pdeathsig", "TERM", "--"]
        if columns is None:
            (out, out_inside), (err, err_inside) = os.pipe(), os.pipe()
            self._process = subprocess.Popen([*ends_with_the_test, *words], stdin=subprocess.DEVNULL, stdout=out_inside,
                                             stderr=err_inside, process_group=0)
            files, inside = [out, err], [out_inside, err_inside]
        else:
            terminal, end = pty.openpty()
            termios.tcsetwinsize(end, (24, columns))
            self._process = subprocess.Popen([*ends_with_the_test, "setsid", "--ctty", *words], stdin=end, stdout=end, stderr=end)
            files, inside = [terminal], [end]
        for file in inside:
            os.close(file)
        self.pid = self._process.pid
        self._open = set(files)
        self._written = {file: bytearray() for file in files}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._end()
        for file in self._open:
            os.close(file)

    def wait(self):
        """Waits until it and whoever holds its output have ended: its Outcome."""
        if not self._read(self.limit):
            self._end()
            pytest.fail(f"not done after {self.limit} s: {self.command}")
        code = self._process.wait()
        out, err = ([written.decode(errors="replace") for written in self._written.values()] + [""])[:2]
        return Outcome(code if code >= 0 else 128 - code, out, err if self._verbatim else without_words_of_mpirun(err))

    def _end(self):
        self._signal(signal.SIGTERM)  # mpirun then ends its ranks
        self._read(5)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:  # it has ended, or is not yet the leader of a group
            self._process.send_signal(number)

    def _read(self, seconds):
        """Reads until all outputs have ended. False if that takes longer."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for file in self._open:
                selector.register(file, selectors.EVENT_READ)
            while self._open:
                if time.monotonic() > deadline:
                    return False
                for key, _ in selector.select(deadline - time.monotonic()):
                    block = _read_some(key.fd)
                    self._written[key.fd] += block
                    if not block:
                        selector.unregister(key.fd)
                        self._open.remove(key.fd)
                        os.close(key.fd)
        return True


def _read_some(file):
    """What there is to read, nothing at the end."""
    try:
        return os.read(file, 65536)
    except OSError:  # the end of a terminal
        return b""


def without_words_of_mpirun(text):
    """Without what mpirun says of a job that failed, Open MPI's between lines of dashes, and of its own trouble."""
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        if len(line) > 70 and not line.strip("-\n"):
            inside = not inside
        elif not inside and not re.match(r"\[[^]]*:\d+\] PMIX ERROR: |\[warn\] Epoll |"  # Open MPI 5, now and then
                                         r"Abort\(\d+\) on node |\[(mpiexec|proxy:\d+:\d+)@", line):  # MPICH
            kept.append(line)
    return "".join(kept)


def execute(words, **how):
    """Runs a command, see Running: its Outcome."""
    with Running(words, **how) as running:
        return running.wait()


def words_of(arguments, ranks=ALONE):
    """The command that runs lockstep with these arguments on so many ranks."""
    return [*([] if ranks == ALONE else [*MPIRUN, "-np", ranks]), PROGRAM, *arguments]


def lockstep(*arguments, ranks=ALONE, **how):
    """Runs lockstep with these arguments: its Outcome."""
    return execute(words_of(arguments, ranks), **how)


def succeed(*arguments, ranks=ALONE, **how):
    """The same, which must end with code 0 and nothing on stderr."""
    outcome = lockstep(*arguments, ranks=ranks, **how)
    assert (outcome.code, outcome.err) == (0, ""), outcome.out
    return outcome


def settings(*keys):
    """--set KEY=VALUE for each of these."""
    return [word for key in keys for word in ("--set", key)]
