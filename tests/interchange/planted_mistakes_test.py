"""lockstep compare, held against a small NumPy implementation: without a mistake it passes, in float32 and float64, on every shipped
course configuration; with one of those that students make, that is named first or second."""

import json
import shutil

import numpy as np
import pytest
from harness.files import write
from harness.process import lockstep, settings, succeed
from harness.shipped import CONFIGS, CONFIGURATIONS, shortened
from student import Student

COURSES = [name for name in CONFIGURATIONS if name.startswith("courses/")]

KINDS = {  # of networks; two hidden layers of one width, so that a weight is square
    "binary": ["data.dataset=circle", "model.loss=binary_cross_entropy", "model.activation=tanh", "train.l2=0.01"],
    "sigmoids": ["data.dataset=circle", "model.loss=binary_cross_entropy", "model.activation=sigmoid", "train.l2=0.01"],
    "classes": ["data.dataset=spiral", "model.loss=cross_entropy", "model.activation=leaky_relu", "train.l2=0.01"],
    "squares": ["data.dataset=gaussian", "model.loss=half_mse", "model.activation=tanh", "train.l2=0"],
    "no_l2": ["data.dataset=circle", "model.loss=binary_cross_entropy", "model.activation=tanh", "train.l2=0"],
}

# The mistake, the kind of network, the array that is wrong first, and the cause.
CASES = [
    ("inputs in another order", "binary", "X", "rows-permuted"),
    ("inputs not normalised", "binary", "X", "inputs-normalised-otherwise"),
    ("classes from one", "classes", "y", "classes-from-one"),
    ("no bias", "binary", "z1", "bias-missing"),
    ("square weight transposed", "binary", "z2", "weight-transposed-forward"),
    ("no activation", "binary", "a1", "activation-missing"),
    ("relu for the activation", "binary", "a1", "activation-another"),
    ("leaky slope of 0.01", "classes", "a1", "activation-another"),
    ("activation not passed on", "binary", "z2", "activation-skipped"),
    ("softmax over the samples", "classes", "probabilities", "softmax-over-samples"),
    ("softmax not normalised", "classes", "probabilities", "softmax-not-normalised"),
    ("sum of losses", "binary", "loss", "loss-sum"),
    ("one class in the loss", "binary", "loss", "loss-one-class"),
    ("mean of losses over outputs", "classes", "loss", "loss-mean-over-outputs"),
    ("logarithm to base 2", "classes", "loss", "log-base-2"),
    ("no L2 in the loss", "binary", "loss", "l2-missing"),
    ("L2 of the loss without its half", "binary", "loss", "l2-doubled"),
    ("L2 of the loss over the batch", "binary", "loss", "l2-over-batch"),
    ("L2 of biases in the loss", "binary", "loss", "l2-with-biases"),
    ("sum in the gradient", "binary", "dz3", "not-divided-by-batch"),
    ("divided by outputs", "classes", "dz3", "over-outputs"),
    ("sign of the gradient", "classes", "dz3", "sign"),
    ("targets not subtracted", "classes", "dz3", "targets-not-subtracted"),
    ("derivative of the output twice", "binary", "dz3", "output-derivative-twice"),
    ("derivative of softmax left out", "classes", "dz3", "output-derivative-missing"),
    ("softmax left out of the gradient", "classes", "dz3", "outputs-for-probabilities"),
    ("factor 2 of the squared error", "squares", "dz3", "factor-2"),
    ("no derivative of the activation", "binary", "dz2", "activation-derivative-missing"),
    ("derivative of the output", "sigmoids", "dz2", "activation-derivative-of-output"),
    ("derivative's formula of the input", "binary", "dz2", "activation-derivative-formula-of-input"),
    ("relu of the gradient", "classes", "dz2", "activation-by-gradient"),
    ("activation for its derivative", "binary", "dz2", "activation-for-derivative"),
    ("backward through a square weight transposed", "binary", "da1", "weight-transposed-backward"),
    ("backward through updated weights", "binary", "da2", "backward-after-update"),
    ("da passed back for dz", "binary", "da1", "activation-derivative-skipped"),
    ("da for dz in dW", "binary", "dW1", "gradient-after-activation"),
    ("z for a in dW", "binary", "dW2", "input-before-activation"),
    ("last sample alone", "binary", "dW1", "last-sample-alone"),
    ("no L2 in dW", "binary", "dW1", "l2-missing"),
    ("twice the L2 in dW", "binary", "dW1", "l2-doubled"),
    ("L2 subtracted in dW", "binary", "dW1", "l2-sign"),
    ("L2 over the batch in dW", "binary", "dW1", "l2-over-batch"),
    ("sum in dW", "binary", "dW1", "not-divided-by-batch"),
    ("sum in dW", "no_l2", "dW1", "not-divided-by-batch"),
    ("dW transposed", "binary", "dW2", "transposed"),
    ("bias decayed", "binary", "db1", "bias-decayed"),
    ("mean for the sum in db", "binary", "db1", "divided-by-batch-twice"),
    ("db over everything", "binary", "db1", "bias-sum-of-everything"),
    ("gradient after the update", "binary", "z1", "forward-after-update"),
    ("1 - momentum", "binary", "vW1", "velocity-damped"),
    ("momentum forgotten", "binary", "vW1", "momentum-missing"),
    ("velocity subtracts the gradient", "binary", "vW1", "velocity-sign"),
    ("update added", "binary", "W1_new", "update-sign"),
    ("rate forgotten", "binary", "W1_new", "rate-missing"),
    ("rate twice", "binary", "W1_new", "rate-twice"),
    ("step along the gradient", "binary", "W1_new", "momentum-missing"),
    ("step along the old velocity", "binary", "W1_new", "velocity-old"),
    ("Nesterov's step", "binary", "W1_new", "nesterov"),
    ("no update", "binary", "W1_new", "update-missing"),
    ("decay on top", "binary", "W1_new", "decayed-twice"),
    ("update twice", "binary", "W1_new", "update-twice"),
    ("update divided by the batch", "binary", "W1_new", "rate-over-batch"),
]

# The same, seen in a file that has a later array alone.
LATER = [
    ("no bias", "binary", "z3", "bias-missing"),
    ("no activation", "binary", "z3", "activation-missing"),
    ("derivative of the output", "sigmoids", "dW1", "activation-derivative-of-output"),
    ("derivative of the output twice", "binary", "dW2", "output-derivative-twice"),
    ("backward through updated weights", "binary", "dW1", "backward-after-update"),
    ("sum in the gradient", "no_l2", "dW2", "not-divided-by-batch"),
    ("no L2 in dW", "binary", "W2_new", "l2-missing"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of the steps of all kinds that have been asked for."""
    return tmp_path_factory.mktemp("steps")


@pytest.fixture
def steps(made):
    """Gives the step of a kind of network, also as step.npz: the seventh, in whose beginning no bias and no velocity is 0."""

    def step_of(kind):
        if not (made / f"{kind}.npz").exists():
            write("run.toml", '[data]\nn = 120\nnoise = 0.1\nnormalize = "none"\nshards = 4\n[model]\nhidden = [6, 6]\n'
                  "[train]\nbatch_size = 24\nlearning_rate = 0.3\nmomentum = 0.9\n")
            succeed("trace-step", "run.toml", *settings(*KINDS[kind]), "--step", "7", "--out", made / f"{kind}.npz")
        shutil.copy(made / f"{kind}.npz", "step.npz")
        return np.load("step.npz")

    return step_of


def compared(arrays, *words, code):
    """The object that compare prints of such a file, when it ends with this code."""
    np.savez("mine.npz", **arrays)
    outcome = lockstep("compare", "mine.npz", "--against", "step.npz", "--json", *words)
    assert (outcome.code, outcome.err) == (code, ""), outcome.out
    return json.loads(outcome.out)


def short_name_of_first(result):
    return next(array["as"] for array in result["arrays"] if array["status"] == "wrong")


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", COURSES)
def test_a_correct_implementation_passes(name, dtype):
    succeed("trace-step", CONFIGS / name, *shortened(CONFIGS / name), "--step", "2", "--out", "step.npz")
    result = compared(Student(np.load("step.npz"), dtype).compute(), code=0)
    assert result["verdict"] == "agrees"
    assert {array["status"] for array in result["arrays"]} <= {"agrees", "rounding"}
    if dtype == np.float64:
        assert {array["status"] for array in result["arrays"]} == {"agrees"}


@pytest.mark.parametrize("wrong, kind, array, cause", CASES, ids=[f"{case[0]}, {case[1]}" for case in CASES])
def test_a_mistake_is_named(steps, wrong, kind, array, cause):
    result = compared(Student(steps(kind), np.float32, wrong).compute(), code=1)
    assert (result["verdict"], short_name_of_first(result)) == ("wrong", array), result["arrays"]
    assert cause in [found["id"] for found in result["causes"][:2]], result["causes"]


@pytest.mark.parametrize("wrong, kind, array, cause", LATER, ids=[f"{case[0]}, {case[2]}" for case in LATER])
def test_a_mistake_is_named_where_a_later_array_is_all_there_is(steps, wrong, kind, array, cause):
    result = compared({array: Student(steps(kind), wrong=wrong).compute()[array]}, code=1)
    assert cause in [found["id"] for found in result["causes"][:2]], result["causes"]


@pytest.mark.parametrize("wrong, cause", [("rate in the velocity", "velocity-has-rate"), ("velocity is the step", "velocity-is-minus-step")])
def test_a_velocity_of_another_convention_is_no_mistake_where_the_step_is_right(steps, wrong, cause):
    arrays = Student(steps("binary"), wrong=wrong).compute()
    result = compared(arrays, code=0)
    by_name = {array["as"]: array for array in result["arrays"]}
    assert by_name["vW1"]["status"] == "convention"
    assert by_name["vW1"]["causes"][0]["id"] == cause
    assert compared({"vW1": arrays["vW1"]}, code=1)["causes"][0]["id"] == cause
