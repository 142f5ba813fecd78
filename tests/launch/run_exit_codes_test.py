"""launch/run under mpirun: what the ranks end with comes through, in one line."""

import pytest
from harness.build import OPEN_MPI
from scripts import AS_ROOT, LAUNCH, refused, run, stand_in


def launch(program, *words):
    """launch/run with these words; the program is this script."""
    return run(LAUNCH / "run", AS_ROOT, *words, LOCKSTEP=stand_in("lockstep", program))


def test_three_ranks_are_given_the_words():
    outcome = launch('echo "$OMP_NUM_THREADS threads: $*"', "-np", 3, "c.toml", "--set", "seed=1")
    assert outcome.out == 3 * "1 threads: train c.toml --set seed=1\n", outcome


@pytest.mark.parametrize("code", [2, 3, 4, 5])
def test_the_exit_code_is_the_programs(code):
    # As in the program rank 0 has spoken before another one ends.
    program = f"((RANK)) && sleep 0.5 || echo 'lockstep: no' >&2; exit {code}"
    refused(launch(program, "-np", 2, "--force", "c.toml"), code, "^lockstep: no$")


@pytest.mark.parametrize("code", [3, 5])
def test_what_every_rank_says_of_itself_is_said_once(code):
    program = f'echo "lockstep: rank $RANK: no" >&2; exit {code}'
    refused(launch(program, "-np", 2, "--force", "c.toml"), code, "^lockstep: rank [01]: no$")


@pytest.mark.parametrize("said", ["", 'echo "lockstep: rank $RANK: no" >&2'], ids=["silent", "speaking"])
def test_a_rank_that_is_killed_is_named_instead(said):
    program = f"{said}\n((RANK)) || {{ sleep 1 && kill -9 $$; }}\nsleep 20"
    refused(launch(program, "-np", 2, "--force", "c.toml"), 5, "^launch/run: rank 0 was ended by SIGKILL$")


def test_what_mpi_says_of_a_lost_rank_is_shown_with_verbose_alone():
    own = ("[h0][[48642,1],0][../btl_tcp_frag.c:135:send] writev failed: Broken pipe (32)" if OPEN_MPI else
           "Abort(3) on node 1 (rank 1 in comm 0): application called MPI_Abort(MPI_COMM_WORLD, 3) - process 1")
    program = f"""
        echo "{own}" >&2
        echo "lockstep: no" >&2
        exit 3"""
    refused(launch(program, "-np", 1, "c.toml"), 3, "^lockstep: no$")
    assert own in launch(program, "--verbose", "-np", 1, "c.toml").err


def test_a_code_that_is_not_the_programs_is_5():
    refused(launch("exit 42", "-np", 1, "c.toml"), 5, "code 42.*--verbose shows")
