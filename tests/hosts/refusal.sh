#!/usr/bin/env bash
# Where the machine does not permit a world of hosts, that is said, loudly, and nothing counts as tested.
#
# Usage: refusal.sh REPOSITORY LOCKSTEP
set -euo pipefail
source "$1/tests/launch/check.bash" "$1"
program=$2

bin=$work/bin
mkdir "$bin"
for tool in bash env dirname nsenter setsid ip tc; do ln -s "$(command -v "$tool")" "$bin/"; done

try env PATH="$bin" "$repo/tests/hosts/world" 2 true
refused 77 "^NO HOSTS ON THIS MACHINE: unshare is not installed .*; whatever needs several hosts is NOT TESTED here$"

stand_in "$bin/unshare" <<'OUT'
echo "unshare: unshare failed: Operation not permitted" >&2
exit 1
OUT
try env PATH="$bin" "$repo/tests/hosts/world" 2 true
refused 77 "^NO HOSTS ON THIS MACHINE: namespaces are not permitted \(unshare failed: Operation not permitted\); .*NOT TESTED"
for test in "exactness" "retries" "faults killed_rank"; do
  read -r test argument <<<"$test"
  try env PATH="$bin:$PATH" "$repo/tests/hosts/$test.sh" "$repo" "$program" $argument
  refused 77 "^NO HOSTS ON THIS MACHINE: "
done

# By the kernel itself: a user namespace that may not have any network.
if unshare --user --map-root-user true 2>/dev/null; then
  try unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$0" 2 true' \
    "$repo/tests/hosts/world"
  refused 77 "^NO HOSTS ON THIS MACHINE: namespaces are not permitted \(.*No space left on device\)"
fi
finish
