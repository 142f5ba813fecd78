#!/usr/bin/env bash
# launch/run --retries goes on after a rank or a host was lost, on the hosts that are left, and the run is the same run.
#
# Usage: retries.sh REPOSITORY LOCKSTEP
set -euo pipefail
repo=$1 program=$2
[[ -n ${HOSTS-} ]] || exec "$repo/tests/hosts/world" 2 "$0" "$@"
source "$repo/tests/hosts/jobs.bash"
source "$repo/tests/hosts/faults.bash"

training=(--set train.epochs=120 --set checkpoint.every_epochs=5)

try lockstep 1 h0:1 "${training[@]}"
succeeded
undisturbed=$(summary weights_hash)
check "there is a hash" test "${#undisturbed}" = 16

at="at step [0-9]+ in [a-z -]+"
again="going on from the newest checkpoint in 1 s \(retry 1 of 2\)"
launch=(--retries 2)
for fault in killed_rank killed_host; do
  rm -rf "$work/out"
  limit_rate h0 2mbit # not to be done before the fault
  begin 4 h0:2,h1:2 "${training[@]}"
  until compgen -G "$work/out/checkpoints/step-*.safetensors" >/dev/null; do sleep 0.1; done
  "$fault"
  limit_rate h0 1gbit
  wait_for_end 120
  tried="$fault, $took s"
  succeeded
  case $fault in
    killed_rank) ranks=4 lines=1 notes="launch/run: note: ($(of_a_rank "rank [23] on h1, $at, was ended by SIGKILL")); $again" ;;
    killed_host)
      ranks=2 lines=2 notes="launch/run: note: host h1 was lost with ranks 2, 3, $at; $again"
      notes+=$'\n'"launch/run: note: h1 does not answer: going on with h0:2"
      ;;
  esac
  check "it says what it does" test "$(grep -cEx "${notes//$'\n'/|}" "$work/stderr") $(wc -l <"$work/stderr")" = "$lines $lines"
  check "$ranks ranks are left" test "$(summary ranks)" = "$ranks"
  check "the weights are those of the undisturbed run" test "$(summary weights_hash)" = "$undisturbed"
done
finish
