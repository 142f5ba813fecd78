"""The exercises of configs/courses/exercises as a student fills them in: what stands in place of each `...`."""

import re
import sys

from harness.files import read, write
from harness.process import execute
from harness.shipped import CONFIGS

SKELETONS = CONFIGS / "courses/exercises"

_BINARY_CROSS_ENTROPY = "-np.mean(y * np.log({0}) + (1 - y) * np.log(1 - {0}))"
_SQUARES_AND_L2 = "np.sum((z2 - T) ** 2) / len(X) + 0.5 * l2 * (np.sum(W1 ** 2) + np.sum(W2 ** 2))"


def _descent(layers, direction="d"):
    return {f"{kind}{layer}_new": f"{kind}{layer} - learning_rate * {direction}{kind}{layer}"
            for layer in range(1, layers + 1) for kind in "Wb"}


def _velocities(layers):
    return {f"v{kind}{layer}": f"momentum * v{kind}{layer}_before + d{kind}{layer}" for layer in range(1, layers + 1) for kind in "Wb"}


# Of each exercise, the right expression of each name.
ANSWERS = {
    "ex4_classifier": {
        "z1": "X @ W1 + b1", "a1": "1 / (1 + np.exp(-z1))", "loss": _BINARY_CROSS_ENTROPY.format("a1"),
        "dz1": "(a1 - y) / len(X)", "dW1": "X.T @ dz1", "db1": "dz1.sum(axis=0)",
    } | _descent(1),
    "flower": {
        "z1": "X @ W1 + b1", "a1": "np.tanh(z1)", "z2": "a1 @ W2 + b2", "a2": "1 / (1 + np.exp(-z2))",
        "loss": _BINARY_CROSS_ENTROPY.format("a2"),
        "dz2": "(a2 - y) / len(X)", "dW2": "a1.T @ dz2", "db2": "dz2.sum(axis=0)",
        "da1": "dz2 @ W2.T", "dz1": "da1 * (1 - a1 ** 2)", "dW1": "X.T @ dz1", "db1": "dz1.sum(axis=0)",
    } | _descent(2),
    "spiral": {
        "z1": "X @ W1 + b1", "a1": "np.where(z1 > 0, z1, slope * z1)",
        "z2": "a1 @ W2 + b2", "a2": "np.where(z2 > 0, z2, slope * z2)",
        "z3": "a2 @ W3 + b3", "a3": "1 / (1 + np.exp(-z3))", "loss": _BINARY_CROSS_ENTROPY.format("a3"),
        "dz3": "(a3 - y) / len(X)", "dW3": "a2.T @ dz3", "db3": "dz3.sum(axis=0)",
        "da2": "dz3 @ W3.T", "dz2": "da2 * np.where(z2 > 0, 1, slope)", "dW2": "a1.T @ dz2", "db2": "dz2.sum(axis=0)",
        "da1": "dz2 @ W2.T", "dz1": "da1 * np.where(z1 > 0, 1, slope)", "dW1": "X.T @ dz1", "db1": "dz1.sum(axis=0)",
    } | _velocities(3) | _descent(3, "v"),
    "cifar10_dense100_mse": {
        "T": "np.eye(10)[y]",
        "z1": "X @ W1 + b1", "a1": "1 / (1 + np.exp(-z1))", "z2": "a1 @ W2 + b2", "loss": _SQUARES_AND_L2,
        "dz2": "2 * (z2 - T) / len(X)", "dW2": "a1.T @ dz2 + l2 * W2", "db2": "dz2.sum(axis=0)",
        "da1": "dz2 @ W2.T", "dz1": "da1 * a1 * (1 - a1)", "dW1": "X.T @ dz1 + l2 * W1", "db1": "dz1.sum(axis=0)",
    } | _descent(2),
}


def gaps(exercise):
    """The names that are left to the student, in order."""
    return re.findall(r"^(\w+) = \.\.\.", read(SKELETONS / f"{exercise}.py"), re.MULTILINE)


def filled(exercise, expressions):
    """The skeleton with these expressions, by name, in place of their gaps."""
    text = read(SKELETONS / f"{exercise}.py")
    for name, expression in expressions.items():
        text, found = re.subn(rf"^{name} = \.\.\.", lambda _: f"{name} = {expression}", text, flags=re.MULTILINE)
        assert found == 1, f"{exercise}.py has {found} gaps for {name}"
    return text


def run(exercise, expressions):
    """Runs the skeleton filled with these in the working folder, which has a step.npz: what it prints. It leaves mine.npz."""
    write(f"{exercise}.py", filled(exercise, expressions))
    outcome = execute([sys.executable, f"{exercise}.py"])
    assert (outcome.code, outcome.err) == (0, ""), outcome.err
    return outcome.out
