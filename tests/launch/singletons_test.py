"""A program that srun or another MPI's mpirun started several times, each of which MPI takes for a job of its own, is refused by
one line. One process, an allocation without a step, and --help are not."""

import contextlib

import pytest
from harness.build import PROGRAM
from scripts import AS_ROOT, LAUNCH, refused, run, start, succeeded

BY_SRUN = "srun started 4 processes, of which MPI knows 1, .*: expected srun --mpi=pmi(x|2) lockstep, or launch/run"
BY_MPIRUN = "mpirun started 3 processes, of which MPI knows 1, .*: expected the mpirun of (Open MPI|MPICH) [0-9.]+, or launch/run"


@pytest.mark.parametrize("variables, pattern", [({"SLURM_STEP_NUM_TASKS": 4, "SLURM_PROCID": 0}, BY_SRUN),
                                                ({"SLURM_STEP_NUM_TASKS": 4, "SLURM_PROCID": 1}, BY_SRUN),
                                                ({"PMI_SIZE": 3, "PMI_RANK": 0}, BY_MPIRUN)])
def test_processes_that_mpi_does_not_know_are_refused(variables, pattern):
    outcome = refused(run(PROGRAM, "configs", **variables), 2, f"^lockstep: {pattern}$")
    assert outcome.out == "", "nothing was done"


def test_of_three_processes_one_speaks():
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(start(PROGRAM, "configs", SLURM_STEP_NUM_TASKS=3, SLURM_PROCID=rank)) for rank in range(3)]
        assert sum(process.wait().err.count("\n") for process in processes) == 1


@pytest.mark.parametrize("word, variables", [("configs", {"SLURM_STEP_NUM_TASKS": 1, "SLURM_PROCID": 0}),
                                             ("configs", {"SLURM_NTASKS": 4, "SLURM_JOB_ID": 7}),
                                             ("--help", {"SLURM_STEP_NUM_TASKS": 4, "SLURM_PROCID": 1})])
def test_one_process_an_allocation_without_a_step_and_help_are_not(word, variables):
    succeeded(run(PROGRAM, word, **variables))


def test_nor_is_a_rank_of_launch_run_in_a_step_of_srun():  # as daemons are
    variables = {"LOCKSTEP": PROGRAM, "SLURM_STEP_NUM_TASKS": 2, "SLURM_PROCID": 1}
    succeeded(run(LAUNCH / "run", AS_ROOT, "-np", 1, "configs", **variables))
