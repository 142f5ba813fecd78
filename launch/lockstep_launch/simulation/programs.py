"""lockstep on this machine, and programs under SimGrid's smpirun on hosts that do not exist."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ..script import REPOSITORY

LOCKSTEP = REPOSITORY / "build/lockstep"
SIMULATED = REPOSITORY / "build-simulation"
PLATFORM = """<?xml version="1.0"?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="hosts" prefix="host-" suffix="" radical="0-{last}" speed="1Gf" core="{cores}" sharing_policy="SPLITDUPLEX"
           bw="{gbit}Gbps" lat="{link_latency:g}us" loopback_bw="40Gbps" loopback_lat="2us"/>
</platform>
"""


def attempt(words):
    """What the command prints, in its own words; where it fails, the program's own line or the last one, and its exit code."""
    ended = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, errors="replace", env=os.environ | {"OMP_NUM_THREADS": "1"})  # fmt: skip
    if ended.returncode == 0:
        return ended.stdout
    lines = ended.stdout.splitlines() or [f"{words[0]} ended with code {ended.returncode}"]
    own = [line for line in lines if line.startswith("lockstep: ") or "/CRITICAL]" in line]
    print((own or lines[-1:])[0], file=sys.stderr)
    sys.exit(ended.returncode if ended.returncode > 0 else 128 - ended.returncode)


def simulate(ranks, gbit, microseconds, command, ranks_a_host=1):
    """Runs the command on hosts of so many ranks and cores each, at a switch, which each have a link; ranks fill them in order. A message to
    another host crosses two links; one within a host has the rate and the latency that lockstep predict takes for memory. Times are
    those of messages alone: computation passes in no time unless the program says how long it takes."""
    with tempfile.TemporaryDirectory() as work:
        platform, hosts = Path(work, "platform.xml"), Path(work, "hosts")
        platform.write_text(PLATFORM.format(last=(ranks - 1) // ranks_a_host, cores=ranks_a_host, gbit=gbit, link_latency=microseconds / 2),
                            encoding="utf-8")  # fmt: skip
        hosts.write_text("".join(f"host-{i // ranks_a_host}\n" for i in range(ranks)), encoding="utf-8")
        # The rate and the latency are those that programs see already: no factors. Small sums take recursive doubling.
        options = ["--log=root.thres:critical", "--cfg=smpi/simulate-computation:no", "--cfg=smpi/host-speed:1Gf", "--cfg=smpi/test:0",
                   "--cfg=smpi/allreduce:rdb", "--cfg=smpi/bw-factor:0:1.0;65536:1.0", "--cfg=smpi/lat-factor:0:1.0;65536:1.0",
                   "--cfg=smpi/shared-malloc-blocksize:67108864"]  # of thousands of ranks: few mappings  # fmt: skip
        return attempt(["smpirun", "-np", ranks, "-platform", platform, "-hostfile", hosts, *options, *command])
