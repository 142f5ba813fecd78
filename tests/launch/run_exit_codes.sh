#!/usr/bin/env bash
# launch/run under mpirun: what the ranks end with comes through, in one line.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"
export LOCKSTEP=$work/lockstep

stand_in "$LOCKSTEP" <<'END'
echo "$OMP_NUM_THREADS threads: $*"
END
try "$repo/launch/run" --allow-run-as-root -np 3 c.toml --set seed=1
check "three ranks ran" test "$out" = "$(printf '1 threads: train c.toml --set seed=1\n%.0s' 1 2 3)"

for end in 2 3 4 5; do
  # As in the program rank 0 has spoken before another one ends.
  stand_in "$LOCKSTEP" <<<"((OMPI_COMM_WORLD_RANK)) && sleep 0.5 || echo 'lockstep: no' >&2; exit $end"
  try "$repo/launch/run" --allow-run-as-root -np 2 --force c.toml
  refused "$end" "^lockstep: no$"
done

# What a rank says of itself alone, or of others, is said once; Open MPI, if it knows more, says it instead.
for end in 3 5; do
  stand_in "$LOCKSTEP" <<<"echo \"lockstep: rank \$OMPI_COMM_WORLD_RANK: no\" >&2; exit $end"
  try "$repo/launch/run" --allow-run-as-root -np 2 --force c.toml
  refused "$end" "^lockstep: rank [01]: no$"
done
stand_in "$LOCKSTEP" <<<'echo "lockstep: rank $OMPI_COMM_WORLD_RANK: no" >&2; sleep 1; ((OMPI_COMM_WORLD_RANK)) || kill -9 $$; sleep 20'
try "$repo/launch/run" --allow-run-as-root -np 2 --force c.toml
refused 5 "^launch/run: rank 0 was ended by SIGKILL$"

stand_in "$LOCKSTEP" <<<'((OMPI_COMM_WORLD_RANK)) || { sleep 1 && kill -9 $$; }; sleep 20'
try "$repo/launch/run" --allow-run-as-root -np 2 --force c.toml
refused 5 "^launch/run: rank 0 was ended by SIGKILL$"

# What Open MPI's TCP transport says of a rank that has gone is shown with --verbose alone.
stand_in "$LOCKSTEP" <<<'echo "[h0][[48642,1],0][../btl_tcp_frag.c:135:send] writev failed: Broken pipe (32)" >&2
  echo "lockstep: no" >&2; exit 3'
try "$repo/launch/run" --allow-run-as-root -np 1 c.toml
refused 3 "^lockstep: no$"
try "$repo/launch/run" --allow-run-as-root --verbose -np 1 c.toml
check "it is shown" grep -q "writev failed" <<<"$err"

stand_in "$LOCKSTEP" <<<'exit 42'
try "$repo/launch/run" --allow-run-as-root -np 1 c.toml
refused 5 "code 42.*--verbose shows"

finish
