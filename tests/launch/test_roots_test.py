"""launch/test-roots and launch/test-package: what they say where they cannot make a root. debootstrap is a stand-in."""

import os
import signal
import time
from pathlib import Path

import pytest
from scripts import refused, run, scripts, stand_in, start, succeeded, tools


def test_words_are_those_that_it_knows():
    roots = scripts() / "launch/test-roots"
    refused(run(roots, "--wrong"), 2, "^launch/test-roots: unknown option '--wrong', expected --no-tests or releases of Debian$")
    succeeded(run(roots, "--help"), "Usage: launch/test-roots")
    refused(run("copy/launch/test-package", "--wrong"), 2,
            "^launch/test-package: unknown option '--wrong', expected --fetch or releases of Debian$")
    succeeded(run("copy/launch/test-package", "--help"), "Usage: launch/test-package")


@pytest.mark.parametrize("name", ["test-roots", "test-package"])
def test_another_user_than_root_is_refused(name):
    words = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    refused(run(*words, scripts() / "launch" / name), 2, f"^launch/{name}: not root: ")


def test_debootstrap_is_asked_for_and_what_it_says_is_passed_on():
    if os.geteuid() != 0:
        return  # nobody else comes that far
    roots = scripts() / "launch/test-roots"
    path = tools("bin", "bash", "env", "cat", "dirname", "readlink", "basename", "mkdir", "sed", "head", "tail", "rm", "cp")
    refused(run(roots, PATH=path), 2, "^launch/test-roots: debootstrap is not installed; apt-get install debootstrap$")
    stand_in("bin/debootstrap", 'echo "E: No such script: $2" && exit 1')
    refused(run(roots, "woody", PATH=path), 2, "^launch/test-roots: debootstrap cannot make woody: E: No such script: woody$")


def test_when_it_is_interrupted_nothing_is_left():
    if os.geteuid() != 0:
        return  # nobody else comes that far
    roots = scripts() / "launch/test-roots"
    for name in ("debian_version", "apt/apt.conf.d"):
        Path("copy/build-roots/sid", "root", "etc", name).mkdir(parents=True)
    stand_in("bin/debootstrap", "")
    stand_in("bin/unshare", "echo $$ >../inside; exec sleep 60")
    path = f"{Path('bin').absolute()}:{os.environ['PATH']}"
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        inside = Path("copy/inside")
        inside.unlink(missing_ok=True)
        with start("sh", "-c", "cd copy/launch && exec ./test-roots sid", PATH=path) as running:
            while not (inside.exists() and inside.read_text(encoding="utf-8")):
                time.sleep(0.05)
            os.kill(running.pid, number)
            assert running.wait().code == code
        assert not Path("/proc", inside.read_text(encoding="utf-8").strip()).exists()
        assert [path.name for path in Path("copy/build-roots/sid").iterdir() if path.name.startswith("layer")] == []
