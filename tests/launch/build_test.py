"""launch/build and launch/test: the right preset and folder, quiet unless the build fails. cmake and ctest are stand-ins."""

import os
import re
from pathlib import Path

import pytest
from harness.files import read, write
from scripts import machine, refused, run, scripts, stand_in, succeeded

CONFIGURE_AND_BUILD = """cmake --preset release -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16 -DLOCKSTEP_TESTS=OFF
cmake --build build --target lockstep --parallel 3
"""


@pytest.fixture(autouse=True)
def copy(folder, monkeypatch):
    """The working folder is a repository on a machine of three cores, whose cmake notes in `asked` what it is asked for."""
    copy = scripts()
    machine(copy, 3, 4, 4)
    stand_in("copy/launch/install-deps", "echo install-deps $*")
    stand_in("bin/cmake", """
        echo "cmake $*" | tee -a "$ASKED"
        [[ $1 != --build ]] || for ((i = 1; i <= ${STEPS:-0}; i++)); do echo "[$i/$STEPS] Building CXX object"; done
        [[ $1 != "${BROKEN-}" ]] || exit 9""")
    stand_in("bin/ctest", 'echo "ctest $*"; exit 8')
    monkeypatch.setenv("PATH", f"{folder}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("ASKED", f"{folder}/asked")
    monkeypatch.chdir(copy)
    return copy


def asked(folder):
    """What cmake has been asked for since the last call."""
    return (folder / "asked").rename(folder / "asked.before").read_text(encoding="utf-8")


def test_cmake_configures_and_builds_the_program_on_the_cores(folder):
    outcome = succeeded(run("launch/build"), "^launch/build: building release into build/\n$")
    assert outcome.err == ""
    assert asked(folder) == read("build/build.log") == CONFIGURE_AND_BUILD, "what cmake said is in the log"
    succeeded(run("launch/build", "asan-ubsan"), "building asan-ubsan into build-asan-ubsan/")
    assert asked(folder) == ("cmake --preset asan-ubsan -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16 -DLOCKSTEP_TESTS=OFF\n"
                             "cmake --build build-asan-ubsan --target lockstep --parallel 3\n")
    succeeded(run("launch/build", "--tests"), "building release and its tests into build/")
    assert asked(folder) == "cmake --preset release -DLOCKSTEP_TESTS=ON -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16\ncmake --build build --parallel 3\n"


def test_a_folder_that_was_configured_keeps_its_tests(folder):
    write("build/CMakeCache.txt", f"CMAKE_HOME_DIRECTORY:INTERNAL={Path.cwd()}\n")
    succeeded(run("launch/build"))
    assert asked(folder) == "cmake --preset release\ncmake --build build --target lockstep --parallel 3\n"


def test_one_that_came_from_elsewhere_is_not_cmakes_to_explain():
    write("build/CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=/before/it/moved\n")
    refused(run("launch/build"), 1, "^launch/build: build/ was made for the sources in /before/it/moved, expected those in "
                                    f"{Path.cwd()}: remove build/$")


def test_it_says_how_far_it_is():
    lines = succeeded(run("launch/build", STEPS=8)).out.splitlines()
    assert [line[-len("building: 8 of 8 done"):] for line in lines[1:]] == [f"building: {i} of 8 done" for i in (2, 4, 6, 8)]
    assert len(re.findall("^.[1-8]/8. Building", read("build/build.log"), re.MULTILINE)) == 8, "each step is in the log"


def test_a_log_that_cannot_be_written_before_the_build(folder):
    Path("build/build.log").mkdir(parents=True)
    refused(run("launch/build"), 1, "^launch/build: build/build.log cannot be written: Is a directory$")
    assert not (folder / "asked").exists(), "then nothing is built"


def test_a_log_that_cannot_be_written_in_the_midst_of_it():
    Path("build").mkdir()
    Path("build/build.log").symlink_to("/dev/full")
    refused(run("launch/build"), 1, "^launch/build: build/build.log cannot be written: No space left on device$")


def test_a_folder_that_cannot_be_made():
    write("build", "")
    refused(run("launch/build"), 1, "^launch/build: build/ cannot be made")


@pytest.mark.parametrize("step", ["--preset", "--build"])
def test_what_a_step_that_fails_said_is_shown(step):
    outcome = run("launch/build", BROKEN=step)
    assert outcome.code == 1
    assert re.search(f"^cmake {step}", outcome.err, re.MULTILINE)
    assert re.search("^launch/build: the build failed; .* build/build.log", outcome.err, re.MULTILINE)


def test_a_preset_that_there_is_not_is_refused():
    refused(run("launch/build", "nonsense"), 2, "no preset 'nonsense' in CMakePresets.json")
    assert not Path("build-nonsense").exists()


def test_launch_test_installs_builds_and_tests(copy):
    said = ("install-deps --tests\nlaunch/build: building {} and its tests into {}/\n"
            "ctest --test-dir {}/{} --output-on-failure --parallel 6{}\n")
    outcome = run("launch/test", "-R", "Some", "-V")
    assert outcome.code == 8, "the exit code is that of ctest"
    assert outcome.out == said.format("release", "build", copy, "build", " -R Some -V")
    assert run("launch/test", "--preset", "debug").out == said.format("debug", "build-debug", copy, "build-debug", "")
    fast = run("launch/test", "fast", "-V").out
    assert fast.startswith("install-deps --fast-tests\n") and fast.endswith("--parallel 6 --label-regex ^fast$ -V\n")


def test_the_long_tests_are_a_configuration_and_broken_inputs():
    stand_in("launch/fuzz", "echo fuzz $*")
    said = run("launch/test", "--long").out
    assert said.endswith("--parallel 6 --build-config Long\n")
    assert "fuzz" in said.splitlines()


def test_launch_test_needs_a_preset_and_a_build():
    refused(run("launch/test", "--preset"), 2, "--preset has no value")
    outcome = run("launch/test", BROKEN="--build")
    assert outcome.code == 1
    assert "ctest" not in outcome.out


def test_launch_test_is_called_from_anywhere(copy, folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert f"ctest --test-dir {copy}/build " in run("copy/launch/test").out
