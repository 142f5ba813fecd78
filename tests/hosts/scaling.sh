#!/usr/bin/env bash
# A scaling study over several hosts: ranks fill the hosts in order, and weights are the same on one host and two.
#
# Usage: scaling.sh REPOSITORY LOCKSTEP
set -euo pipefail
repo=$1 program=$2
[[ -n ${HOSTS-} ]] || exec "$repo/tests/hosts/world" 2 "$0" "$@"
source "$repo/tests/hosts/jobs.bash"

printf '%s\n' 'h0 slots=2' 'h1 slots=2' >"$work/hosts"
open_mpi=${open_mpi/--mca mpi_yield_when_idle 1/} # launch/run sees to that itself
# The hosts share this machine's cores, of which there may be few: nothing is bound.
try on h0 env LOCKSTEP="$program" "$repo/launch/scaling" "$work/points.toml" --ranks 2,3,5 --threads 1,2 --repeats 1 \
  --epochs 1 --hostfile "$work/hosts" --bind none --out "$work/study" --mpi "${open_mpi//$'\n'/ }"
check "the exit code is 0" test "$code" = 0
places=$(tail -n +2 "$work/study/runs.csv" | sed -E 's/: [-0-9,]+//g' | cut -d, -f1-3,5,14)
check "ranks that have cores of their own fill the hosts in order, more of them are oversubscribed: $places" test "$places" = \
  "2,1,1,0,h0; h0
2,2,2,0,h0; h1
3,1,2,0,h0; h0; h1
3,2,2,1,h0; h0; h1
5,1,2,1,h0; h0; h0; h1; h1
5,2,2,1,h0; h0; h0; h1; h1"
check "all have the same weights" grep -q 'All 6 runs ended with the same weights' "$work/study/report.md"
finish
