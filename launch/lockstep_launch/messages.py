"""What Open MPI says, beside what the ranks say: which lines are its own, and what they mean.

Its explanations stand between rules; its other lines begin with [host:pid], [host][[job],rank], [warn], *** or the name of a
program of its own, or are the second half of one that two ranks have torn.
"""

import re

RULE = re.compile(r"-{35,}$")
ITS_OWN = re.compile(r"((\[([^] ]*:\d+|warn|err|msg)\]|mpirun:|prterun:|prted:|orted:) |\[[^] ]*\]\[\[\d+,\d+\],\d+\]|\*\*\* |"
                     r"peer: \S+ mca_|Unable to find reachable pairing|(Killed|Terminated)$)")
OF_A_RANK = re.compile(r"lockstep: ranks? \d")
TO_US = re.compile(r"lockstep: launcher: (.*)$")  # see src/liveness/launcher.h; --tag-output puts words before it


class Messages:
    """Takes the lines of stderr apart.

    spoken   the first line that names a rank, a watchdog's or the error of one rank alone, to be shown in the end: Open MPI may
             know better, and a rank that has lost another says so too
    told     what rank 0 has told launch/run
    said     what Open MPI has said
    held     other lines from before the ranks have started, which may say why they do not
    failed   whether MPI has given a rank up, after which mpirun may hang
    """

    def __init__(self, verbose):
        self.verbose = verbose
        self.spoken = None
        self.told = []
        self.said = []
        self.held = []
        self.failed = False
        self._between_rules = False
        self._started = False

    def sort(self, line):
        """The lines to show now, of which this may be one."""
        for_us = TO_US.search(line)
        if for_us:
            self.told.append(for_us[1])
            return self._release() if not self._started else []
        shown = [line] if self.verbose else []
        if RULE.match(line):
            self._between_rules = not self._between_rules
        elif self._between_rules or ITS_OWN.match(line):
            self.said.append(line)
            self.failed = self.failed or "An error occurred in MPI_Init" in line
        elif OF_A_RANK.match(line):
            self.spoken = self.spoken or line
        elif self._started or self.verbose or line.startswith("lockstep: "):
            shown = [line]
        else:
            self.held.append(line)
        return shown

    def _release(self):
        self._started = True
        held, self.held = self.held, []
        return held

    def everything(self):
        return " ".join(" ".join(self.said + self.held).split())


def rank_ended_by_signal(said):
    """(rank, host, signal) of the process that Open MPI says was ended by a signal, or None."""
    found = re.search(r"process rank (\d+) with PID \d+ on node (\S+) exited on signal (\d+)", said)
    return (int(found[1]), found[2], int(found[3])) if found else None


def lost_host(said):
    """The host whose daemon Open MPI has lost, or None."""
    found = re.search(r"lost communication with a remote daemon.*?Remote daemon: \S+ on node (\S+)", said)
    return found[1] if found else None


SAME_PROGRAM = "expected the program at the same path on every host"
# What Open MPI says where ranks do not start, and what that means: (pattern, exit code, line).
START_FAILURES = [
    (r"not enough slots available in the system to satisfy the (\d+)", 2,
     "-np {0} is more ranks than the hosts have slots, expected fewer, more slots, or --force"),
    (r"MCA param: (\S+) MCA parameters can only be listed once", 2,
     "--mpi: --mca {0} is given twice, expected once"),
    (r"parse error in the hostfile: (\S+) It occured on line number (\d+)", 2,
     "{0}:{1}: mpirun cannot read this line, expected lines of 'HOST slots=N' in the hostfile"),
    (r"SIGPIPE detected", 5,
     "standard output was closed while ranks wrote to it, which ended them"),
    (r"(?:could not access or execute|lacked permissions to execute) an executable: Executable: (\S+) Node: (\S+)", 5,
     "{1} cannot run {0}: " + SAME_PROGRAM),
    (r"unable to find the specified executable file.*Node: (\S+) Executable: (\S+)", 5,
     "{0} cannot run {1}: " + SAME_PROGRAM),
    (r"Working directory: (\S+) Node: (\S+)", 5,
     "{1} has no folder {0}: expected this working folder on every host"),
    (r"ssh: Could not resolve hostname (\S+): ", 5,
     "host {0} has no address: expected a name that ssh knows"),
    (r"ssh: connect to host (\S+) port", 5,
     "host {0} does not answer ssh"),
    (r"(?:(\S+): )?Permission denied \(publickey", 5,
     "{0} does not let ssh in: expected a login without a password"),
    (r"Host key verification failed", 5,
     "ssh does not know a host's key: expected a login by ssh to each host once"),
    (r"error while loading shared libraries: (\S+):", 5,
     "a host lacks the library {0}: expected those of the program on every host"),
    (r"(\S+): command not found|exec: (\S+): not found", 5,
     "a host lacks the program {0}: expected Open MPI on every host"),
    (r"OUT-OF-RESOURCE in file \S*(?:dstore|gds|shmem)|No space left on device", 5,
     "no room for the files of Open MPI, in TMPDIR or /dev/shm, on one of the hosts"),
    (r"binding more processes than cpus on a resource", 2,
     "--bind core: there are fewer cores than threads, expected --bind none"),
    (r"unable to reliably start one or more daemons", 5,
     "a host did not start Open MPI's daemon: expected ssh without a password to each host, and the same Open MPI there"),
]


def start_failure(said):
    """(exit code, line) for what Open MPI says, or None."""
    for pattern, code, line in START_FAILURES:
        found = re.search(pattern, said)
        if found:
            return code, line.format(*[group for group in found.groups("") if group] or ["a host"])
    return None


def first_sentence(said):
    """Of what Open MPI says where we do not know the case."""
    found = re.match(r"(.{20,200}?)(?:[.:] |$)", said)
    return found[1].strip(" .:") if found else said[:200].strip()
