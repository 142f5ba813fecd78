"""The networks of the courses, trained as they are shipped, as a user trains: they reach what their configurations promise, with
the weights that are published."""

import functools
import re
import tempfile
from pathlib import Path

import pytest
from harness.files import read_csv, weights_hash
from harness.process import succeed
from harness.shipped import CONFIGS, PUBLISHED

# Of the runs that are published those that leave nothing out.
WHOLE = {run["configuration"]: run["weights_hash"] for run in PUBLISHED if not run["settings"]}


@pytest.fixture(scope="module")
def trained():
    """trained(CONFIGURATION): the folder of its run, which is trained once."""
    with tempfile.TemporaryDirectory(prefix="lockstep-test-") as folder:

        @functools.cache
        def train(configuration):
            run = Path(folder, configuration)
            succeed("train", CONFIGS / configuration, "--quiet", "--out", run, limit=100)
            return run

        yield train


@pytest.mark.parametrize("configuration", WHOLE)
def test_a_published_run_ends_with_the_published_weights(configuration, trained):
    assert weights_hash(trained(configuration)) == WHOLE[configuration]


@pytest.mark.parametrize("name, least, most", [  # accuracy on the test set
    ("circle", 0.97, 1), ("xor", 0.97, 1), ("gaussian_mse", 0.98, 1), ("spiral", 0.95, 1), ("ex4_classifier", 0.95, 1),
    ("flower", 0.87, 0.95), ("flower_logistic", 0.40, 0.55)])
def test_a_course_reaches_its_accuracy(name, least, most, trained):
    metrics = read_csv(trained(f"courses/{name}.toml") / "metrics.csv")
    assert least <= float(metrics[-1]["test_accuracy"]) <= most


@pytest.mark.parametrize("name", ["function_sine", "function_kink"])
def test_an_approximation_is_within_a_hundredth_on_both_sets(name, trained):
    said = succeed("eval", trained(f"courses/{name}.toml")).out
    errors = re.findall(r"^(?:train|test ) +loss [^ ]+  largest error ([0-9.e-]+)  \(200 samples\)$", said, re.MULTILINE)
    assert len(errors) == 2, said
    assert all(0 < float(error) < 0.01 for error in errors), said
