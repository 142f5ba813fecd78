"""Whether a process of this host was killed because memory had run out."""

from pathlib import Path

from . import cgroups

STATISTICS = Path("/proc/vmstat")
INFORMATION = Path("/proc/meminfo")


class Kills:
    """Counts from now on the processes that the kernel kills to get memory back."""

    def __init__(self, membership=cgroups.MEMBERSHIP, root=cgroups.ROOT, statistics=STATISTICS):
        self._groups = cgroups.groups("memory", membership, root)
        self._statistics = statistics
        self._before = self._counts()

    def reason(self):
        """ "memory ran out (limit ...)" if there were any, else None."""
        for (version, folder), before, now in zip(self._groups, self._before, self._counts()):
            if now > before:
                limit = limit_of(version, folder)
                if limit is not None:
                    return f"memory ran out, of which {folder} has {gibibytes(limit)}"
        if self._counts()[-1] > self._before[-1]:
            return f"memory ran out, of which the machine has {gibibytes(machine_bytes())}"
        return None

    def _counts(self):
        kills = [cgroups.value(folder / ("memory.events" if version == 2 else "memory.oom_control"), "oom_kill")
                 for version, folder in self._groups]
        return [*kills, cgroups.value(self._statistics, "oom_kill")]


def limit_of(version, folder):
    """The group's limit in bytes; None where it has none."""
    found = cgroups.words(folder / ("memory.max" if version == 2 else "memory.limit_in_bytes"))
    if not found or not found[0].isdigit() or int(found[0]) >= 1 << 60:  # version 1 has a huge number where there is none
        return None
    return int(found[0])


def machine_bytes():
    found = cgroups.words(INFORMATION)
    return int(found[found.index("MemTotal:") + 1]) * 1024


def gibibytes(number):
    return f"{number / (1 << 30):.3g} GiB" if number >= 1 << 30 else f"{number / (1 << 20):.3g} MiB"
