"""Where the machine does not permit a world of hosts, that is said, loudly, and nothing counts as tested."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from faults import NOT_PERMITTED, WORLD
from harness.build import BUILD
from harness.process import execute

TOOLS = ("bash", "env", "dirname", "nsenter", "setsid", "ip", "tc")


@pytest.fixture
def path(folder):
    """A PATH with the tools of a world but unshare."""
    for tool in TOOLS:
        (folder / "bin").mkdir(exist_ok=True)
        (folder / "bin" / tool).symlink_to(shutil.which(tool))
    return f"{folder}/bin"


def forbid_unshare():
    Path("bin/unshare").write_text('#!/usr/bin/env bash\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n',
                                   encoding="utf-8")
    Path("bin/unshare").chmod(0o755)


def refused(outcome, pattern):
    assert outcome.code == NOT_PERMITTED, outcome
    assert re.fullmatch(f"NO HOSTS ON THIS MACHINE: {pattern}; whatever needs several hosts is NOT TESTED here\n", outcome.err), outcome


def test_a_tool_that_is_missing_is_named(path):
    refused(execute(["env", f"PATH={path}", WORLD, 2, "true"]), r"unshare is not installed \(.*\)")


def test_that_namespaces_are_not_permitted_is_said(path):
    forbid_unshare()
    refused(execute(["env", f"PATH={path}", WORLD, 2, "true"]),
            r"namespaces are not permitted \(unshare failed: Operation not permitted\)")


def test_then_faults_do_not_count_as_tested(path):
    forbid_unshare()
    words = [sys.executable, "-m", "pytest", "-q", f"{WORLD.parent}/faults_test.py", "-k", "killed_rank"]
    outcome = execute(["env", f"PATH={path}:{os.environ['PATH']}", f"LOCKSTEP_BUILD={BUILD}", *words])
    assert outcome.code == NOT_PERMITTED
    assert "NO HOSTS ON THIS MACHINE: " in outcome.out + outcome.err
    assert "passed" not in outcome.out


def test_by_the_kernel_itself_it_is_not_permitted_either():
    """A user namespace that may not have any network."""
    own = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*own, "true"], capture_output=True).returncode != 0:
        return  # the kernel permits not even that
    outcome = execute([*own, "sh", "-c", 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$0" 2 true', WORLD])
    refused(outcome, r"namespaces are not permitted \(.*No space left on device\)")
