"""launch/scaling on several hosts and in allocations: which points are oversubscribed, and what launch/run is asked for."""

import os
import shutil
from pathlib import Path

import pytest
from harness.files import read, write
from scripts import machine, refused, run, scripts, stand_in


@pytest.fixture(autouse=True)
def copy(monkeypatch):
    """A repository whose launch/run notes its words, and fails, which ends the study."""
    folder = scripts()
    stand_in("copy/launch/run", 'echo "$*" >>asked\necho "enough" >&2\nexit 5')
    monkeypatch.setenv("LOCKSTEP", str(stand_in("lockstep", "exit 0")))
    write("c.toml", "seed = 1\n")
    return folder


def asked(ranks, threads, *options, **variables):
    """The words before CONFIG that launch/run is asked for, for a point of so many ranks and threads."""
    Path("asked").unlink(missing_ok=True)
    shutil.rmtree("out", ignore_errors=True)
    outcome = run("copy/launch/scaling", "c.toml", "--ranks", ranks, "--threads", threads, "--out", "out", *options, **variables)
    assert outcome.code == 5, "one run is tried"
    words, config, _ = read("asked").partition("c.toml ")
    assert config and words.startswith(f"-np {ranks} --threads {threads} ")
    return words.removeprefix(f"-np {ranks} --threads {threads} ").strip()


def test_ranks_fill_the_hosts_of_a_hostfile_in_order():
    write("hosts", "# the cluster\na slots=2\n\nb slots=4 max_slots=9\n")
    hosts = ["--hostfile", "hosts"]
    assert asked(6, 1, *hosts) == "--bind core --host a:2,b:4"
    assert asked(7, 1, *hosts) == "--force --host a:2,b:4"
    assert asked(3, 2, *hosts) == "--bind core --host a:1,b:2"
    assert asked(4, 2, *hosts) == "--force --host a:2,b:4"
    assert asked(1, 3, *hosts) == "--bind core --host b:1"
    assert asked(2, 1, *hosts, "--bind", "none", "--mpi", "--mca btl tcp") == "--mpi --mca btl tcp --bind none --host a:2,b:4"


def test_so_they_do_those_of_the_command_line():
    assert asked(3, 1, "--host", "x,y:2") == "--bind core --host x:1,y:2"
    assert asked(4, 1, "--host", "x,y:2") == "--force --host x:1,y:2"


def test_on_one_machine_launch_run_itself_binds(copy):
    machine(copy, 4, 4, 4)
    assert asked(4, 1) == ""
    assert asked(2, 2) == ""
    assert asked(2, 2, "--bind", "none") == "--bind none"
    assert asked(3, 2) == "--force"
    assert asked(5, 1) == "--force"


def test_in_slurms_allocations_a_slot_has_the_cores_of_a_task(monkeypatch):
    stand_in("bin/scontrol", '[[ "$*" == "show hostnames n[1-3]" ]] && printf "%s\\n" n1 n2 n3')
    for name, value in (("SLURM_JOB_NODELIST", "n[1-3]"), ("SLURM_TASKS_PER_NODE", "2(x2),1"), ("SLURM_CPUS_PER_TASK", "2"),
                        ("PATH", f"{Path.cwd()}/bin:{os.environ['PATH']}")):
        monkeypatch.setenv(name, value)
    assert asked(5, 1) == "--bind core --host n1:2,n2:2,n3:1"
    assert asked(5, 2) == "--bind core --host n1:2,n2:2,n3:1"
    assert asked(6, 2) == "--force --host n1:2,n2:2,n3:1"
    assert asked(2, 4) == "--bind core --host n1:1,n2:1"
    assert asked(3, 4) == "--force --host n1:2,n2:2,n3:1"
    words = ["copy/launch/scaling", "c.toml", "--ranks", 1, "--out", "out"]
    refused(run(*words, SLURM_JOB_NODELIST="m[1-3]"), 2, r"scontrol does not tell the hosts of SLURM_JOB_NODELIST, 'm\[1-3\]'")
    refused(run(*words, SLURM_TASKS_PER_NODE="many"), 2, "SLURM_TASKS_PER_NODE is 'many', expected as in 2")


def test_others_list_a_host_once_for_each_slot():
    write("nodes", "a\na\nb\nb\n")
    assert asked(4, 1, PBS_NODEFILE="nodes") == "--bind core --host a:2,b:2"
    assert asked(3, 2, LSB_DJOB_HOSTFILE="nodes") == "--force --host a:2,b:2"
