"""Control groups that leave half a core, or little memory."""

import re

from groups import limited, not_permitted
from harness.build import OPEN_MPI, PROGRAM
from harness.files import summary_of, write_planar_config
from harness.process import execute
from rooms import RUN

HALF_A_CORE = "50000"  # microseconds of each 100,000
MEBIBYTES = 300


def why_not():
    return not_permitted("cpu", HALF_A_CORE) or not_permitted("memory", str(MEBIBYTES << 20))


def write_config():
    write_planar_config()
    with open("run.toml", encoding="ascii") as file:
        text = file.read().replace("threads = 1", "threads = 0")
    with open("run.toml", "w", encoding="ascii") as file:
        file.write(text)


def test_the_program_takes_no_more_threads_than_the_quota_has_cores():
    write_config()
    with limited("cpu", HALF_A_CORE) as (inside, _):
        outcome = execute([*inside, PROGRAM, "train", "run.toml", "--quiet", "--out", "out"])
    assert (outcome.code, outcome.err) == (0, "")
    assert summary_of("out")["threads"] == 1


def test_launch_run_does_not_either():
    with limited("cpu", HALF_A_CORE) as (inside, _):
        outcome = execute([*inside, "env", f"LOCKSTEP={PROGRAM}", RUN, "--dry-run", "run.toml"])
    assert outcome.code == 0, outcome
    assert re.search(r" -(np|n) 1 .*OMP_NUM_THREADS[= ]1 ", outcome.out), outcome


def test_a_rank_that_is_killed_for_memory_is_reported_with_the_limit(folder):
    """The last rank takes more than there is."""
    program = folder / "program"
    program.write_text(f"""#!/usr/bin/env bash
        [[ $1 != --version ]] || exec {PROGRAM} --version
        rank=${{OMPI_COMM_WORLD_RANK:-$PMI_RANK}}
        ((rank)) || {{ echo "lockstep: launcher: started" >&2; exec sleep 60; }}
        exec python3 -c 'import time; held = b"x" * (1 << 30); time.sleep(60)'""", encoding="ascii")
    program.chmod(0o755)
    with limited("memory", str(MEBIBYTES << 20)) as (inside, group):
        outcome = execute([*inside, "env", f"LOCKSTEP={program}", RUN, "--allow-run-as-root", "-np", 2, "--force", "c.toml"],
                          verbatim=True)
    assert outcome.code == 5, outcome
    assert re.fullmatch(f"launch/run: {'rank 1' if OPEN_MPI else '(rank 1|a rank on .*)'} was ended by SIGKILL: memory ran out, of which {re.escape(str(group))} has "
                        f"{MEBIBYTES} MiB\n", outcome.err), outcome
