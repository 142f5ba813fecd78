"""simulated_step: its times against those that follow from the network, 1 GB/s and 10 us a message. Runs with what launch/simulate builds
(the environment variable SIMULATION names its folder)."""

import os
import subprocess
from pathlib import Path

import pytest

PLATFORM = """<?xml version="1.0"?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="hosts" prefix="host-" suffix="" radical="0-7" speed="1Gf" sharing_policy="SPLITDUPLEX" bw="8Gbps" lat="5us"/>
</platform>
"""
OPTIONS = """--log=root.thres:critical --cfg=smpi/simulate-computation:no --cfg=smpi/host-speed:1Gf --cfg=smpi/test:0
    --cfg=smpi/allreduce:rdb --cfg=smpi/bw-factor:0:1.0;65536:1.0 --cfg=smpi/lat-factor:0:1.0;65536:1.0""".split()


# Seconds of forward, backward and update; bytes, bytes of a bucket, whether they overlap, seconds to add a byte.
@pytest.mark.parametrize("ranks, arguments, least, most", [
    pytest.param(1, "0.001 0.002 0.003 8000000 1000000 1 1e-9", 0.0059999, 0.0060001, id="one_rank_computes_and_sends_nothing"),
    # 2 * 7/8 * 8 MB at 1 GB/s are 14 ms; 6 rounds of 10 us, and as many for the losses.
    pytest.param(8, "0 0 0 8000000 1000000 1 0", 0.0140, 0.0151, id="without_backward_nothing_is_hidden"),
    pytest.param(8, "0 0 0 8000000 8000000 1 1e-9", 0.0210, 0.0225, id="adding_7_8_of_the_bytes_is_charged"),
    # Of the eight buckets the last leaves when backward ends: 1.75 ms.
    pytest.param(8, "0 0.040 0 8000000 1000000 1 0", 0.0417, 0.0423, id="a_long_backward_hides_all_but_the_last_bucket"),
    pytest.param(8, "0 0.040 0 8000000 1000000 0 0", 0.0540, 0.0560, id="without_overlap_nothing_is_hidden"),
    pytest.param(8, "0.001 0.040 0.001 8000000 1000000 0 0", 0.0560, 0.0580, id="forward_and_update_are_charged")])
def test_a_step_takes_so_long(tmp_path, ranks, arguments, least, most):
    """Traffic the other way takes 5 % of a link."""
    (tmp_path / "platform.xml").write_text(PLATFORM, encoding="utf-8")
    (tmp_path / "hosts").write_text("".join(f"host-{i}\n" for i in range(8)), encoding="utf-8")
    words = ["smpirun", "-np", str(ranks), "-platform", tmp_path / "platform.xml", "-hostfile", tmp_path / "hosts", *OPTIONS,
             Path(os.environ["SIMULATION"], "simulated_step"), *arguments.split()]
    shown = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True).stdout
    assert least <= float(shown) <= most
