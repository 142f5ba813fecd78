"""lockstep configs: every configuration that comes with the program, with a line that says what it is."""

import pytest
from harness.build import REPOSITORY
from harness.files import read, write
from harness.process import lockstep, succeed, three_ranks_if_long
from harness.shipped import CONFIGS, CONFIGURATIONS, SWEEPS

@pytest.mark.parametrize("name", CONFIGURATIONS + SWEEPS)
def test_configs_have_a_first_line_that_says_what_they_are(name):
    first, second, *_ = read(CONFIGS / name).split("\n")
    assert first.startswith("# ") and first.endswith(".")
    assert 40 <= len(first) <= 110
    assert second == "#" or not second.startswith("#")  # it is a paragraph of its own


def test_configs_are_listed_once_with_their_descriptions(ranks, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    lines = succeed("configs", ranks=ranks).out.splitlines()
    assert len(lines) == len(CONFIGURATIONS + SWEEPS)
    for line in lines:
        path, description = line.split(maxsplit=1)
        assert read(path).startswith(f"# {description}\n")


@three_ranks_if_long
def test_configs_of_a_folder_are_those_with_and_without_a_description(ranks):
    write("mine/more/a.toml", "# Of  a folder below.\nseed = 1\n")
    write("mine/sample.toml", "seed = 1\n# not the first line\n")
    write("mine/notes.txt", "# no configuration\n")
    assert succeed("configs", "mine", ranks=ranks).out == "mine/sample.toml  -\nmine/more/a.toml  Of  a folder below.\n"


@three_ranks_if_long
@pytest.mark.parametrize("folder_name, says", [
    ("nowhere", "nowhere: cannot be read: No such file or directory, expected a folder of configurations"),
    (".", ".: has no .toml file, expected configurations"),
])
def test_configs_of_no_folder_or_an_empty_one_are_an_error(folder_name, says, ranks):
    outcome = lockstep("configs", folder_name, ranks=ranks)
    assert (outcome.code, outcome.err) == (2, f"lockstep: {says}\n")
