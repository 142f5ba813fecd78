"""A fault in a job of four ranks on two hosts: the job ends in time, with exit code 5 and one line that says who is missing, where and
at what; nothing is left running on any host. Each happens in a world of its own, four at a time."""

import re

import pytest
from faults import FAULTS, NOT_PERMITTED, suffer
from jobs import of_a_rank

AT = "at step [0-9]+ in (set-up|forward and backward|reduction|update|evaluation|writing)"
NOTHING_MOVED = r"nothing has moved for [0-9.]+ s \(run.watchdog_seconds is 10\)"
HOST_LOST = f"launch/run: host h1 was lost with ranks 2, 3, {AT}"
# The line, and the seconds of the watchdog.
EXPECTED = {
    "killed_rank": (f"launch/run: {of_a_rank(f'rank [23] on h1, {AT}, was ended by SIGKILL')}", 10),
    "killed_near_rank": (f"launch/run: {of_a_rank(f'rank [01] on h0, {AT}, was ended by SIGKILL')}", 10),
    "killed_rank_amid_sums": (f"launch/run: {of_a_rank(f'rank [23] on h1, {AT}, was ended by SIGKILL')}", 10),
    "killed_rank_amid_parameters": (f"launch/run: {of_a_rank(f'rank [23] on h1, {AT}, was ended by SIGKILL')}", 10),
    "killed_daemon": (HOST_LOST, 10),
    # Open MPI notices these before a watchdog of the usual time does.
    "killed_host": (HOST_LOST, 60),
    "cut_link": (HOST_LOST, 60),
    "stopped_rank": (f"lockstep: rank [23] on h1, {AT}, has stopped or cannot be reached: {NOTHING_MOVED}", 10),
    "stopped_near_rank": (f"lockstep: rank [01] on h0, {AT}, has stopped or cannot be reached: {NOTHING_MOVED}", 10),
    "stopped_ranks": (f"launch/run: rank 0 on h0, {AT}, and the others have shown no sign of life for [0-9]+ s", 10),
    "stopped_host": (f"lockstep: ranks 2, 3 on h1, {AT}, have stopped or cannot be reached: {NOTHING_MOVED}", 10),
    # Which of the two hosts is cut off, nobody there can know.
    "cut_data_network": (f"lockstep: ranks (2, 3 on h1, {AT}, cannot be reached at 10.20.0.2|0, 1 on h0, {AT}, cannot be reached at "
                         f"10.20.0.1): {NOTHING_MOVED}", 10),
}


@pytest.fixture(scope="module")
def ended(request):
    """How the jobs ended that the tests to be run ask for, by fault."""
    faults = [item.callspec.params["fault"] for item in request.session.items if item.module is request.module]
    all_ended = suffer([(fault, EXPECTED[fault][1]) for fault in faults])
    if isinstance(all_ended, str):
        pytest.exit(all_ended.strip(), returncode=NOT_PERMITTED)
    return dict(zip(faults, all_ended))


@pytest.mark.parametrize("fault", FAULTS)
def test_the_job_ends_in_time_with_one_line_and_nothing_is_left_running(ended, fault):
    job = ended[fault]
    assert job["code"] == 5, job
    assert re.fullmatch(f"{EXPECTED[fault][0]}\n", job["err"]), job
    assert job["out"] == "", job
    assert job["seconds"] < 15, "with 5 s more on a busy machine"
    assert job["left"] == [], job
