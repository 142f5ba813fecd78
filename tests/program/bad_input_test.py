"""Whatever is wrong with what the program is given, the job ends soon, with the exit code of its kind and one line that names the
place, what was found and what was expected; alone, and under mpirun."""

import re
from pathlib import Path

import pytest
from harness.build import MPIRUN, PROGRAM
from harness.files import read, resize, write_black_cifar10, write_small_config
from harness.process import ALONE, execute, lockstep, settings, succeed
from mistakes import QUIET_TRAINING, of_data, of_formats, of_images, of_models, of_runs, of_sweeps

MISTAKES = (of_runs.MISTAKES + of_data.MISTAKES + of_formats.MISTAKES + of_images.MISTAKES + of_models.MISTAKES +
            of_sweeps.MISTAKES)

# Mistakes that reach several ranks in different ways: noticed before MPI begins, by rank 0 for all, by one other rank, by all at
# once, before data are read, after, and in the midst of training.
EVERY_WAY = """no_subcommand unknown_option unknown_key missing_config_file output_below_a_file output_on_a_full_disk
    truncated_data_file label_ten_in_the_training_set label_ten_in_the_test_set csv_that_is_missing csv_with_a_ragged_row
    more_training_samples_than_there_are regression_with_two_outputs learning_rate_that_diverges weights_cut_short
    missing_weights_for_evaluation sweep_of_data_that_are_missing sweep_with_more_ranks_per_trial_than_ranks""".split()


@pytest.fixture(autouse=True)
def small_config(folder):
    write_small_config()


def expect_one_line(outcome, prefix, says):
    """Nothing on stdout, exactly one line on stderr: "lockstep: ", prefix (a regular expression), then what it says in order."""
    assert outcome.out == ""
    assert re.fullmatch(f"lockstep: {prefix}.*\n", outcome.err), outcome.err
    assert re.search(".*".join(re.escape(part) for part in says), outcome.err), (says, outcome.err)


def ends_the_job_with_one_line(mistake, ranks):
    outcome = lockstep(*mistake.arrange(), ranks=ranks)
    assert outcome.code == mistake.code, outcome.err
    named = mistake.of_one_rank and ranks != ALONE
    expect_one_line(outcome, "rank [0-9]+: " if named else "(?!rank )", mistake.says)
    assert not Path("out/summary.json").exists()
    assert not Path("out/model.safetensors").exists()


def cases(on_three_ranks):
    """Every mistake, those that are tested on three ranks every day not among the long ones."""
    for mistake in MISTAKES:
        long = on_three_ranks and mistake.name not in EVERY_WAY
        yield pytest.param(mistake, id=mistake.name, marks=[pytest.mark.long] if long else [])


@pytest.mark.parametrize("mistake", cases(on_three_ranks=False))
def test_a_mistake_ends_the_program_with_one_line(mistake):
    ends_the_job_with_one_line(mistake, ALONE)


@pytest.mark.parametrize("mistake", cases(on_three_ranks=True))
def test_a_mistake_ends_three_ranks_with_one_line(mistake):
    ends_the_job_with_one_line(mistake, 3)


def test_mistakes_of_every_way_are_among_the_bad_inputs():
    assert set(EVERY_WAY) <= {mistake.name for mistake in MISTAKES}


def test_three_ranks_are_refused_two_shards():
    outcome = lockstep(*QUIET_TRAINING, *settings("data.shards=2"), ranks=3)
    assert outcome.code == 2
    expect_one_line(outcome, "", ["3 ranks", "2 shards", "set data.shards to 3 or more"])


def test_three_ranks_stop_together_for_data_that_one_of_them_misses():
    """Each rank is told by its environment where the data is; rank 1 is told wrong."""
    write_black_cifar10("good")
    write_black_cifar10("bad")
    resize("bad/data_batch_2.bin", 1000)
    training = [PROGRAM, *QUIET_TRAINING, *settings("data.dataset=cifar10")]
    by_rank = '[ "${OMPI_COMM_WORLD_RANK-$PMI_RANK}" = 1 ] && CIFAR10_DIR=bad || CIFAR10_DIR=good; export CIFAR10_DIR; exec "$@"'
    outcome = execute([*MPIRUN, "-np", "3", "sh", "-c", by_rank, "sh", *training])
    assert outcome.code == 3
    expect_one_line(outcome, "rank 1: ", ["bad/data_batch_2.bin", "1000 bytes", "expected 30730000"])


def test_a_bad_run_leaves_an_earlier_run_alone(ranks):
    """Also one that it was to replace."""
    succeed(*QUIET_TRAINING, ranks=ranks)
    before = read("out/summary.json"), Path("out/model.safetensors").read_bytes()
    for key, code in (("train.init_from=nowhere", 4), ("train.learning_rate=1e29", 2)):
        failed = lockstep(*QUIET_TRAINING, "--overwrite", *settings(key), ranks=ranks)
        assert failed.code == code, failed.err
        assert (read("out/summary.json"), Path("out/model.safetensors").read_bytes()) == before
