#!/usr/bin/env bash
# A fault in a job of four ranks on two hosts: the job ends in time, with exit code 5 and one line that says who is missing,
# where and at what; nothing is left running on any host.
#
# Usage: faults.sh REPOSITORY LOCKSTEP FAULT; the faults are those of faults.bash.
set -euo pipefail
repo=$1 program=$2 fault=$3
[[ -n ${HOSTS-} ]] || exec "$repo/tests/hosts/world" 2 "$0" "$@"
source "$repo/tests/hosts/jobs.bash"
source "$repo/tests/hosts/faults.bash"

at="at step [0-9]+ in (set-up|forward and backward|reduction|update|evaluation|writing)"
nothing_moved="nothing has moved for [0-9.]+ s \(run.watchdog_seconds is 10\)"
seconds=10 # of the watchdog
case $fault in
  killed_rank) line="launch/run: ($(of_a_rank "rank [23] on h1, $at, was ended by SIGKILL"))" ;;
  killed_near_rank) line="launch/run: ($(of_a_rank "rank [01] on h0, $at, was ended by SIGKILL"))" ;;
  killed_daemon) line="launch/run: host h1 was lost with ranks 2, 3, $at" ;;
  killed_host | cut_link) # Open MPI notices these before a watchdog of the usual time does
    line="launch/run: host h1 was lost with ranks 2, 3, $at" seconds=60
    ;;
  stopped_rank) line="lockstep: rank [23] on h1, $at, has stopped or cannot be reached: $nothing_moved" ;;
  stopped_near_rank) line="lockstep: rank [01] on h0, $at, has stopped or cannot be reached: $nothing_moved" ;;
  stopped_ranks) line="launch/run: rank 0 on h0, $at, and the others have shown no sign of life for [0-9]+ s" ;;
  stopped_host) line="lockstep: ranks 2, 3 on h1, $at, have stopped or cannot be reached: $nothing_moved" ;;
  cut_data_network) # which of the two hosts is cut off, nobody there can know
    line="lockstep: ranks (2, 3 on h1, $at, cannot be reached at 10.20.0.2|0, 1 on h0, $at, cannot be reached at 10.20.0.1)"
    line+=": $nothing_moved"
    ;;
  *) echo "there is no fault '$fault'" && exit 2 ;;
esac

suffer "$fault" "$seconds"
tried="$fault, $took s"
refused 5 "^$line$"
check "nothing else is said" test -z "$out"
check "it ends in time, with 5 s more on a busy machine" test "${took%.*}" -lt 15
check "nothing is left running: $left" test -z "$left"
finish
