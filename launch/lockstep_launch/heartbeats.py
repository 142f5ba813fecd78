"""The signs of life that a training run's ranks leave in its folder: rank-N, see src/liveness/heartbeat.h."""

from pathlib import Path
from typing import NamedTuple

from . import hosts


class Heartbeat(NamedTuple):
    rank: int
    beat: str
    step: int
    host: str
    phase: str


def read(folder, since=0.0):
    """Those of the ranks that have beaten since then (seconds since the epoch), by rank."""
    found = []
    for file in Path(folder).glob("rank-*"):
        try:
            if file.stat().st_mtime < since:
                continue
            with open(file, encoding="utf-8", errors="replace") as lines:
                words = lines.readline().split()
            found.append(Heartbeat(int(file.name[5:]), words[0], int(words[1]), words[2], " ".join(words[3:])))
        except (OSError, ValueError, IndexError):  # one that has just gone, or is not a heartbeat
            continue
    return sorted(found)


class Places:
    """Where ranks were, for the line on those that are lost."""

    def __init__(self, folder, since):
        self.beats = read(folder, since) if folder else []

    def of_rank(self, rank):
        """" on HOST, at step N in PHASE,", or nothing."""
        for beat in self.beats:
            if beat.rank == rank:
                return f" on {beat.host}, at step {beat.step} in {beat.phase},"
        return ""

    def of_host(self, host):
        """" with ranks N, N, at step N in PHASE", or nothing."""
        exact = [beat for beat in self.beats if beat.host == host]
        there = exact or [beat for beat in self.beats if hosts.same(beat.host, host)]
        if not there:
            return ""
        last = min(there, key=lambda beat: beat.step)
        word = "rank" if len(there) == 1 else "ranks"
        return f" with {word} {', '.join(str(beat.rank) for beat in there)}, at step {last.step} in {last.phase}"
