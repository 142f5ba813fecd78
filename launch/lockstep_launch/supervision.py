"""One mpirun job after another, each from its start to its end: signals, what mpirun says, and the guard.

mpirun passes USR1 on to all ranks, on every host, and returns what they return; one that comes while it is still starting them is
lost, hence the repetition. Open MPI's given INT or TERM kills the ranks within 2 s and returns 1; Hydra passes these on as well.
"""

import ctypes
import os
import select
import signal
import subprocess
import time
from pathlib import Path

from . import processes
from .guard import TURN, Guard
from .heartbeats import Places
from .hosts import same
from .memory import Kills
from .messages import Messages

ASKED_TO_END = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 143, signal.SIGUSR1: 143}
REPEAT = 2.0  # seconds between two USR1
FORCE = 10.0  # seconds from the TERM that ends the ranks by force to KILL: Open MPI's signal handling can lock itself up
DRAIN = 3.0  # seconds: a process that outlives mpirun, and could write to its stderr, is not waited for
PR_SET_PDEATHSIG = 1
STREAMS = {1: "stdout", 2: "stderr"}


class Ended:
    """How a job ended: its exit code, the first line of a rank on itself, the line on the rank or host that was lost, if mpirun
    tells, and why ranks did not start."""

    def __init__(self, code, launcher, messages, guard, kills, began):
        said = messages.everything()
        places = Places(guard.folder, began)
        self.code = code = launcher.exit_code(code, said) or messages.finished or 0
        self.spoken = messages.spoken
        self.said = said
        self.held = messages.held  # what was said besides, and not shown yet
        self.started = bool(messages.told)
        self.finished = messages.finished is not None
        self.folder = Path(guard.folder).parent if guard.folder else None  # of the training run
        self.lost = None
        self.cause = None
        host, ended = launcher.lost_host(said), launcher.rank_ended_by_signal(said)
        if host == "":
            host = guard.lost_host(os.uname().nodename)
        if code == 0 and self.started and not self.finished:  # Open MPI 5 does not say so
            host = guard.lost_host(os.uname().nodename)
            self.code = 205
        if not self.spoken:
            self.cause = launcher.start_failure(said)
        if self.cause and not self.started and not guard.reason:
            pass  # a host that Open MPI calls lost then never was there
        elif host:
            self.lost = f"host {host} was lost{places.of_host(host)}"
        elif ended and code == 128 + ended[2]:
            rank, host, number = ended
            which = f"a rank on {host}" if rank is None else f"rank {rank}{places.of_rank(rank)}"
            self.lost = f"{which} was ended by {signal.Signals(number).name}"
            if number == signal.SIGKILL and same(host, os.uname().nodename) and (reason := kills.reason()):
                self.lost += f": {reason}"
        elif guard.reason and guard.folder:
            self.lost = f"rank 0{places.of_rank(0)} and the others {guard.reason}"
        elif guard.reason and not self.spoken:
            self.lost = f"the ranks {guard.reason}" + (f": {self.cause[1]}" if self.cause else "")
        if guard.reason:
            self.code = 5


class Supervisor:
    """asked: the exit code of the signal that asked for the end, or None; why: what else asked for it."""

    def __init__(self, launcher, verbose, start_seconds, trains):
        self.asked = None
        self.why = None
        self._launcher = launcher
        self._verbose, self._start_seconds, self._trains = verbose, start_seconds, trains
        self._asked_at = 0.0
        self._forced_at = None
        self._mpirun = None
        self._waker, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        handlers = dict.fromkeys(ASKED_TO_END, lambda number, _frame: self._ask(ASKED_TO_END[number]))
        handlers[signal.SIGTSTP] = lambda *_: self._stop()
        for number, handler in handlers.items():
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
                signal.signal(number, handler)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes the loop

    def run(self, command, environment):
        """Runs it and returns how it ended."""
        messages = Messages(self._launcher, self._verbose)
        guard = Guard(self._start_seconds, self._trains)
        kills = Kills()
        began = time.time()
        streams = [Lines(2, messages.sort)]
        if self._launcher.SPEAKS_OUT:
            streams.append(Lines(1, messages.sort_output))
        # In a process group of its own, so that Ctrl-C comes to this script alone. Should the script be killed, mpirun ends too.
        self._mpirun = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment, process_group=0,
                                        preexec_fn=lambda: end_with_parent(self._launcher.FORCE),
                                        **{STREAMS[stream.to]: stream.writer for stream in streams})
        for stream in streams:
            os.close(stream.writer)
        self._watch(streams, messages, guard)
        code = self._mpirun.wait()
        self._mpirun = None
        drained = time.monotonic() + DRAIN
        while (left := [stream for stream in streams if not stream.ended]) and time.monotonic() < drained:
            for stream in select.select(left, [], [], drained - time.monotonic())[0]:
                stream.pass_on()
        for stream in streams:
            os.close(stream.reader)
        return Ended(128 - code if code < 0 else code, self._launcher, messages, guard, kills, began)

    def wait(self, seconds):
        """Sleeps, unless a signal asks for the end."""
        until = time.monotonic() + seconds
        while self.asked is None and time.monotonic() < until:
            time.sleep(0.1)

    def _watch(self, streams, messages, guard):
        """Until mpirun has ended."""
        poll = select.poll()
        poll.register(self._waker, select.POLLIN)
        for stream in streams:
            poll.register(stream, select.POLLIN)
        by_fd = {stream.reader: stream for stream in streams}
        poll.register(1, 0)  # tells when nobody reads standard output any more
        told, next_turn, next_usr1 = 0, time.monotonic() + TURN, 0.0
        while self._mpirun.poll() is None:
            for fd, event in poll.poll(max(0.0, next_turn - time.monotonic()) * 1000):
                if fd == self._waker:
                    os.read(fd, 4096)
                elif fd == 1:
                    poll.unregister(1)
                    if event & select.POLLERR and self._trains:  # others are ended by their next line
                        self.why = "standard output was closed"
                        self._ask(143)
                else:
                    by_fd[fd].pass_on()
                    if by_fd[fd].ended:
                        poll.unregister(fd)
            for text in messages.told[told:]:
                guard.hear(text)
            told = len(messages.told)
            asks = self.asked is not None and messages.finished is None  # else mpirun ends, deaf to signals
            if asks and time.monotonic() >= next_usr1 and catches(self._mpirun.pid, signal.SIGUSR1):
                next_usr1 = time.monotonic() + REPEAT
                self._send(signal.SIGUSR1)
            if time.monotonic() < next_turn:
                continue
            next_turn = time.monotonic() + TURN
            action = guard.turn(messages.spoken or messages.failed)
            if action == "KILL" or (self._forced_at is not None and time.monotonic() > self._forced_at + FORCE):
                self._kill()
            elif action == "TERM":
                self._send(self._launcher.FORCE)

    def _ask(self, code):
        if self.asked is None:  # before mpirun starts, or between two of them, the signal is only noted
            self.asked, self._asked_at = code, time.monotonic()
        elif self._mpirun and self._forced_at is None and time.monotonic() - self._asked_at >= 2.0:
            # At once it is the same one: timeout sends it twice. On a second TERM mpirun would leave without its ranks.
            self._forced_at = time.monotonic()
            self._send(self._launcher.FORCE)

    def _stop(self):
        """Ctrl-Z: the ranks stop and go on with this process."""
        if self._launcher.STOPS_RANKS:
            self._send(signal.SIGTSTP)
            os.kill(os.getpid(), signal.SIGSTOP)
            self._send(signal.SIGCONT)
            return
        stopped = processes.below(self._mpirun.pid) if self._mpirun else []
        processes.send(signal.SIGSTOP, stopped)
        os.kill(os.getpid(), signal.SIGSTOP)
        processes.send(signal.SIGCONT, stopped)

    def _send(self, number):
        if self._mpirun and (number == self._launcher.FORCE or catches(self._mpirun.pid, number)):
            self._mpirun.send_signal(number)

    def _kill(self):
        try:
            os.killpg(self._mpirun.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Lines:
    """One of mpirun's streams, by a pipe. What sort(line) gives goes on to standard error or output.

    to: 1 or 2; sort: the lines to show for each that comes."""

    def __init__(self, to, sort):
        self.to = to
        self.reader, self.writer = os.pipe()
        self.ended = False
        self._sort = sort
        self._begun = b""

    def fileno(self):
        return self.reader

    def pass_on(self):
        """What is there to read; waits where there is nothing."""
        for line in self._read():
            for shown in self._sort(line):
                write(shown, self.to)

    def _read(self):
        """The lines that are there; the last need not end."""
        text = os.read(self.reader, 1 << 16)
        self.ended = not text
        *lines, self._begun = (self._begun + text).split(b"\n")
        if self.ended and self._begun:
            lines.append(self._begun)
        # Open MPI 5 puts zero bytes between what it passes on of a rank that has died.
        whole = [(line, line.replace(b"\0", b"")) for line in lines]
        return [text.decode(errors="surrogateescape") for line, text in whole if text or not line]


def write(line, to=2):
    try:
        os.write(to, line.encode(errors="surrogateescape") + b"\n")
    except OSError:  # nobody reads it
        pass


def catches(process, number):
    """Whether the process has a handler for the signal: mpirun that is still starting would be ended by it."""
    try:
        with open(f"/proc/{process}/status", encoding="ascii", errors="replace") as status:
            masks = dict(line.split(":", 1) for line in status)
    except OSError:
        return False
    return bool(int(masks.get("SigCgt", "0"), 16) >> (number - 1) & 1)


def end_with_parent(number):
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
