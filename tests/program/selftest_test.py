"""lockstep selftest, and the published weights themselves: what results/hashes.json says, and what results/hashes.md shows.
courses_test.py trains those runs to the end."""

import copy
import json

import pytest
from harness.build import REPOSITORY
from harness.files import read, write
from harness.process import lockstep, succeed, three_ranks_if_long
from harness.shipped import CONFIGS, CONFIGURATIONS, PUBLISHED

WRONG = "0123456789abcdef"


def write_other(path, change):
    """A list of the published runs, each changed."""
    runs = copy.deepcopy(PUBLISHED)
    for run in runs:
        change(run)
    write(path, json.dumps({"runs": runs}))


@three_ranks_if_long
def test_selftest_finds_the_published_weights_with_every_kind_of_kernels(ranks, real_cifar10):
    out = succeed("selftest", ranks=ranks, limit=100).out
    assert out.count("\n") == 1
    assert " runs gave the published weights after every step, with " in out
    assert "portable" in out


def test_selftest_names_the_run_the_kernels_and_the_first_step_that_differs(ranks, monkeypatch):
    monkeypatch.setenv("LOCKSTEP_KERNELS", "portable")

    def change(run):
        if run["name"] == "spiral":
            run["step_hashes"][3] = run["step_hashes"][7] = WRONG

    write_other("other.json", change)
    outcome = lockstep("selftest", "xor", "spiral", "--hashes", "other.json", ranks=ranks)
    assert (outcome.code, outcome.err) == (1, "")
    found = next(run["step_hashes"][3] for run in PUBLISHED if run["name"] == "spiral")
    assert outcome.out == (f"spiral with portable kernels differs first at step 3: weights {found}, published {WRONG}; "
                           "lockstep train configs/courses/spiral.toml\n")


@three_ranks_if_long
def test_selftest_trains_to_the_end_if_asked_to(ranks):
    write_other("other.json", lambda run: run.update(weights_hash=WRONG))
    words = ["selftest", "xor", "--hashes", "other.json"]
    succeed(*words, ranks=ranks)
    outcome = lockstep(*words, "--whole", ranks=ranks, limit=200)
    assert outcome.code == 1
    assert " differs after step 20, by the last: weights " in outcome.out


@three_ranks_if_long
@pytest.mark.parametrize("words, says", [
    ("--hashes no_list.json", "expected a list of published runs, as results/hashes.json is"),
    ("--hashes no_hash.json", 'no_hash.json: a has the hash "12", expected 16 hex digits'),
    ("--hashes no_runs.json", "no_runs.json: has no runs"),
    ("--hashes nowhere.json", "nowhere.json: cannot be read"),
    ("spirals", "spirals is not a published run, expected some of circle, "),
])
def test_selftest_refuses_what_it_cannot_compare_with(words, says, ranks):
    write("no_list.json", '{"runs": 3')
    write("no_hash.json", json.dumps({"runs": [
        {"name": "a", "configuration": "b", "settings": [], "weights_hash": "12", "step_hashes": []}]}))
    write("no_runs.json", '{"runs": []}')
    outcome = lockstep("selftest", *words.split(), ranks=ranks)
    assert outcome.code == 2
    assert says in outcome.err
    assert outcome.err.count("\n") == 1


def test_published_runs_cover_every_configuration_that_needs_no_download():
    assert all(len(run["weights_hash"]) == 16 and len(run["step_hashes"]) >= 16 for run in PUBLISHED)
    for name in CONFIGURATIONS:
        downloads = '"cifar10"' in read(CONFIGS / name)
        those = [run["configuration"] for run in PUBLISHED if downloads or not run["settings"]]
        assert name in those, f"{name}: add it to results/hashes.json, then launch/hashes"


def test_published_runs_are_what_the_page_shows():
    page = read(REPOSITORY / "results/hashes.md")
    for run in PUBLISHED:
        words = " --set ".join([f"configs/{run['configuration']}", *run["settings"]])
        row = f"| {run['name']} | `{words}` | `{run['weights_hash']}` |\n"
        assert row in page, f"launch/hashes --table writes {row}"
