"""Little shared memory, no home, folders that cannot be written, name spaces, users without rights, names without addresses: a job
trains there as anywhere, or says in a line what it lacks."""

import os
import re
import shutil

from harness.build import OPEN_MPI, PROGRAM
from harness.process import execute
from rooms import FOR_MPI, RUN, launch, not_permitted, room, trains


def why_not():
    return not_permitted(room("mount -t tmpfs none /dev/shm", "hostname elsewhere", own=("--mount", "--uts")))


def test_with_a_mebibyte_of_shared_memory():
    trains(*room("mount -t tmpfs -o size=1m none /dev/shm"))


def test_without_any_shared_memory():
    trains(*room("mount -t tmpfs -o ro none /dev/shm"))


def test_without_a_home():
    trains("env", "--unset=HOME")


def test_with_a_home_that_cannot_be_written():
    trains("env", "HOME=/proc")


def test_with_a_long_name_of_the_temporary_folder(folder):
    long = folder / ("t" * 120) / ("t" * 120)
    long.mkdir(parents=True)
    trains("env", f"TMPDIR={long}")


if OPEN_MPI:  # which has files there

    def test_a_temporary_folder_that_cannot_be_written_is_named(folder):
        (folder / "read-only").mkdir()
        outcome = launch(["env", f"TMPDIR={folder}/read-only", *room(f"mount -t tmpfs -o ro none {folder}/read-only")])
        assert outcome.code == 2
        assert re.fullmatch(rf"launch/run: TMPDIR is {folder}/read-only, which cannot be written, expected .*\n", outcome.err)


def test_with_a_host_name_that_has_no_address():
    trains(*room("hostname nowhere-to-be-found", own=("--uts",)))


def test_in_a_user_namespace():
    trains("unshare", "--user", "--map-root-user")


def apart(folder):
    """The program, each process of it in a user name space of its own: none may look into another."""
    program = folder / "apart"
    program.write_text(f'#!/bin/sh\nexec unshare --user --map-root-user {PROGRAM} "$@"\n', encoding="ascii")
    program.chmod(0o755)
    return program


def test_with_ranks_that_may_not_look_into_each_other(folder):
    trains(program=apart(folder))


def test_of_which_doctor_says_so(folder):
    outcome = execute(["env", *FOR_MPI, f"LOCKSTEP={apart(folder)}", RUN, "--allow-run-as-root", "-np", 2, "--force", "doctor"], limit=120)
    assert outcome.code == 0, outcome
    assert "by MPI: its ranks cannot see each other's memory" in outcome.out
    assert "shared memory" not in outcome.out


def test_as_a_user_without_rights_who_may_run_the_program_and_not_read_it(folder):
    """Such processes may not be traced, not even by their own user."""
    program = folder / "lockstep"
    shutil.copy(PROGRAM, program)
    program.chmod(0o111)
    folder.chmod(0o777)
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    trains(*(nobody if os.geteuid() == 0 else []), program=program)
