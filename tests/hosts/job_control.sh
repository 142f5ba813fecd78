#!/usr/bin/env bash
# A job that is stopped, as by Ctrl-Z, stops on every host, for longer than a watchdog waits, and goes on.
#
# Usage: job_control.sh REPOSITORY LOCKSTEP
set -euo pipefail
repo=$1 program=$2
[[ -n ${HOSTS-} ]] || exec "$repo/tests/hosts/world" 2 "$0" "$@"
source "$repo/tests/hosts/jobs.bash"
source "$repo/tests/hosts/faults.bash"

# ranks_are STATES: the ranks of all hosts are in one of these states of /proc/PID/stat, within 20 s.
ranks_are() {
  local i states
  for ((i = 0; i < 200; ++i)); do
    states=$({ processes h0 lockstep && processes h1 lockstep; } | xargs -I{} cut -d ' ' -f 3 /proc/{}/stat | tr -d '\n')
    [[ ! $states =~ ^[$1]{4}$ ]] || return 0
    sleep 0.1
  done
  return 1
}
step() { read -r _ step _ <"$work/out/.heartbeat/rank-0" && echo "$step"; }

begin 4 h0:2,h1:2 --set train.epochs=1000000 --set checkpoint.every_epochs=1000 --set run.watchdog_seconds=10
script=$(one h0 python3)
kill -TSTP "$script"
check "all ranks stop" ranks_are T
stopped=$(step)
sleep 15
check "they are still there" ranks_are T
kill -CONT "$script"
check "all go on" ranks_are RSD
for ((i = 0; i < 200 && $(step) <= stopped + 20; ++i)); do sleep 0.1; done
check "they train" test "$(step)" -gt $((stopped + 20))
kill -TERM "$script"
wait_for_end 60
check "it ends as it was asked to" test "$code" = 143
check "nothing is said: $err" test -z "$err"
finish
