"""The limits that Linux sets for this process's group, and for each group above it: control groups, version 1 and 2."""

from pathlib import Path

MEMBERSHIP = Path("/proc/self/cgroup")
ROOT = Path("/sys/fs/cgroup")


def groups(controller, membership=MEMBERSHIP, root=ROOT):
    """The folders of the groups that limit `controller` for this process, its own first, as (version, folder).

    membership: /proc/PID/cgroup, with lines NUMBER:CONTROLLERS:GROUP; version 2 has no controllers there.
    """
    try:
        lines = membership.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            version, tops = 2, [root, root / "unified"]
        elif controller in controllers.split(","):
            version, tops = 1, [root / controllers]
        else:
            continue
        group = group.strip("/")
        for top in tops:
            own = top / group if group else top
            found += [(version, folder) for folder in [own, *own.parents] if folder == top or top in folder.parents]
    return found


def words(file):
    """The words of a small file; [] where there is none."""
    try:
        return file.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return []


def value(file, key):
    """The number after `key` in a file of lines KEY NUMBER; 0 where there is none."""
    found = words(file)
    pairs = dict(zip(found[::2], found[1::2]))
    return int(pairs[key]) if pairs.get(key, "").isdigit() else 0


def quota_cores(membership=MEMBERSHIP, root=ROOT):
    """The whole cores that CPU quotas leave to this process, at least 1; None where there is no quota."""
    least = None
    for version, folder in groups("cpu", membership, root):
        if version == 2:
            limit = words(folder / "cpu.max")
        else:
            limit = words(folder / "cpu.cfs_quota_us") + words(folder / "cpu.cfs_period_us")
        if len(limit) == 2 and all(word.isdigit() for word in limit):
            cores = max(1, int(limit[0]) // int(limit[1]))
            least = cores if least is None else min(least, cores)
    return least
