"""src/base/commit.cmake: what the program is told of the commit that it is built from."""

import re
import subprocess
from pathlib import Path

from harness.build import REPOSITORY
from harness.files import read, write
from scripts import run, succeeded


def told(source):
    """What a build of that folder would be told."""
    script = REPOSITORY / "src/base/commit.cmake"
    succeeded(run("cmake", f"-DSOURCE={Path(source).absolute()}", f"-DOUTPUT={Path.cwd()}/commit.cpp", "-P", script))
    return re.search('kCommit = "(.*)";', read("commit.cpp"))[1]


def git(*words):
    return subprocess.run(["git", "-C", "tree", "-c", "user.name=n", "-c", "user.email=e", *words], check=True, capture_output=True,
                          text=True).stdout.strip()


def test_a_folder_outside_of_a_repository_has_no_commit():
    Path("plain").mkdir()
    assert told("plain") == "unknown"


def test_the_commit_and_a_change_are_told(monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    write("tree/file", "one\n")
    for words in (["init", "-q"], ["add", "file"], ["commit", "-qm", "m"], ["tag", "v1"]):
        git(*words)
    head = git("rev-parse", "--short=12", "HEAD")
    assert told("tree") == head
    written = Path("commit.cpp").stat().st_mtime_ns
    assert told("tree") == head
    assert Path("commit.cpp").stat().st_mtime_ns == written, "a file that says so already stays"
    write("tree/file", "two\n")
    assert told("tree") == f"{head}, modified"
    Path("tree/within").mkdir()
    assert told("tree/within") == "unknown", "a repository that the source merely lies in is another's"
