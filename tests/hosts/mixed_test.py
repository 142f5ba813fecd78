"""Hosts whose processors differ train together, each with kernels of its own: the weights are those of one process. Runs in a world of
three hosts."""

import re
import shutil

from harness.process import succeed
from hosts import set_environment
from jobs import trained


def train(ranks, slots):
    """The hash of the weights after a training run there, and the kernels of its ranks."""
    shutil.rmtree("out", ignore_errors=True)
    summary = trained(ranks, slots, "train.epochs=3")
    return summary["weights_hash"], summary["provenance"]["kernels"]


def test_hosts_with_kernels_of_their_own_have_the_weights_of_one_process():
    """h1 and h2 are as with other processors; h0 has the best kernels."""
    best, second, *_ = re.search("^kernel_sets +(.*)$", succeed("--version").out, re.MULTILINE)[1].split(", ")
    set_environment("h1", LOCKSTEP_KERNELS=second)
    set_environment("h2", LOCKSTEP_KERNELS="portable")
    alone, _ = train(1, "h0:1")
    assert re.fullmatch("[0-9a-f]{16}", alone)
    assert train(2, "h0:1,h1:1") == (alone, f"{best}, {second}")
    assert train(4, "h0:1,h1:2,h2:1") == (alone, f"{best}, {second}, {second}, portable")
