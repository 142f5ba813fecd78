"""Runs on four ranks and fewer that are ended at any moment, and go on with other numbers of ranks and threads, are the run that was
not."""

import pytest
from ends import ENDS, ENDS_OF_MPIRUN, goes_on_as_the_same_run
from harness.points import Layout, write_points_config
from harness.process import ALONE


@pytest.fixture(autouse=True)
def config(folder):
    write_points_config()


@pytest.mark.parametrize("end, code", ENDS.values(), ids=ENDS)
def test_four_ranks_and_fewer_are_the_same_run_whatever_ends_a_rank(end, code):
    goes_on_as_the_same_run(end, code, Layout(4), Layout(1, 2), Layout(3))


@pytest.mark.parametrize("end, code", ENDS_OF_MPIRUN.values(), ids=ENDS_OF_MPIRUN)
def test_four_ranks_and_fewer_are_the_same_run_whatever_ends_mpirun(end, code):
    goes_on_as_the_same_run(end, code, Layout(2), Layout(4), Layout(ALONE, 2))
