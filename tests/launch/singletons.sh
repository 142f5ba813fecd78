#!/usr/bin/env bash
# A program that srun or another MPI's mpirun started several times, each of which MPI takes for a job of its own, is refused by
# one line. One process, an allocation without a step, and --help are not.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"

started() { try env "$@" "$build/lockstep" "${words[@]}"; }

words=(configs)
for rank in 0 1; do
  started SLURM_STEP_NUM_TASKS=4 "SLURM_PROCID=$rank"
  refused 2 "^lockstep: srun started 4 processes, of which MPI knows 1, .*: expected srun --mpi=pmix lockstep, or launch/run$"
done
started PMI_SIZE=3 PMI_RANK=0
refused 2 "^lockstep: mpirun started 3 processes, of which MPI knows 1, .*: expected the mpirun of Open MPI [0-9.]+, or launch/run$"
check "nothing was done" test -z "$out"

# shellcheck disable=SC2016 # for the inner shell
try bash -c 'for rank in 0 1 2; do SLURM_STEP_NUM_TASKS=3 SLURM_PROCID=$rank "$0" configs & done; wait' "$build/lockstep"
check "of three one speaks: $err" test "$(grep -c . <<<"$err")" = 1

started SLURM_STEP_NUM_TASKS=1 SLURM_PROCID=0
succeeded
started SLURM_NTASKS=4 SLURM_JOB_ID=7
succeeded
words=(--help)
started SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=1
succeeded
try env "LOCKSTEP=$build/lockstep" SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=1 "$repo/launch/run" --allow-run-as-root -np 1 configs # in a step of srun's, as daemons are
succeeded
finish
