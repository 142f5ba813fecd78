#!/usr/bin/env bash
# Hosts that differ in their domains alone are two: Open MPI itself would take both for gpu1.
#
# Usage: names.sh REPOSITORY LOCKSTEP
set -euo pipefail
repo=$1 program=$2
[[ -n ${HOSTS-} ]] || exec "$repo/tests/hosts/world" gpu1.east,gpu1.west "$0" "$@"
source "$repo/tests/hosts/jobs.bash"
source "$repo/tests/hosts/faults.bash"

begin 2 gpu1.east:1,gpu1.west:1 --set train.epochs=1000000 --set checkpoint.every_epochs=1000
check "each has a rank" test "$(processes h0 lockstep | wc -l) $(processes h1 lockstep | wc -l)" = "1 1"
killed_rank
wait_for_end 60
tried="killed_rank, $took s"
refused 5 "^launch/run: ($(of_a_rank "rank 1 on gpu1.west, at step [0-9]+ in [a-z -]+, was ended by SIGKILL"))$"

rm -rf "$work/out"
try lockstep 1 gpu1.west:1 --set train.epochs=3
check "one process alone trains" test "$code" = 0
alone=$(summary weights_hash)
rm -rf "$work/out"
try lockstep 2 gpu1.east:1,gpu1.west:1 --set train.epochs=3
check "two train" test "$code" = 0
check "the weights are those of one process, $alone" test "$(summary weights_hash)" = "$alone"
finish
