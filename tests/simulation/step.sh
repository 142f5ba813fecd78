#!/usr/bin/env bash
# simulated_step: its times against those that follow from the network, 1 GB/s and 10 us a message.
# Usage: step.sh BUILD
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failures=0
cat >"$work/platform.xml" <<'END'
<?xml version="1.0"?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="hosts" prefix="host-" suffix="" radical="0-7" speed="1Gf" sharing_policy="SPLITDUPLEX" bw="8Gbps" lat="5us"/>
</platform>
END
printf 'host-%d\n' {0..7} >"$work/hosts"

# takes CLAIM RANKS LEAST MOST ARGUMENTS...: a step of so many seconds. Traffic the other way takes 5 % of a link.
takes() {
  local seconds
  seconds=$(smpirun -np "$2" -platform "$work/platform.xml" -hostfile "$work/hosts" --log=root.thres:critical \
    --cfg=smpi/simulate-computation:no --cfg=smpi/host-speed:1Gf --cfg=smpi/test:0 --cfg=smpi/allreduce:rdb \
    "--cfg=smpi/bw-factor:0:1.0;65536:1.0" "--cfg=smpi/lat-factor:0:1.0;65536:1.0" "$build/simulated_step" "${@:5}")
  python3 -c "exit(not $3 <= $seconds <= $4)" && return
  echo "FAILED: $1: $seconds s, expected $3 to $4"
  failures=$((failures + 1))
}

takes "one rank computes, and sends nothing" 1 0.0059999 0.0060001 0.001 0.002 0.003 8000000 1000000 1 1e-9
# 2 * 7/8 * 8 MB at 1 GB/s are 14 ms; 6 rounds of 10 us, and as many for the losses.
takes "without backward nothing is hidden" 8 0.0140 0.0151 0 0 0 8000000 1000000 1 0
takes "adding 7/8 of the bytes is charged" 8 0.0210 0.0225 0 0 0 8000000 8000000 1 1e-9
# Of the eight buckets the last leaves when backward ends: 1.75 ms.
takes "a long backward hides all but the last bucket" 8 0.0417 0.0423 0 0.040 0 8000000 1000000 1 0
takes "without overlap nothing is hidden" 8 0.0540 0.0560 0 0.040 0 8000000 1000000 0 0
takes "forward and update are charged" 8 0.0560 0.0580 0.001 0.040 0.001 8000000 1000000 0 0

((failures == 0)) || { echo "$failures failed" && exit 1; }
