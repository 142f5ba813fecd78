"""The processes of this host."""

import os
from pathlib import Path


def below(pid):
    """Those that the process has started, and those that they have, as far as their parents are alive."""
    parents = {int(name): parent_of(name) for name in os.listdir("/proc") if name.isdigit()}
    found = [pid]
    for member in found:  # which grows meanwhile
        found += [child for child, parent in parents.items() if parent == member]
    return found[1:]


def parent_of(pid):
    """0 where there is none any more."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0


def send(number, pids):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
