"""What every launcher has to tell."""

import re
from dataclasses import dataclass, field

from ..hosts import Host

SAME_PROGRAM = "expected the program at the same path on every host"
# What is said where ranks do not start, whoever starts them, and what that means: (pattern, exit code, line).
START_FAILURES = [
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
]


@dataclass
class Start:
    """What is to be started."""

    ranks: int | None = None  # None: one for each slot
    hosts: list[Host] = field(default_factory=list)  # [] for this one, or an allocation's
    placement: list[str] = field(default_factory=list)  # the same as --host LIST or --hostfile FILE
    several_hosts: bool = False
    whole_names: bool = False  # hosts differ in their domains alone
    threads: int = 1
    bound: bool = False  # each rank to cores of its own, one for each thread
    crowded: bool = False  # there may be more ranks than cores or slots
    variables: dict[str, str] = field(default_factory=dict)  # of the ranks' environment
    users: list[str] = field(default_factory=list)  # the user's words for mpirun


class Launcher:
    """One mpirun. `path` is how it is called, `text` what it says to --version.

    NAME, VERSIONS  of the MPI whose it is
    OTHER_NAMES     what it is called besides mpirun and mpiexec, on hosts that have several MPIs
    OWN             the lines that are its own or its library's, beside those between rules
    RULE            the lines between which it explains itself
    GIVEN_UP        what it says where it has given ranks up, after which it may hang
    START_FAILURES  what it alone says where ranks do not start, as above
    SPEAKS_OUT      whether it says things on standard output, among what the ranks print
    STOPS_RANKS     whether it hands on TSTP and CONT
    FORCE           the signal upon which it ends the ranks by force; KILL: they end with it
    ROOM_BYTES      of temporary files on a host, less than which is too little; 0 if it has none
    """

    NAME = VERSIONS = ""
    OTHER_NAMES: tuple[str, ...] = ()
    OWN = RULE = GIVEN_UP = re.compile("(?!)")
    START_FAILURES: list[tuple[str, int, str]] = []
    SPEAKS_OUT = False
    STOPS_RANKS = True
    FORCE = 0
    ROOM_BYTES = 0

    def __init__(self, path, text):
        self.path = path
        self.text = text

    @staticmethod
    def starts(mpi):
        """Whether it belongs to the library that is called so."""
        raise NotImplementedError

    @staticmethod
    def is_it(text):
        """Whether the mpirun that says this to --version is one of these."""
        raise NotImplementedError

    def command(self, start):
        """The words before the program's."""
        raise NotImplementedError

    def agent(self, users):
        """How it runs a command on another host: the words of ssh or of what takes its place. users: the user's words for mpirun."""
        raise NotImplementedError

    def exit_code(self, code, _said):
        """The job's, of mpirun's own and what it has said."""
        return code

    def rank_ended_by_signal(self, _said):
        """(rank, host, signal) where it says that a process was ended by one, else None. rank: None where it does not say which."""
        return None

    def lost_host(self, _said):
        """The host that it says it has lost, "" if it does not say which, else None."""
        return None

    def rank_that_exited(self, _said):
        """(rank, exit code) where it says that one has ended with a code of its own, else None."""
        return None

    def unnamed_loss(self, _said):
        """What has been lost, where it says of something that it has been and not what; else None."""
        return None

    def start_failure(self, said):
        """(exit code, line) for what it says, or None."""
        for pattern, code, line in START_FAILURES + self.START_FAILURES:
            found = re.search(pattern, said)
            if found:
                return code, line.format(*[group for group in found.groups("") if group] or ["a host"])
        return None


def first_sentence(said):
    """Of what a launcher says where we do not know the case."""
    found = re.match(r"(.{20,200}?)(?:[.:] |$)", said)
    return found[1].strip(" .:") if found else said[:200].strip()
