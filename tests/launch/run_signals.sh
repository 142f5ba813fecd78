#!/usr/bin/env bash
# launch/run under mpirun: interrupted ranks have the time to save their state, and none is left running.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"
export LOCKSTEP=$work/lockstep

# Every rank is asked by USR1. Saving takes longer than the 2 s that mpirun would grant.
stand_in "$LOCKSTEP" <<'END'
trap 'asked=yes' USR1
echo "pid $$"
exec 2>/dev/null
until [[ -n ${asked-} ]]; do sleep 0.1; done
trap '' USR1
sleep "$SAVING"
touch "saved.$OMPI_COMM_WORLD_RANK"
exit 143
END
# start: launch/run in a process group of its own; returns when both ranks run.
start() {
  local i
  : >pids
  set -m
  "$repo/launch/run" --allow-run-as-root -np 2 --force c.toml >pids 2>said &
  set +m
  for ((i = 0; i < 300; i++)); do
    [[ $(grep -c pid pids) != 2 ]] || break
    sleep 0.1
  done
}
for case in "TERM 143 2.5" "INT 130 0"; do
  read -r signal expected SAVING <<<"$case"
  export SAVING
  rm -f saved.*
  start
  kill -"$signal" $! # as timeout sends it: to the process, then to its group
  kill -"$signal" -- -$! 2>/dev/null || true # it may be over by then
  try wait $!
  check "after $signal the exit code is $expected" test "$code" = "$expected"
  check "every rank has saved" test "$(echo saved.*)" = "saved.0 saved.1"
  check "nothing more is said: $(<said)" test ! -s said
done

# Another signal does not wait for that. Nor do ranks go on when launch/run is killed.
some_alive() {
  local pid
  while read -r _ pid; do
    ! kill -0 "$pid" 2>/dev/null || return 0
  done <pids
  return 1
}
export SAVING=20
for signals in "TERM 2.1 TERM 0.3 TERM" KILL; do
  start
  for signal in $signals; do
    [[ $signal != [0-9]* ]] || { sleep "$signal" && continue; }
    kill -"$signal" $! 2>/dev/null || break # it may be over by then
  done
  try wait $!
  for ((i = 0; i < 50; i++)); do
    some_alive || break
    sleep 0.1
  done
  check "no rank goes on after $signals" test "$i" -lt 50
  [[ $signals == KILL ]] && continue
  check "the exit code is 143" test "$code" = 143
  check "it is said" grep -q "interrupted: the ranks ended (code 1) before training was done" said
done

finish
