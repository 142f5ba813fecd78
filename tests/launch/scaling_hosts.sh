#!/usr/bin/env bash
# launch/scaling on several hosts and in allocations: which points are oversubscribed, and what launch/run is asked for.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"
scripts copy
export LOCKSTEP=$work/lockstep PATH=$work/bin:$PATH
stand_in "$LOCKSTEP" <<<'exit 0'
echo 'seed = 1' >c.toml

# Instead of launch/run: notes its words, and fails, which ends the study.
stand_in copy/launch/run <<'END'
echo "$*" >>asked
echo "enough" >&2
exit 5
END
# asks "POINT" "WORDS" OPTIONS...: of a point RANKS,THREADS, launch/run is asked for these words before CONFIG.
asks() {
  rm -rf asked out
  try copy/launch/scaling c.toml --ranks "${1%,*}" --threads "${1#*,}" --out out "${@:3}"
  check "one run is tried" test "$code" = 5
  check "launch/run is asked for '$2'" grep -q -- "^-np ${1%,*} --threads ${1#*,} ${2:+$2 }c.toml " asked
}

printf '%s\n' '# the cluster' 'a slots=2' '' 'b slots=4 max_slots=9' >hosts
asks 6,1 "--bind core --host a:2,b:4" --hostfile hosts
asks 7,1 "--force --host a:2,b:4" --hostfile hosts
asks 3,2 "--bind core --host a:1,b:2" --hostfile hosts
asks 4,2 "--force --host a:2,b:4" --hostfile hosts
asks 1,3 "--bind core --host b:1" --hostfile hosts
asks 2,1 "--mpi --mca btl tcp --bind none --host a:2,b:4" --hostfile hosts --bind none --mpi "--mca btl tcp"
asks 3,1 "--bind core --host x:1,y:2" --host x,y:2
asks 4,1 "--force --host x:1,y:2" --host x,y:2

# One machine: launch/run itself binds.
machine copy 4 4 4
asks 4,1 ""
asks 2,2 ""
asks 2,2 "--bind none" --bind none
asks 3,2 "--force"
asks 5,1 "--force"

# In Slurm's allocations a slot has the cores of a task.
stand_in bin/scontrol <<<'[[ "$*" == "show hostnames n[1-3]" ]] && printf "%s\n" n1 n2 n3'
export SLURM_JOB_NODELIST='n[1-3]' SLURM_TASKS_PER_NODE='2(x2),1' SLURM_CPUS_PER_TASK=2
asks 5,1 "--bind core --host n1:2,n2:2,n3:1"
asks 5,2 "--bind core --host n1:2,n2:2,n3:1"
asks 6,2 "--force --host n1:2,n2:2,n3:1"
asks 2,4 "--bind core --host n1:1,n2:1"
asks 3,4 "--force --host n1:2,n2:2,n3:1"
SLURM_JOB_NODELIST='m[1-3]' try copy/launch/scaling c.toml --ranks 1 --out out
refused 2 "scontrol does not tell the hosts of SLURM_JOB_NODELIST, 'm\[1-3\]'"
SLURM_TASKS_PER_NODE=many try copy/launch/scaling c.toml --ranks 1 --out out
refused 2 "SLURM_TASKS_PER_NODE is 'many', expected as in 2"
unset "${!SLURM_@}"

# Others list a host once for each slot.
printf '%s\n' a a b b >nodes
PBS_NODEFILE=nodes asks 4,1 "--bind core --host a:2,b:2"
LSB_DJOB_HOSTFILE=nodes asks 3,2 "--force --host a:2,b:2"
finish
