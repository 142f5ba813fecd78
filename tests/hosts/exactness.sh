#!/usr/bin/env bash
# The same weights from one process and from ranks on several hosts, also over slow cables.
#
# Usage: exactness.sh REPOSITORY LOCKSTEP
set -euo pipefail
repo=$1 program=$2
[[ -n ${HOSTS-} ]] || exec "$repo/tests/hosts/world" 4 "$0" "$@"
source "$repo/tests/hosts/jobs.bash"

# trained RANKS HOSTS WORD...: the hash of the weights after a training run there.
trained() {
  rm -rf "$work/out"
  try lockstep "$@" --set train.epochs=3
  check "the exit code is 0" test "$code" = 0
  check "nothing is said" test -z "$err"
  hash=$(summary weights_hash)
}

trained 1 h0:1
alone=$hash
check "there is a hash" test "${#alone}" = 16
for layout in "2 h0:1,h1:1" "4 h0:2,h1:2" "4 h0:1,h1:1,h2:1,h3:1" "3 h0:1,h2:2"; do
  # shellcheck disable=SC2086 # words
  trained $layout
  check "$layout has the weights of one process, $alone, not $hash" test "$hash" = "$alone"
done

trained 4 h0:2,h1:2 --set reduce.bucket_bytes=256
check "many small sums during backward: the weights of one process, $alone, not $hash" test "$hash" = "$alone"

sent() { on h1 sed -nE 's/^ *data: *([0-9]+ +){8}([0-9]+).*/\2/p' /proc/net/dev; }
for host in h0 h1 h2 h3; do limit_rate "$host" 20mbit; done
before=$(sent)
trained 4 h0:1,h1:1,h2:1,h3:1
check "slow cables: the weights of one process, $alone, not $hash" test "$hash" = "$alone"
check "the ranks' sums go over the data network" test $(($(sent) - before)) -gt 100000
finish
