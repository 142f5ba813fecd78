"""What src/cli/manual.py makes of the program's own help: manual pages that troff reads, and completion that Bash does."""

import functools
import gzip
import re
import sys
from pathlib import Path

import pytest
from harness.build import PROGRAM, REPOSITORY
from scripts import LAUNCH, run, stand_in, succeeded

MANUAL = REPOSITORY / "src/cli/manual.py"
PAGES = ("lockstep", *(f"lockstep-{name}" for name in ("get-cifar10", "get-data", "plot", "report", "run", "scaling", "verify")))


def make(program=PROGRAM):
    return run(sys.executable, MANUAL, program, LAUNCH, "share")


def page(name):
    return gzip.decompress(Path(f"share/man/man1/{name}.1.gz").read_bytes()).decode()


def shown(name):
    """The page as man shows it, without what is for a terminal; troff must have nothing to remark on."""
    Path("page.1").write_text(page(name), encoding="utf-8")
    outcome = succeeded(run("groff", "-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=200n", "page.1"))
    assert outcome.err == ""
    return outcome.out.replace("\N{HYPHEN}", "-").replace("\N{MINUS SIGN}", "-")


def completed(*words):
    """What Bash offers for the last of these words."""
    script = """
source share/bash-completion/completions/lockstep
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_lockstep "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
((${#COMPREPLY[@]} == 0)) || printf '%s\\n' "${COMPREPLY[@]}"
"""
    return succeeded(run("bash", "-euc", script, "-", *words)).out.split()


@functools.cache
def options_of(subcommand):
    """Long options as --help lists them."""
    return set(re.findall(r"^  (?:-\w,)?(--[\w-]+)", run(PROGRAM, subcommand, "--help").out, re.MULTILINE))


@functools.cache
def subcommands():
    return re.findall(r"^  ([\w-]+) ", run(PROGRAM, "--help").out.partition("Subcommands:")[2].partition("\n\n")[0], re.MULTILINE)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder that it has been made in."""
    folder = tmp_path_factory.mktemp("manual")
    succeeded(run(sys.executable, MANUAL, PROGRAM, LAUNCH, folder / "share"))
    return folder


@pytest.fixture(autouse=True)
def there(folder, made):
    Path("share").symlink_to(made / "share")


def test_the_page_of_the_program_has_every_option_of_every_subcommand():
    assert sorted(path.name for path in Path("share/man/man1").iterdir()) == sorted(f"{name}.1.gz" for name in PAGES)
    text = shown("lockstep")
    assert len(subcommands()) > 10
    for command in subcommands():
        section = re.search(rf"^LOCKSTEP {command.upper()}\n(.*?)(?=^\S)", text, re.MULTILINE | re.DOTALL)
        missing = [option for option in options_of(command) - {"--help"} if not re.search(rf"^ *{option}\b", section[1], re.MULTILINE)]
        assert not missing, command
    assert "Exit codes: 0 done;" in text
    assert "mpirun -np 4 lockstep train configs/cifar10_mlp.toml --set train.epochs=20 --out runs/mlp\n" in text


def test_pages_of_scripts_have_what_those_say_with_their_installed_names():
    for name in PAGES[1:]:
        text = shown(name)
        assert re.search(rf"^NAME\n +{name} - ", text, re.MULTILINE), name
        assert "launch/" + name.removeprefix("lockstep-") not in text
    assert re.search(r"^ +--retries N +after a rank or a host is lost", shown("lockstep-run"), re.MULTILINE)


def test_the_same_program_has_the_same_pages():
    first = page("lockstep"), Path("share/man/man1/lockstep.1.gz").read_bytes()
    Path("share").unlink()
    succeeded(make())
    assert (page("lockstep"), Path("share/man/man1/lockstep.1.gz").read_bytes()) == first


def test_bash_completes_subcommands_options_and_their_words():
    assert set(completed("lockstep", "")) >= set(subcommands())
    assert completed("lockstep", "tra") == ["train", "trace-step"]
    assert completed("lockstep", "trace-step", "--sam") == ["--samples"]
    assert completed("lockstep", "--v") == ["--version"]
    for command in subcommands():
        assert set(completed("lockstep", command, "--")) == options_of(command), command
    assert completed("lockstep", "train", "a.toml", "--log-format", "j") == ["json"]
    assert completed("lockstep", "train", "conf") == [], "files are Bash's own to offer"


def test_bash_completes_options_of_lockstep_run_before_those_of_the_program():
    assert {"-np", "--threads", "--retries", "--dry-run"} <= set(completed("/usr/bin/lockstep-run", "-"))
    assert completed("lockstep-run", "-np", "2", "ver") == ["verify"]
    assert set(completed("lockstep-run", "-np", "2", "eval", "--")) == options_of("eval")


def test_a_help_that_is_laid_out_otherwise_makes_nothing():
    program = stand_in("other", "echo Synopsis: other")
    outcome = run(sys.executable, MANUAL, program, LAUNCH, "nothing")
    assert outcome.code == 1 and "no usage in what --help says: 'Synopsis: other" in outcome.err
    assert not Path("nothing").exists()
