"""launch/slurm.sbatch with stand-ins for Slurm: what it starts, and what becomes of a job ahead of its time limit."""

import os
import shutil
from pathlib import Path

import pytest
from harness.files import read, write
from scripts import refused, run, scripts, stand_in, succeeded

SRUN = "--mpi=pmix --kill-on-bad-exit=1"


class Slurm:
    def __init__(self):
        self.copy = scripts()
        self.lockstep = stand_in("lockstep", "exit 0")
        stand_in("copy/launch/run", 'echo "run $*" >>called; source ./behave')
        stand_in("copy/launch/scaling", 'echo "scaling $*" >>called; source ./behave')
        stand_in("bin/srun", 'echo "srun $OMP_NUM_THREADS $*" >>called; source ./behave')
        stand_in("bin/scontrol", 'echo "scontrol $*" >>called')

    def job(self, behaviour, *words, **variables):
        """The script as sbatch starts it, a copy elsewhere; what it starts behaves so. What was called is then in self.called."""
        Path("called").unlink(missing_ok=True)
        write("behave", behaviour)
        shutil.copy("copy/launch/slurm.sbatch", "slurm_script")
        given = {"SLURM_SUBMIT_DIR": self.copy, "SLURM_JOB_ID": 12, "LOCKSTEP": self.lockstep,
                 "PATH": f"{Path.cwd()}/bin:{os.environ['PATH']}"}
        outcome = run("bash", "slurm_script", *words, **{**given, **variables})
        self.called = read("called").splitlines() if Path("called").exists() else []
        return outcome


@pytest.fixture
def slurm():
    return Slurm()


def test_it_starts_srun_launch_run_or_a_study(slurm):
    succeeded(slurm.job("exit 0", "c.toml", "--set", "seed=1"))
    assert slurm.called == [f"srun 1 {SRUN} --cpus-per-task=1 {slurm.lockstep} train c.toml --set seed=1"]
    slurm.job("exit 0", "--mpirun", "c.toml", "--set", "seed=1")
    assert slurm.called == ["run train c.toml --set seed=1"]
    slurm.job("exit 0", "scaling", "c.toml", "--ranks", "1")
    assert slurm.called == ["scaling c.toml --ranks 1"]
    slurm.job("exit 0", "c.toml", SLURM_CPUS_PER_TASK=3)
    assert slurm.called == [f"srun 3 {SRUN} --cpus-per-task=3 {slurm.lockstep} train c.toml"]


@pytest.mark.parametrize("code", [2, 137, 143])
def test_without_a_signal_the_exit_code_is_the_runs_and_nothing_is_queued(slurm, code):
    assert slurm.job(f"exit {code}", "c.toml").code == code
    assert len(slurm.called) == 1


def ends_with(code):
    """Ahead of the time limit Slurm sends USR1 to the script alone."""
    return f"trap 'sleep 0.3; exit {code}' USR1; kill -USR1 $PPID; while :; do sleep 0.1; done"


@pytest.mark.parametrize("words", [["c.toml"], ["--mpirun", "c.toml"], ["scaling", "c.toml"]], ids=["srun", "run", "scaling"])
def test_ahead_of_its_time_limit_it_is_asked_to_end_and_queued_again(slurm, words):
    assert slurm.job(ends_with(143), *words).code == 143, "it is waited for"
    assert slurm.called[-1] == "scontrol requeue 12"


@pytest.mark.parametrize("code", [0, 5])
def test_what_is_done_or_has_failed_is_not_queued_again(slurm, code):
    assert slurm.job(ends_with(code), "c.toml").code == code
    assert len(slurm.called) == 1


def test_a_job_that_is_started_again_goes_on_from_its_newest_checkpoint_or_begins_anew(slurm):
    again = {"SLURM_RESTART_COUNT": 1}
    slurm.job("exit 0", "configs/c.toml", **again)
    assert slurm.called == [f"srun 1 {SRUN} --cpus-per-task=1 {slurm.lockstep} train configs/c.toml --resume auto"]
    slurm.job("exit 0", "--mpirun", "c.toml", **again)
    assert slurm.called == ["run train c.toml --resume auto"]
    slurm.job("exit 0", "scaling", "c.toml", "--ranks", "1", **again)
    assert slurm.called == ["scaling c.toml --ranks 1"]


@pytest.mark.parametrize("words, variables, message", [
    ([], {}, "no CONFIG, expected the file of a training run"),
    (["c.toml"], {"SLURM_JOB_ID": ""}, "not in a Slurm job; expected sbatch launch/slurm.sbatch"),
    (["c.toml"], {"SLURM_SUBMIT_DIR": "/nowhere"},
     "/nowhere is not Lockstep's repository; call sbatch there, or set LOCKSTEP_REPOSITORY")])
def test_what_is_wrong_is_refused(slurm, words, variables, message):
    refused(slurm.job("exit 0", *words, **variables), 2, f"launch/slurm.sbatch: {message}")


def test_the_repository_may_be_named(slurm):
    succeeded(slurm.job("exit 0", "c.toml", SLURM_SUBMIT_DIR="/nowhere", LOCKSTEP_REPOSITORY=slurm.copy))
