"""Which kernels compute a run's products: the user's choice, or the best of the processor, for the same numbers. Alone and on three
ranks."""

import re

import pytest
from harness.files import summary_of, write_small_config
from harness.process import ALONE, lockstep, settings, succeed, three_ranks_if_long

ALL = ("avx512", "avx2", "neon", "portable")


@pytest.fixture(autouse=True)
def small_config(folder):
    write_small_config()


@pytest.fixture
def train(ranks, monkeypatch):
    """Trains by the kernels that compute.kernels names, or the variable LOCKSTEP_KERNELS."""
    def call(by_key=None, by_host=None):
        if by_host:
            monkeypatch.setenv("LOCKSTEP_KERNELS", by_host)
        else:
            monkeypatch.delenv("LOCKSTEP_KERNELS", raising=False)
        keys = [f"compute.kernels={by_key}"] if by_key else []
        return lockstep("train", "run.toml", "--quiet", "--overwrite", "--out", "out", *settings(*keys), ranks=ranks)
    return call


def runnable():
    """The names that --version lists for this processor, the best first."""
    return re.search("^kernel_sets +(.*)$", succeed("--version").out, re.MULTILINE)[1].split(", ")


def trained(outcome):
    """The run's hash, and what it says of its kernels."""
    assert (outcome.code, outcome.err) == (0, "")
    summary = summary_of("out")
    provenance = summary["provenance"]
    return summary["weights_hash"], provenance["kernel_family"], provenance["kernels"], provenance["kernel_choice"]


@three_ranks_if_long
def test_the_choice_changes_no_number(train):
    names = runnable()
    best = trained(train())
    assert best[1:] == (names[0], names[0], "the best of this processor")
    for name in names:
        assert trained(train(by_key=name)) == (best[0], name, name, "compute.kernels")
        assert trained(train(by_host=name)) == (best[0], name, name, "LOCKSTEP_KERNELS")


def test_the_choice_of_the_configuration_comes_before_the_environments(train):
    assert trained(train(by_key="portable", by_host=runnable()[0]))[1] == "portable"


def test_kernels_that_the_processor_cannot_run_are_refused(train):
    for name in set(ALL) - set(runnable()):
        for source, outcome in (("compute.kernels", train(by_key=name)), ("LOCKSTEP_KERNELS", train(by_host=name))):
            assert outcome.code == 2
            assert re.fullmatch(f'lockstep: {source} is "{name}", expected one of auto, .*\n', outcome.err), outcome.err


def refuses(train, name):
    by_key, by_host = train(by_key=name), train(by_host=name)
    assert by_key.code == by_host.code == 2
    for part in ("compute.kernels", name, "expected one of auto, avx512, avx2, neon, portable"):
        assert part in by_key.err
    assert by_host.err.startswith(f'lockstep: LOCKSTEP_KERNELS is "{name}", expected one of auto'), by_host.err


def test_an_old_name_is_refused_with_the_names_that_there_are(train):
    refuses(train, "haswell")


@pytest.mark.parametrize("ranks", [ALONE], indirect=True)
@pytest.mark.parametrize("name", ["skx", "generic", "AVX2"])
def test_so_are_other_old_names_and_unknown_ones(train, name):
    refuses(train, name)


def test_portable_kernels_are_said_to_be_slow(ranks):
    said = succeed("train", "run.toml", "--out", "out", *settings("compute.kernels=portable"), ranks=ranks).out
    assert "with portable kernels: the same numbers, slowly\n" in said


@three_ranks_if_long
def test_an_older_configuration_is_let_be(ranks):
    """A run folder's config.toml of version 0.1 says compute.allow_mixed."""
    succeed("train", "run.toml", "--quiet", "--out", "out", *settings("compute.allow_mixed=true"), ranks=ranks)
    assert "allow_mixed" not in summary_of("out")["config"]["compute"]
