#!/usr/bin/env bash
# Hosts whose processors differ train together, each with kernels of its own: the weights are those of one process.
#
# Usage: mixed.sh REPOSITORY LOCKSTEP
set -euo pipefail
repo=$1 program=$2
[[ -n ${HOSTS-} ]] || exec "$repo/tests/hosts/world" 3 "$0" "$@"
source "$repo/tests/hosts/jobs.bash"

# h1 and h2 have kernels of their own, as with other processors; h0 has the best.
kinds=$("$program" --version | sed -n 's/^kernel_sets  *//p')
read -ra names <<<"${kinds//,/}"
check "this processor has more than one kind of kernels: $kinds" test "${#names[@]}" -ge 2
echo "LOCKSTEP_KERNELS=${names[1]}" >"$HOSTS/h1.environment"
echo "LOCKSTEP_KERNELS=portable" >"$HOSTS/h2.environment"

# trained RANKS HOSTS: the hash of the weights after a training run there, and the kernels of its ranks.
trained() {
  rm -rf "$work/out"
  try lockstep "$@" --set train.epochs=3
  check "the exit code is 0" test "$code" = 0
  check "nothing is said" test -z "$err"
  hash=$(summary weights_hash)
  kernels=$(sed -n 's/^    "kernels": "\([^"]*\)"$/\1/p' "$work/out/summary.json" | tail -n 1)
}

trained 1 h0:1
alone=$hash
check "there is a hash" test "${#alone}" = 16
trained 2 h0:1,h1:1
check "h0 has ${names[0]}, h1 ${names[1]}, not $kernels" test "$kernels" = "${names[0]}, ${names[1]}"
check "two kinds of kernels: the weights of one process, $alone, not $hash" test "$hash" = "$alone"
trained 4 h0:1,h1:2,h2:1
check "three kinds, not $kernels" test "$kernels" = "${names[0]}, ${names[1]}, ${names[1]}, portable"
check "three kinds of kernels: the weights of one process, $alone, not $hash" test "$hash" = "$alone"
finish
