"""The cores that this process has."""

import os
from pathlib import Path

from . import cgroups


def affinity_cpus():
    """The CPUs in the affinity mask."""
    return len(os.sched_getaffinity(0))


def online_cpus():
    return os.sysconf("SC_NPROCESSORS_ONLN")


def physical_cores():
    """The machine's cores, of which each may be several CPUs (hardware threads); None if Linux doesn't tell."""
    files = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/topology/thread_siblings_list")
    return len({file.read_text(encoding="ascii") for file in files}) or None


def quota():
    return cgroups.quota_cores()


def cores():
    """The cores that this process really has: the least of its affinity mask, the machine's cores and its CPU quota."""
    return min(limit for limit in (affinity_cpus(), physical_cores(), quota()) if limit is not None)


def whole_machine():
    """Whether every online CPU is ours, with no quota below that."""
    online = online_cpus()
    limit = quota()
    return affinity_cpus() == online and (limit is None or limit >= online)
