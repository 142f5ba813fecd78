"""Jobs on the hosts of a world: launch/run on h0 with a training run into the folder `out` of the working folder."""

import re
import subprocess
import time
from pathlib import Path

from harness.build import PROGRAM, REPOSITORY
from harness.files import summary_of
from harness.points import write_points_config
from harness.process import settings
from hosts import name_of, names, on, processes

# Ranks of a host share its memory, those of two hosts use the data network; Open MPI itself uses the other one.
TRANSPORTS = ("--mca plm_rsh_no_tree_spawn 1 --mca pml ob1 --mca btl self,vader,tcp --mca btl_tcp_if_include 10.20.0.0/24 "
              "--mca oob_tcp_if_include 10.10.0.0/24")
OPEN_MPI = f"--mca plm_rsh_agent {REPOSITORY}/tests/hosts/agent {TRANSPORTS}"
YIELD = "--mca mpi_yield_when_idle 1"  # which launch/scaling sees to itself
MPIRUN_5 = ") 5." in subprocess.run(["mpirun", "--version"], capture_output=True, text=True).stdout


def of_a_rank(pattern):
    """What is said of a rank, or where Open MPI 5 itself was told of the loss by a rank that is left."""
    lost = r"a rank was lost, and Open MPI 5 did not say which \(code 14\)"
    return f"({lost}|{pattern})" if MPIRUN_5 else f"({pattern})"


class Job:
    """Runs beside the test. `launch`: more options of launch/run; `mpi`: those of mpirun; `before`: words that run it."""

    def __init__(self, ranks, slots, *keys, launch=(), mpi=f"{OPEN_MPI} {YIELD}", before=()):
        write_points_config(model="", train="")
        script = ["env", f"LOCKSTEP={PROGRAM}", f"{REPOSITORY}/launch/run", "--allow-run-as-root", "-np", str(ranks), "--host", slots,
                  *launch, "--mpi", mpi]
        words = on("h0", *before, *script, "points.toml", "--quiet", "--out", "out", *settings(*keys))
        with open("stdout", "wb") as out, open("stderr", "wb") as err:  # a process that is left does not keep the test waiting
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        self.pid = self._process.pid  # of launch/run
        self._ranks = ranks

    def wait_until_it_trains(self):
        """For some steps, which its heartbeats tell every second, and all ranks beat: on a busy machine some do so late."""
        limit = time.monotonic() + 60
        while step() <= 20 or beating() < self._ranks:
            assert self._process.poll() is None and time.monotonic() < limit, (
                f"the job starts within 60 s, and is not over by then: {Path('stderr').read_text(encoding='utf-8')}")
            time.sleep(0.1)

    def wait(self, seconds):
        """Until it is over. Sets code, out, err, and took, the seconds since the call."""
        began = time.monotonic()
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self.took = time.monotonic() - began
        self.code = code if code >= 0 else 128 - code
        self.out, self.err = (Path(name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return self

    def refused(self, code, pattern):
        """It has ended with that code and one line like this."""
        assert self.code == code, (self.err, self.took)
        assert re.fullmatch(f"{pattern}\n", self.err), (self.err, self.took)


def step():
    """The last one that rank 0 tells of; 0 before the first."""
    try:
        return int(Path("out/.heartbeat/rank-0").read_text(encoding="utf-8").split()[1])
    except (FileNotFoundError, IndexError):
        return 0


def beating():
    """How many ranks have told of themselves."""
    return sum(file.stat().st_size > 0 for file in Path("out/.heartbeat").glob("rank-*"))


def trained(ranks, slots, *keys):
    """The summary of a training run there, which ends without a remark."""
    job = Job(ranks, slots, *keys).wait(120)
    assert (job.code, job.out, job.err) == (0, "", "")
    return summary_of("out")


def left_running(seconds):
    """The names of the processes of all hosts that are still there after so long."""
    limit = time.monotonic() + seconds
    while left := [pid for host in names() for pid in processes(host)]:
        if time.monotonic() > limit:
            return [name_of(pid) for pid in left]
        time.sleep(0.1)
    return []
