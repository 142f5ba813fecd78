#!/usr/bin/env bash
# launch/run --dry-run: ranks, threads and binding that fit the machine.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"

export LOCKSTEP=$work/lockstep
stand_in "$LOCKSTEP" <<'END'
echo "$OMP_NUM_THREADS threads: $*"
END

# on "CPUS ONLINE PHYSICAL [QUOTA]" ARGUMENTS...: launch/run --dry-run on such a machine.
on() {
  rm -rf "$work/copy" && scripts "$work/copy"
  # shellcheck disable=SC2086 # words
  machine "$work/copy" $1
  try "$work/copy/launch/run" --dry-run "${@:2}"
}
# settles NP "OTHERS": the command has that many ranks and those words in a row.
settles() {
  succeeded "^mpirun.* -np $1 .*$2"
  [[ $out != *$'\n'* ]] || failed "it is one line"
}

bound() { echo "--map-by slot:PE=$1 --bind-to core -x OMP_NUM_THREADS=$1 $LOCKSTEP train c.toml"; }
free="--map-by slot:OVERSUBSCRIBE --bind-to none"

# Every thread has a core.
on "4 4 4" c.toml && settles 4 "$(bound 1)"
on "4 4 4" -np 2 c.toml && settles 2 "$(bound 2)"
on "4 4 4" -np 3 c.toml && settles 3 "$(bound 1)"
on "4 4 4" --threads 4 c.toml && settles 1 "$(bound 4)"
on "4 4 4" --threads=2 -np 1 c.toml && settles 1 "$(bound 2)"
on "64 64 64" c.toml && settles 8 "$(bound 8)"
on "8 8 4" c.toml && settles 4 "$(bound 1)"
check "there is nothing to remark on" test -z "$err"

# Part of a machine: nothing is bound.
on "2 4 4" c.toml && settles 2 "$free -x OMP_NUM_THREADS=1 "
on "4 4 4 2" c.toml && settles 2 "$free -x OMP_NUM_THREADS=1 "
on "4 4 4 2" -np 1 c.toml && settles 1 "$free -x OMP_NUM_THREADS=2 "
check "there is nothing to remark on" test -z "$err"

# More ranks than cores: they yield. More threads than cores is refused.
crowd="$free --mca mpi_yield_when_idle 1 -x OMP_NUM_THREADS"
on "2 2 2" -np 5 c.toml && settles 5 "$crowd=1 -x OMP_WAIT_POLICY=passive "
check "that is remarked on" test "$err" = "launch/run: note: 5 ranks on 2 cores: they take turns"
on "4 4 4" -np 2 --threads 3 c.toml
refused 2 "--threads 3 with -np 2 needs 6 cores, found 4: expected --threads 2 at most, or --force"
on "2 2 2" -np 4 --threads 2 c.toml
refused 2 "--threads 2 with -np 4 needs 8 cores, found 2: expected --threads 1 at most, or --force"
on "4 4 4" -np 2 --threads 3 --force c.toml && settles 2 "$crowd=3 -x OMP_WAIT_POLICY=passive "

# Hosts: their slots are what counts.
echo "here slots=9" >hosts
on "2 2 2" --hostfile hosts -np 9 c.toml && settles 9 "--hostfile hosts .*--bind-to none -x OMP_NUM_THREADS=1 "
on "2 2 2" --host a:2,b:2 --threads 8 c.toml
succeeded "--host a:2,b:2 .*oob_tcp_keepalive_time.*-x OMP_NUM_THREADS=8"
check "hosts say how many ranks" test "${out/ -np /}" = "$out"
SLURM_JOB_NODELIST='a,b' on "2 2 2" -np 9 c.toml && settles 9 "--bind-to none -x OMP_NUM_THREADS=1 "

# In a Slurm allocation a rank has the cores of a task; on other hosts not.
SLURM_JOB_NODELIST='a,b' SLURM_CPUS_PER_TASK=4 on "2 2 2" -np 9 c.toml && settles 9 "-x OMP_NUM_THREADS=4 "
SLURM_JOB_NODELIST='a,b' SLURM_CPUS_PER_TASK=4 on "2 2 2" -np 9 --threads 3 c.toml && settles 9 "-x OMP_NUM_THREADS=3 "
SLURM_JOB_NODELIST='a,b' SLURM_CPUS_PER_TASK=4 on "2 2 2" -np 9 --host a:9 c.toml && settles 9 "-x OMP_NUM_THREADS=1 "

# Binding that is asked for.
on "2 2 2" -np 2 --host a:2,b:2 --threads 3 --bind core c.toml
settles 2 "--host a:2,b:2 .*--map-by slot:PE=3 --bind-to core -x OMP_NUM_THREADS=3 "
on "2 4 4" -np 2 --bind core c.toml && settles 2 "$(bound 1)"
on "4 4 4" -np 2 --bind=none c.toml && settles 2 "$free -x OMP_NUM_THREADS=2 "
on "2 2 2" -np 3 --host a:2 --force c.toml && settles 3 "$crowd=1 -x OMP_WAIT_POLICY=passive "
for crowded in "-np 3" "-np 2 --threads 2 --force" "-np 1 --host a:2 --force"; do
  # shellcheck disable=SC2086 # words
  on "2 2 2" $crowded --bind core c.toml
  refused 2 "--bind core with more threads than cores, or --force: expected --bind none"
done
on "2 2 2" --bind socket c.toml && refused 2 "--bind is 'socket', expected core or none"

# What the user sets goes through.
BLIS_ARCH_TYPE=3 CIFAR10_DIR='a b' OMP_WAIT_POLICY=active on "1 1 1" -np 2 c.toml --set seed=1
settles 2 '-x OMP_WAIT_POLICY=active -x .CIFAR10_DIR=a b. -x BLIS_ARCH_TYPE=3 .*/lockstep train c.toml --set seed=1$'
on "2 2 2" --mpi "--bind-to socket --mca btl tcp" c.toml && settles 2 "--bind-to socket --mca btl tcp $LOCKSTEP"
check "the user's binding replaces ours" test "${out/bind-to core/}" = "$out"
on "2 2 2" eval model --x && settles 2 "/lockstep eval model --x$"
on "2 2 2" train c.toml && settles 2 "/lockstep train c.toml$"

# Nonsense.
for nonsense in "-np 0 c" "-np abc c" "-np -1 c" "-np 2.5 c" "-np 123456 c"; do
  # shellcheck disable=SC2086 # words
  on "2 2 2" $nonsense
  refused 2 "-np is '.*', expected a whole number, at least 1"
done
on "2 2 2" --threads 0 c && refused 2 "--threads is '0', expected a whole number"
on "2 2 2" -np && refused 2 "-np has no value"
on "2 2 2" -np 2 && refused 2 "no CONFIG, expected"
on "2 2 2" --wrong c && refused 2 "unknown option '--wrong' before CONFIG"
on "2 2 2" --hostfile nowhere c && refused 2 "--hostfile nowhere: no such file"
try env LOCKSTEP=nowhere/lockstep "$repo/launch/run" c
refused 2 "nowhere/lockstep is not a program; build it with launch/build"

finish
