"""The same weights from one process and from ranks on several hosts, also over slow cables. Runs in a world of four hosts."""

import re
import shutil
import subprocess

from hosts import limit_rate, on
from jobs import trained

LAYOUTS = [(2, "h0:1,h1:1"), (4, "h0:2,h1:2"), (4, "h0:1,h1:1,h2:1,h3:1"), (3, "h0:1,h2:2")]


def hash_of(ranks, slots, *keys):
    """Of the weights after a training run there."""
    shutil.rmtree("out", ignore_errors=True)
    return trained(ranks, slots, "train.epochs=3", *keys)["weights_hash"]


def bytes_sent(host):
    """Over the data network."""
    devices = subprocess.run(on(host, "cat", "/proc/net/dev"), capture_output=True, text=True, check=True).stdout
    return int(re.search(r"^ *data: *(.*)$", devices, re.MULTILINE)[1].split()[8])


def test_ranks_on_several_hosts_have_the_weights_of_one_process():
    alone = hash_of(1, "h0:1")
    assert re.fullmatch("[0-9a-f]{16}", alone)
    for layout in LAYOUTS:
        assert hash_of(*layout) == alone, layout
    assert hash_of(4, "h0:2,h1:2", "reduce.bucket_bytes=256") == alone, "many small sums during backward"
    for host in ("h0", "h1", "h2", "h3"):
        limit_rate(host, "20mbit")
    before = bytes_sent("h1")
    assert hash_of(4, "h0:1,h1:1,h2:1,h3:1") == alone, "slow cables"
    assert bytes_sent("h1") - before > 100000, "the ranks' sums go over the data network"
