"""mpirun: which one it is, and its options in the words of that version.

Open MPI 4.1 starts ranks by its own runtime (ORTE), Open MPI 5 by PRRTE, whose parameters are given by --prtemca.
"""

import os
import re
import shutil
import subprocess

from .script import Failure


class Mpirun:
    """The mpirun that is installed; `major` is 4 or 5."""

    def __init__(self, major):
        self.major = major

    def runtime_parameters(self, **values):
        """Parameters of what starts the ranks, by Open MPI 4's names."""
        words = []
        for name, value in values.items():
            if self.major >= 5:
                words += ["--prtemca", name.replace("orte_", "prte_").replace("plm_rsh_", "plm_ssh_"), str(value)]
            else:
                words += ["--mca", name, str(value)]
        return words

    def keepalive(self):
        """A host that has gone silent is given up after 3 + 3 x 1 s; without this mpirun would wait for ever."""
        return self.runtime_parameters(oob_tcp_keepalive_time=3, oob_tcp_keepalive_intvl=1, oob_tcp_keepalive_probes=3)

    def whole_names(self):
        """Hosts keep their domains. As Open MPI has them they lose all but the first label."""
        return self.runtime_parameters(orte_keep_fqdn_hostnames=1)


def detect():
    """Throws Failure if there is no mpirun, or that of another MPI."""
    if not shutil.which("mpirun"):
        raise Failure(2, "mpirun is not installed; launch/install-deps installs it")
    try:
        shown = subprocess.run(["mpirun", "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        text = (shown.stdout + shown.stderr).decode(errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(2, f"mpirun --version fails: {error}") from None
    return Mpirun(major_of(text))


def major_of(text):
    """What `mpirun --version` says."""
    found = re.search(r"\(Open MPI\) (\d+)\.|\(PRRTE\)", text)
    if not found:
        first = next(iter(text.strip().splitlines()), "nothing")
        raise Failure(2, f"mpirun says of itself '{first}', expected Open MPI 4.1 or 5.0")
    return int(found[1] or 5)


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


PARAMETER = ("--mca", "-mca", "--omca", "--prtemca", "--pmixmca")


def agent(users):
    """How mpirun runs a command on another host: the words of ssh or of what takes its place."""
    for i in range(len(users) - 2):
        if users[i] in PARAMETER and users[i + 1] in ("plm_rsh_agent", "plm_ssh_agent"):
            return users[i + 2].split()
    named = os.environ.get("OMPI_MCA_plm_rsh_agent") or os.environ.get("PRTE_MCA_plm_ssh_agent") or "ssh"
    return named.split(":")[0].split()
