"""Hydra, the mpirun of MPICH and of what descends from it: Intel MPI, MVAPICH.

It says things on standard output, and does not notice that a host has gone silent: the ranks' watchdogs and the guard do. Each rank
gets the environment of launch/run, LOCKSTEP_KERNELS among it, on every host.
"""

import os
import re
import signal

from .. import hosts
from .launcher import SAME_PROGRAM, Launcher, Start

STATUSES = re.compile(r"\[(\S+?)\] (-?\d+(?:,-?\d+)*)(?= |$)")  # wait()'s, of each host's ranks


class Hydra(Launcher):
    NAME, VERSIONS = "MPICH", "4"
    OTHER_NAMES = ("mpiexec.hydra", "mpirun.mpich")
    RULE = re.compile(r"={60,}$")
    OWN = re.compile(r"\[(mpiexec|proxy:\d+(:\d+)?)@[^]]*\] |Abort\(\d+\) on node |YOUR APPLICATION TERMINATED WITH|"
                     r"This typically refers to a problem with your|Please see the FAQ page for debugging|Ctrl-C caught\.\.\. |\[\S+\] \d+(,\d+)*$|"
                     r"\[\d+\.\d+\] \[\S+ *:\d+\] +\S+\.c:\d+ +UCX ")
    GIVEN_UP = re.compile("^ssh: |Permission denied|Host key verification failed")
    START_FAILURES = [
        (r"execvp error on file (\S+) ", 5,
         "a host cannot run {0}: " + SAME_PROGRAM),
        (r"unable to change wdir to (\S+) ", 5,
         "a host has no folder {0}: expected this working folder on every host"),
        (r"(\S+): command not found|exec: (\S+): not found", 5,
         "a host lacks the program {0}: expected MPICH on every host"),
        (r"UCX +ERROR +no active messages transport to", 5,
         "ranks on different hosts find no network between them: expected that of all hosts, as in UCX_NET_DEVICES=eth0"),
        (r"Fatal error in \S*[Ii]nit_thread.* ucx function returned with failed status", 5,
         "MPICH finds no memory that the ranks of a host can share, which containers may forbid and /dev/shm be too small for: "
         "UCX_TLS=tcp,self does without"),
        (r"unrecognized argument (\S+)", 2,
         "--mpi: mpirun, which is MPICH's, has no option {0}"),
    ]  # fmt: skip
    SPEAKS_OUT = True
    STOPS_RANKS = False
    FORCE = signal.SIGKILL  # a TERM it hands to the ranks

    def __init__(self, path, text):
        super().__init__(path, text)
        self._start = Start()

    @staticmethod
    def starts(mpi):
        return mpi.startswith(("MPICH", "MVAPICH", "Intel"))

    @staticmethod
    def is_it(text):
        return "HYDRA build details" in text or "Intel(R) MPI Library" in text

    def command(self, start):
        self._start = start
        words = [self.path, "-print-all-exitcodes"]
        if start.ranks is not None:
            words += ["-n", str(start.ranks)]
        if start.hosts:  # its own hostfiles are others
            words += ["-hosts", hosts.as_list(start.hosts)]
        if start.bound and not {"-bind-to", "--bind-to", "-binding"} & set(start.users):
            words += ["-bind-to", f"core:{start.threads}"]
        for key, value in start.variables.items():
            words += ["-genv", key, value]
        return words + start.users

    def agent(self, users):
        given = [users[i + 1] for i in range(len(users) - 1) if users[i].lstrip("-") in ("launcher-exec", "bootstrap-exec")]
        return [given[-1] if given else os.environ.get("HYDRA_LAUNCHER_EXEC") or "ssh"]

    def exit_code(self, code, said):
        codes = [status >> 8 or 128 + (status & 0x7F) for _, _, status in self._ended_badly(said)]
        return min(codes or [code])  # its own is all of them, or-ed

    def rank_ended_by_signal(self, said):
        ended = [(rank, host, status & 0x7F) for rank, host, status in self._ended_badly(said) if status & 0x7F]
        if len(ended) > 1:  # of which it has killed all but one
            return None, *ended[0][1:]
        return ended[0] if ended else None

    def rank_that_exited(self, said):
        return next(((rank, status >> 8) for rank, _, status in self._ended_badly(said) if status >> 8), None)

    def unnamed_loss(self, said):
        # Where it has lost its own helpers by that, it does not come to the statuses of the ranks.
        found = re.search(r"PID \d+ RUNNING AT (\S+) =? *EXIT CODE: (\d+)", said)
        if not found or not 0 < int(found[2]) < signal.NSIG:
            return None
        return f"a rank on {found[1]} was ended by {signal.Signals(int(found[2])).name}, and MPICH did not say which"

    def lost_host(self, said):
        return "" if re.search(r"\[mpiexec@\S+\] control_cb .*assert \(!closed\) failed", said) else None

    def _ended_badly(self, said):
        """(rank, host, wait's status) of the ranks that did, where it has told; without those that it has killed for another's sake."""
        told = re.search(r"Exit codes: (.*)", said)
        of_hosts = [(host, words.split(",")) for host, words in STATUSES.findall(told[1])] if told else []
        every = [(host, int(word)) for host, words in of_hosts for word in words]
        bad = [(rank, host, status) for rank, (host, status) in zip(self._order(len(every)), every) if status]
        return [ended for ended in bad if ended[2] & 0x7F != signal.SIGKILL] or bad

    def _order(self, ranks):
        """The ranks in the order of their hosts, whose slots it fills in turn."""
        slots = [host.slots or 1 for host in self._start.hosts] or [ranks]
        place = [host for host, number in enumerate(slots) for _ in range(number)]
        return sorted(range(ranks), key=lambda rank: (place[rank % len(place)], rank))
