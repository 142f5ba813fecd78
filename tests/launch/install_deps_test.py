"""launch/install-deps: installs what is missing and only that. apt-get and dpkg-query are stand-ins."""

import os
from pathlib import Path

import pytest
from harness.files import read, write
from scripts import LAUNCH, refused, run, scripts, stand_in, succeeded, tools

FOR_TESTS_OR_PICTURES = {"libgtest-dev", "iproute2", "python3-matplotlib", "python3-torch", "libsimgrid-dev"}


def listed(*options):
    """The packages."""
    return succeeded(run(LAUNCH / "install-deps", *options, "--list")).out.splitlines()


def test_the_program_needs_these_and_none_that_only_tests_or_pictures_do():
    packages = set(listed())
    assert {"g++", "cmake", "ninja-build", "libopenmpi-dev", "openmpi-bin", "libblis-openmp-dev", "python3", "curl"} <= packages
    assert not packages & FOR_TESTS_OR_PICTURES


def test_each_purpose_needs_a_few_more():
    packages = listed()
    pictures, tests = listed("--pictures"), listed("--tests")
    assert listed("--fast-tests") == [*packages, "libgtest-dev", "python3-pytest", "git"], "the fast tests draw nothing"
    assert set(listed("--fast-tests")) <= set(tests)
    assert pictures[:len(packages)] == packages and "python3-matplotlib" in pictures[len(packages):]
    assert tests[:len(pictures)] == pictures and len(tests) > len(pictures), "tests need more, pictures among it"
    assert {"libgtest-dev", "iproute2", "git", "python3-pytest", "python3-torch"} <= set(tests)
    assert listed("--simulation") == [*packages, "libsimgrid-dev"]
    assert listed("--arm") == [*packages, "g++-aarch64-linux-gnu", "qemu-user-static", "pkgconf"]
    assert listed("--pictures", "--tests") == tests, "what is needed twice is listed once"


class Machine:
    """One where these packages are installed: PATH has stand-ins for apt and the few real tools that are needed, but no compiler,
    no curl, no sudo."""

    def __init__(self):
        tools("bin", *"bash env cat sed dirname readlink basename sort paste grep head tail mktemp rm mkdir chmod cp setpriv".split())
        stand_in("bin/dpkg-query", 'for package; do [[ $package == --* || ! -e $FOUND/$package ]] || echo "ii  $package"; done\nexit 1')
        stand_in("bin/apt-get", """
            echo "$*" >>"$ASKED"
            [[ " $* " != *" install "* ]] || printf '%s\\n' dlstatus:1:26.4:Retrieving pmstatus:a:51.2:Unpacking pmstatus:a:99.9:Configuring
            [[ " $* " != *" ${BROKEN:-none} "* ]] || { printf '%s\\n' noise "E: not so" "E: later" && exit 100; }""")
        Path("found").mkdir()
        for package in listed("--tests"):
            Path("found", package).touch()
        write("asked", "")
        Path("asked").chmod(0o666)
        self.scripts = scripts()  # where another user can read them

    def lacks(self, *packages):
        for package in packages:
            Path("found", package).unlink()

    def install(self, *options, user=False, **variables):
        """Runs the script, as another user than root if asked to."""
        here = Path.cwd()
        as_user = ["setpriv", "--reuid=65534", "--clear-groups"] if user and os.geteuid() == 0 else []
        return run(*as_user, self.scripts / "launch/install-deps", *options, PATH=here / "bin", FOUND=here / "found",
                   ASKED=here / "asked", **variables)


@pytest.fixture
def machine():
    return Machine()


def test_with_everything_there_apt_is_not_asked(machine):
    assert succeeded(machine.install()).out == ""
    assert read("asked") == ""


def came_another_way(machine):
    """curl is there, and its package is not."""
    machine.lacks("libfmt-dev", "libcsv-dev", "libgtest-dev", "curl")
    stand_in("bin/curl", "exit")


def test_root_installs_what_is_missing_and_sees_how_far_it_is(machine):
    if os.geteuid() != 0:
        return  # the next ones say what becomes of others
    came_another_way(machine)
    outcome = succeeded(machine.install(), "installing libfmt-dev libcsv-dev")
    said = outcome.out.splitlines()
    assert "launch/install-deps: downloading packages: 26 %" in said
    assert "launch/install-deps: installing packages: 51 %" in said
    first, *_, last = read("asked").splitlines()
    assert first.endswith(" update")
    assert last.endswith(" libfmt-dev libcsv-dev"), "not what came another way"
    succeeded(machine.install("--tests"), "installing libfmt-dev libcsv-dev libgtest-dev")
    succeeded(machine.install(BROKEN="update"), "installing")
    refused(machine.install(BROKEN="install"), 2, "apt-get could not install libfmt-dev libcsv-dev: E: not so$")


def test_another_user_is_told_what_to_do_by_hand(machine):
    came_another_way(machine)
    refused(machine.install(user=True), 2,
            "not root and no sudo; as root: apt-get update && apt-get install -y .* libfmt-dev libcsv-dev$")
    assert read("asked") == "", "then apt is not asked"


def test_another_user_asks_apt_through_sudo(machine):
    came_another_way(machine)
    stand_in("bin/sudo", 'echo sudo >>"$ASKED"\nexec "$@"')
    succeeded(machine.install(user=True), "installing libfmt-dev libcsv-dev")
    assert read("asked").startswith("sudo\n")


def test_without_apt_it_says_what_is_needed(machine):
    came_another_way(machine)
    Path("bin/apt-get").unlink()
    refused(machine.install(), 2, "no apt-get on this machine.* GEMM: libblis-openmp-dev;.* tools: python3")


def test_words_that_are_wrong_are_refused():
    refused(run(LAUNCH / "install-deps", "--list", "--what"), 2, "unknown argument '--what'")
