#!/usr/bin/env bash
# launch/run under mpirun: exit codes and signals come through.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"
export LOCKSTEP=$work/lockstep

stand_in "$LOCKSTEP" <<<'echo "$OMP_NUM_THREADS threads: $*"'
try "$repo/launch/run" -np 3 --allow-run-as-root c.toml --set seed=1
check "three ranks ran" test "$out" = "$(printf '1 threads: train c.toml --set seed=1\n%.0s' 1 2 3)"

for end in 2 3 4 5; do
  stand_in "$LOCKSTEP" <<<"((OMPI_COMM_WORLD_RANK)) || echo 'lockstep: no' >&2; exit $end"
  try "$repo/launch/run" -np 2 --force c.toml
  refused "$end" "^lockstep: no$"
done

stand_in "$LOCKSTEP" <<<'((OMPI_COMM_WORLD_RANK)) || kill -9 $$; sleep 20'
try "$repo/launch/run" -np 2 --force c.toml
refused 5 "^launch/run: a rank or mpirun was ended by SIGKILL \(code 137\)"

stand_in "$LOCKSTEP" <<<'exit 42'
try "$repo/launch/run" -np 1 c.toml
refused 5 "code 42.*--verbose shows"

# Interrupted: every rank is asked by USR1, and has the time it takes to save.
stand_in "$LOCKSTEP" <<'END'
trap 'asked=yes' USR1
echo "pid $$"
exec 2>/dev/null
until [[ -n ${asked-} ]]; do sleep 0.1; done
trap '' USR1
sleep 2.5
touch "saved.$OMPI_COMM_WORLD_RANK"
exit 143
END
for signal in TERM:143 INT:130; do
  rm -f saved.*
  try timeout --preserve-status --signal "${signal%:*}" 1.5 "$repo/launch/run" -np 2 --force c.toml
  check "after ${signal%:*} the exit code is ${signal#*:}" test "$code" = "${signal#*:}"
  check "every rank has saved" test "$(echo saved.*)" = "saved.0 saved.1"
  check "nothing more is said" test -z "$err"
done

# A second signal does not wait for that. Nor do ranks go on when launch/run is killed.
for signals in "TERM TERM" KILL; do
  "$repo/launch/run" -np 2 --force c.toml >pids 2>said &
  for ((i = 0; i < 50; i++)); do
    [[ $(grep -c pid pids) != 2 ]] || break
    sleep 0.1
  done
  for signal in $signals; do
    kill -"$signal" $!
    sleep 0.5
  done
  try wait $!
  for ((i = 0; i < 50; i++)); do
    ps -p "$(awk '{ print $2 }' pids | paste -sd,)" >/dev/null || break
    sleep 0.1
  done
  check "no rank goes on after $signals" test "$i" -lt 50
  [[ $signals == KILL ]] && continue
  check "the exit code is 143" test "$code" = 143
  check "it is said" grep -q "interrupted, and the ranks ended (code 1) before their state was saved" said
done

finish
