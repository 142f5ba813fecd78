"""simulated_step: its times against those that follow from the network, 1 GB/s and 10 us a message. Runs with what launch/simulate builds
(the environment variable SIMULATION names its folder)."""

import os
import subprocess
from pathlib import Path

import pytest

PLATFORM = """<?xml version="1.0"?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="hosts" prefix="host-" suffix="" radical="0-7" speed="1Gf" core="2" sharing_policy="SPLITDUPLEX" bw="8Gbps" lat="5us"
           loopback_bw="800Gbps" loopback_lat="0us"/>
</platform>
"""
OPTIONS = """--log=root.thres:critical --cfg=smpi/simulate-computation:no --cfg=smpi/host-speed:1Gf --cfg=smpi/test:0
    --cfg=smpi/allreduce:rdb --cfg=smpi/bw-factor:0:1.0;65536:1.0 --cfg=smpi/lat-factor:0:1.0;65536:1.0""".split()
EVEN = "1000000:1:1:1,1000000:1:1:1 64"  # 8 MB, to each byte an equal part of backward and forward; one sum of few numbers
# Nearly all bytes are there when backward begins, or when it ends.
EARLY, LATE = "1000:999:999:1,1999000:1:1:1 64", "1999000:1:1:1,1000:999:999:1 64"
WHOLE = "2000000:1:1:0 64"  # forward needs all of it


# Seconds of forward, backward and update; what is summed; bytes of a bucket, whether they overlap, seconds to add a byte.
EVERYWHERE = [
    pytest.param(1, 1, f"0.001 0.002 0.003 {EVEN} 1000000 1 1e-9", 0.0059999, 0.0060001, id="one_rank_computes_and_sends_nothing"),
    # 2 * 7/8 * 8 MB at 1 GB/s are 14 ms; 6 rounds of 10 us, and 3 for the losses.
    pytest.param(8, 1, f"0 0 0 {EVEN} 1000000 1 0", 0.0140, 0.0151, id="without_backward_nothing_is_hidden"),
    pytest.param(8, 1, f"0 0 0 {EVEN} 8000000 1 1e-9", 0.0210, 0.0225, id="adding_7_8_of_the_bytes_is_charged"),
    # Of the eight buckets the last leaves when backward ends: 1.75 ms.
    pytest.param(8, 1, f"0 0.040 0 {EVEN} 1000000 1 0", 0.0417, 0.0423, id="a_long_backward_hides_all_but_the_last_bucket"),
    pytest.param(8, 1, f"0 0.040 0 {EVEN} 1000000 0 0", 0.0540, 0.0560, id="without_overlap_nothing_is_hidden"),
    pytest.param(8, 1, f"0.001 0.040 0.001 {EVEN} 1000000 0 0", 0.0560, 0.0580, id="forward_and_update_are_charged"),
    pytest.param(8, 1, f"0 0.040 0 {EARLY} 1000000 1 0", 0.0400, 0.0421, id="bytes_leave_when_the_work_of_their_tensors_is_done"),
    pytest.param(8, 1, f"0 0.040 0 {LATE} 1000000 1 0", 0.0540, 0.0560, id="and_not_before"),
    # 3 rounds of 10 us and of 100 KB each.
    pytest.param(8, 1, "0 0 0 1:1:1:1 100000 1000000 0 0", 0.00033, 0.00042, id="a_sum_of_few_numbers_takes_three_messages"),
    # 2 * 3/4 * 8 MB go through the link of a host, whatever the number of its ranks.
    pytest.param(8, 2, f"0 0 0 {EVEN} 1000000 0 0", 0.0120, 0.0140, id="ranks_of_a_host_share_its_link")]
DIVIDED = [
    pytest.param(1, 1, f"0.001 0.002 0.003 {EVEN} 1000000 1 1e-9", 0.0059999, 0.0060001, id="one_rank_computes_and_sends_nothing"),
    # 7/8 * 8 MB each way at 1 GB/s are 14 ms; a message of 10 us each way, and 3 for the losses.
    pytest.param(8, 1, f"0 0 0 {EVEN} 8000000 0 0", 0.0140, 0.0150, id="an_exchange_and_a_gather_take_what_a_sum_takes"),
    pytest.param(8, 1, f"0 0 0 {EVEN} 8000000 0 1e-9", 0.0210, 0.0221, id="adding_7_8_of_the_bytes_is_charged"),
    # Of the eight buckets the last leaves when backward ends, 0.9 ms, and the gather is waited for.
    pytest.param(8, 1, f"0 0.040 0 {EVEN} 1000000 1 0", 0.0478, 0.0492, id="a_long_backward_hides_all_but_the_last_bucket"),
    # Of the gather the first bucket is waited for.
    pytest.param(8, 1, f"0.040 0.040 0 {EVEN} 1000000 1 0", 0.0817, 0.0828, id="and_a_long_forward_all_but_the_first_one"),
    pytest.param(8, 1, f"0.040 0.040 0 {WHOLE} 1000000 1 0", 0.0878, 0.0895, id="but_not_of_a_tensor_that_it_needs_as_a_whole"),
    pytest.param(8, 1, f"0.040 0 0 {LATE} 1000000 1 0", 0.0540, 0.0555, id="forward_does_not_begin_before_its_bytes_are_there"),
    pytest.param(8, 1, f"0.040 0 0 {EARLY} 1000000 1 0", 0.0478, 0.0490, id="and_goes_on_with_those_that_are_there"),
    pytest.param(8, 1, f"0.040 0.040 0 {EVEN} 1000000 0 0", 0.0940, 0.0960, id="without_overlap_nothing_is_hidden"),
    # Ten chunks of 16 KiB among 8 ranks: some have two, which 7 others send them and get back: 2 * 7 * 32 KiB, instead of 20.
    pytest.param(8, 1, "0 0 0 40960:1:1:1 64 1000000 0 0", 0.00046, 0.00056, id="the_largest_part_decides"),
    pytest.param(8, 1, "0 0 0 1:1:1:1 100000,100000 1000000 0 0", 0.00066, 0.00080, id="sums_of_parts_are_charged"),
    # 3/4 * 8 MB each way go through the link of a host; 4 MB each way through its memory, of 100 GB/s.
    pytest.param(8, 2, f"0 0 0 {EVEN} 8000000 0 0", 0.0120, 0.0131, id="ranks_of_a_host_share_its_link"),
    # With overlap the first bucket is waited for, 0.8 ms, and the sum, 6 ms: nothing of backward hides it.
    pytest.param(8, 2, f"0.040 0 0 {EVEN} 1000000 1 0", 0.0468, 0.0483, id="and_gather_under_forward")]


@pytest.mark.parametrize("ranks, ranks_a_host, arguments, least, most", EVERYWHERE)
def test_a_step_takes_so_long(tmp_path, ranks, ranks_a_host, arguments, least, most):
    assert least <= seconds(tmp_path, ranks, ranks_a_host, f"{arguments} everywhere {ranks_a_host}") <= most


@pytest.mark.parametrize("ranks, ranks_a_host, arguments, least, most", DIVIDED)
def test_a_divided_step_takes_so_long(tmp_path, ranks, ranks_a_host, arguments, least, most):
    assert least <= seconds(tmp_path, ranks, ranks_a_host, f"{arguments} divided {ranks_a_host}") <= most


def seconds(tmp_path, ranks, ranks_a_host, arguments):
    """Of a step. Traffic the other way takes 5 % of a link."""
    (tmp_path / "platform.xml").write_text(PLATFORM, encoding="utf-8")
    (tmp_path / "hosts").write_text("".join(f"host-{i // ranks_a_host}\n" for i in range(8)), encoding="utf-8")
    words = ["smpirun", "-np", str(ranks), "-platform", tmp_path / "platform.xml", "-hostfile", tmp_path / "hosts", *OPTIONS,
             Path(os.environ["SIMULATION"], "simulated_step"), *arguments.split()]
    return float(subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True).stdout)
