"""When a job that shows no sign of life has to be ended: mpirun hangs now and then, or all ranks do.

It counts its turns, for clocks can be set and processes stopped.
"""

from . import heartbeats, hosts

TURN = 0.5  # seconds
SET_UP_SECONDS = 600  # until rank 0 tells how patient its watchdog is


class Guard:
    """The start has `start_seconds` (0: no limit) until rank 0 tells that MPI is there. From then on a training run is watched:
    during the set-up, where the ranks' watchdogs are patient tenfold, by that time; then by the heartbeats, as long as the
    watchdogs of the ranks wait. Where this host does not see the ranks' file system no beat is missed."""

    def __init__(self, start_seconds, trains):
        self.folder = None  # of heartbeats
        self.reason = None  # why the job was ended: how rank 0 and the others were silent
        self._trains = trains
        self._limit = start_seconds  # seconds without a sign
        self._what = f"have not started within {start_seconds} s (--start-seconds)"
        self._kill_after = 10.0  # seconds, once a rank has spoken or the job was told to end
        self._beats = {}
        self._silent = {}  # by rank, the seconds since its heartbeat has changed
        self._beating = True
        self._still = 0.0
        self._ending = 0.0

    def hear(self, told):
        """What rank 0 tells: "started", then of each watchdog "watched SECONDS LIMIT FOLDER", where the folder may be empty."""
        word, _, rest = told.partition(" ")
        self._still = 0.0
        if word == "started":
            self._limit = SET_UP_SECONDS if self._trains else 0.0
            self._what = "have not come through the set-up"
        elif word == "watched":
            seconds, limit, folder = rest.split(" ", 2)
            self._kill_after = min(max(float(seconds) / 2, 5.0), 10.0)
            if folder:
                self.folder = folder
                self._limit = max(float(limit), 4.0) + 1.0 if float(seconds) else 0.0
                self._what = "have shown no sign of life"
                self._beats = self._now()
                self._beating = False
            else:
                self._limit = 10 * float(seconds)

    def turn(self, spoken):
        """To be called every TURN. What to send to mpirun: nothing, "TERM" or "KILL"."""
        beats = self._now()
        for rank, beat in beats.items():
            self._silent[rank] = self._silent.get(rank, 0.0) + TURN if beat == self._beats.get(rank) else 0.0
        if beats != self._beats:
            self._beats, self._beating, self._still = beats, True, 0.0
        elif self._beating:
            self._still += TURN
        if spoken or self.reason:
            self._ending += TURN
            return "KILL" if self._ending >= self._kill_after - TURN else None
        if self._limit and self._still > self._limit:
            self.reason = self._what
            if self.folder:
                self.reason += f" for {self._still:.0f} s"
            return "TERM"
        return None

    def lost_host(self, own):
        """Of the hosts beside this one, `own`, the only one, or the one whose ranks have been silent for longer than all others, by
        two turns at least; None if nobody can tell."""
        by_host = {}
        for beat in heartbeats.read(self.folder) if self.folder else []:
            if not hosts.same(beat.host, own):
                by_host.setdefault(beat.host, []).append(self._silent.get(beat.rank, 0.0))
        order = sorted(by_host, key=lambda host: min(by_host[host]))
        if len(order) == 1:
            return order[0]
        if order and min(by_host[order[-1]]) >= 2 * TURN + max(max(by_host[host]) for host in order[:-1]):
            return order[-1]
        return None

    def _now(self):
        return {beat.rank: beat.beat for beat in heartbeats.read(self.folder)} if self.folder else {}
