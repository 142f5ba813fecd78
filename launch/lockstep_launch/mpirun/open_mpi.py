"""Open MPI's mpirun.

Open MPI 4.1 starts ranks by its own runtime (ORTE), Open MPI 5 by PRRTE, whose parameters are given by --prtemca.
"""

import os
import re
import signal

from .. import networks
from .launcher import SAME_PROGRAM, Launcher

NEVER = ("127.0.0.1/8", "sppp")  # what it excludes itself
PARAMETER = ("--mca", "-mca", "--omca", "--prtemca", "--pmixmca")


class OpenMpi(Launcher):
    NAME, VERSIONS = "Open MPI", "4.1 or 5.0"
    OTHER_NAMES = ("mpirun.openmpi", "orterun", "prterun")
    # Its explanations stand between rules; its other lines begin with [host:pid], [host][[job],rank], [warn], *** or the name of a
    # program of its own, or are the second half of one that two ranks have torn.
    RULE = re.compile(r"-{35,}$")
    OWN = re.compile(r"((\[([^] ]*:\d+|warn|err|msg)\]|mpirun:|prterun:|prted:|orted:) |\[[^] ]*\]\[\[\d+,\d+\],\d+\]|\*\*\* |"
                     r"peer: \S+ mca_|(MPI )?Error in (MPI_I|NBC|ompi_)|Unable to find reachable pairing|(Killed|Terminated)$)")
    GIVEN_UP = re.compile("An error occurred in MPI_Init")
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
        (r"(\S+): command not found|exec: (\S+): not found", 5,
         "a host lacks the program {0}: expected Open MPI on every host"),
        (r"OUT-OF-RESOURCE in file \S*(?:dstore|gds|shmem)|No space left on device", 5,
         "no room for the files of Open MPI, in TMPDIR or /dev/shm, on one of the hosts"),
        (r"binding more processes than cpus on a resource", 2,
         "--bind core: there are fewer cores than threads, expected --bind none"),
        (r"unable to reliably start one or more daemons", 5,
         "a host did not start Open MPI's daemon: expected ssh without a password to each host, and the same Open MPI there"),
    ]  # fmt: skip
    FORCE = signal.SIGTERM
    ROOM_BYTES = 16 << 20  # Open MPI 4.1 takes 8 MiB and hangs where there are less

    def __init__(self, path, text):
        super().__init__(path, text)
        self.major = major_of(text)

    @staticmethod
    def starts(mpi):
        return mpi.startswith("Open MPI")

    @staticmethod
    def is_it(text):
        return major_of(text) is not None

    def command(self, start):
        words = [self.path]
        if os.geteuid() == 0:  # it wants to be told
            words.append("--allow-run-as-root")
        if start.ranks is not None:
            words += ["-np", str(start.ranks)]
        words += start.placement
        ours = self._between_hosts(start.users) if start.several_hosts else []
        if start.whole_names:  # of which it keeps the first label alone
            ours += self._of_runtime(orte_keep_fqdn_hostnames=1)
        if not {"--map-by", "--bind-to"} & set(start.users):  # those of the user replace ours
            ours += self._place(start)
        if start.crowded:
            ours += ["--mca", "mpi_yield_when_idle", "1"]
        words += without_doubles(ours, start.users)
        for key, value in start.variables.items():
            words += ["-x", f"{key}={value}"]
        return words + start.users

    def _between_hosts(self, users):
        # A host that has gone silent is given up after 3 + 3 x 1 s; without this mpirun would wait for ever.
        words = self._of_runtime(oob_tcp_keepalive_time=3, oob_tcp_keepalive_intvl=1, oob_tcp_keepalive_probes=3)
        said = " ".join([*users, *os.environ])
        if (inner := networks.inner()) and not re.search("btl_tcp_if_(in|ex)clude", said):
            words += ["--mca", "btl_tcp_if_exclude", ",".join([*NEVER, *inner])]
        return words

    @staticmethod
    def _place(start):
        if start.bound:
            return ["--map-by", f"slot:PE={start.threads}", "--bind-to", "core"]
        if start.crowded or not start.several_hosts:
            return ["--map-by", "slot:OVERSUBSCRIBE", "--bind-to", "none"]
        return ["--bind-to", "none"]

    def _of_runtime(self, **values):
        """Parameters of what starts the ranks, by Open MPI 4's names."""
        words = []
        for name, value in values.items():
            if self.major >= 5:
                words += ["--prtemca", name.replace("orte_", "prte_").replace("plm_rsh_", "plm_ssh_"), str(value)]
            else:
                words += ["--mca", name, str(value)]
        return words

    def agent(self, users):
        for i in range(len(users) - 2):
            if users[i] in PARAMETER and users[i + 1] in ("plm_rsh_agent", "plm_ssh_agent"):
                return users[i + 2].split()
        named = os.environ.get("OMPI_MCA_plm_rsh_agent") or os.environ.get("PRTE_MCA_plm_ssh_agent") or "ssh"
        return named.split(":")[0].split()

    def rank_ended_by_signal(self, said):
        found = re.search(r"process rank (\d+) with PID \d+ on node (\S+) exited on signal (\d+)", said)
        return (int(found[1]), found[2], int(found[3])) if found else None

    def rank_that_exited(self, said):
        found = re.search(r"exited with non-zero status.*?Process name: \S*?(\d+)\]? Exit code: (\d+)", said)
        return (int(found[1]), int(found[2])) if found else None

    def unnamed_loss(self, said):
        # Open MPI 5, where a rank that is left notices it before mpirun does.
        return "a rank was lost, and Open MPI 5 did not say which" if "Socket closed" in said else None

    def lost_host(self, said):
        found = re.search(r"lost communication with a remote daemon.*?Remote daemon: \S+ on node (\S+)", said)
        return found[1] if found else None


def major_of(text):
    """4 or 5, of what `mpirun --version` says; None where it is another MPI's."""
    found = re.search(r"\((?:Open MPI|OpenRTE)\) (\d+)\.|\(PRRTE\)", text)
    return int(found[1] or 5) if found else None


def without_doubles(ours, users):
    """Our parameters (--mca NAME VALUE, ...), but those that the user's words set too: mpirun refuses to be told twice."""
    named = {users[i + 1] for i in range(len(users) - 1) if users[i] in PARAMETER}
    kept = []
    i = 0
    while i < len(ours):
        taken = 3 if ours[i] in PARAMETER else 1
        if taken == 1 or ours[i + 1] not in named:
            kept += ours[i:i + taken]
        i += taken
    return kept
