"""The hosts and cores that a study may use, and which points they suffice for."""

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from .. import hosts
from ..script import Failure


class Host(NamedTuple):
    name: str
    slots: int  # ranks that it takes
    cores: int  # for their threads

    def room(self, threads):
        """Ranks of so many threads that have a core for each."""
        return min(self.slots, self.cores // threads)


def hosts_of(options):
    """In the order in which ranks fill them; [] where there is this machine alone. A slot is a core, but in Slurm's
    allocations, where it is the cores of a task."""
    if options.host:
        return with_slots(hosts.of_list(options.host), f"--host is '{options.host}'", "HOST:SLOTS,HOST:SLOTS,...")
    if options.hostfile:
        return with_slots(hosts.of_file(options.hostfile), f"--hostfile {options.hostfile}", "lines of 'HOST slots=N'")
    if os.environ.get("SLURM_JOB_NODELIST"):
        return hosts_of_slurm()
    for name in ("PBS_NODEFILE", "LSB_DJOB_HOSTFILE"):  # a line for each slot
        if os.environ.get(name):
            lines = read_lines(os.environ[name], name)
            return [Host(host, lines.count(host), lines.count(host)) for host in dict.fromkeys(lines)]
    return []


def with_slots(found, what, expected):
    for host in found:
        if host.slots is None:
            raise Failure(2, f"{what}: {host.name} has no slots, expected {expected}")
    return [Host(host.name, host.slots, host.slots) for host in found]


def read_lines(path, what):
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(2, f"{what} {path}: {error.strerror}, expected the hosts") from None
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def hosts_of_slurm():
    nodes = os.environ["SLURM_JOB_NODELIST"]
    try:
        shown = subprocess.run(["scontrol", "show", "hostnames", nodes], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        raise Failure(2, f"scontrol does not tell the hosts of SLURM_JOB_NODELIST, '{nodes}'") from None
    tasks = repeated(os.environ.get("SLURM_TASKS_PER_NODE", ""))
    of_task = int(os.environ.get("SLURM_CPUS_PER_TASK", "1"))
    return [Host(name, slots, slots * of_task) for name, slots in zip(shown.stdout.split(), tasks)]


def repeated(text):
    """SLURM_TASKS_PER_NODE: from "2(x3),1", [2, 2, 2, 1]."""
    numbers = []
    for part in text.split(","):
        found = re.fullmatch(r"(\d+)(?:\(x(\d+)\))?", part)
        if not found:
            raise Failure(2, f"SLURM_TASKS_PER_NODE is '{text}', expected as in 2(x3),1")
        numbers += [int(found[1])] * int(found[2] or 1)
    return numbers


def processor():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
