#!/usr/bin/env bash
# launch/slurm.sbatch with stand-ins for Slurm: what it starts, and what becomes of a job ahead of its time limit.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"
scripts copy
export LOCKSTEP=$work/lockstep PATH=$work/bin:$PATH
stand_in "$LOCKSTEP" <<<'exit 0'
stand_in copy/launch/run <<<'echo "run $*" >>called; source ./behave'
stand_in copy/launch/scaling <<<'echo "scaling $*" >>called; source ./behave'
# shellcheck disable=SC2016 # that the stand-in expands
stand_in bin/srun <<<'echo "srun $OMP_NUM_THREADS $*" >>called; source ./behave'
stand_in bin/scontrol <<<'echo "scontrol $*" >>called'

# job "BEHAVIOUR" WORD...: the script as sbatch starts it, a copy elsewhere.
job() {
  rm -f called
  echo "$1" >behave
  cp copy/launch/slurm.sbatch slurm_script
  try env SLURM_SUBMIT_DIR="$work/copy" SLURM_JOB_ID=12 "${variables[@]}" bash slurm_script "${@:2}"
}
# called LINE...: these were called, one after the other.
called() { check "these are called: $*" diff <(printf '%s\n' "$@") called; }

variables=()
srun="--mpi=pmix --kill-on-bad-exit=1"
job 'exit 0' c.toml --set seed=1
succeeded
called "srun 1 $srun --cpus-per-task=1 $LOCKSTEP train c.toml --set seed=1"
job 'exit 0' --mpirun c.toml --set seed=1
called "run train c.toml --set seed=1"
job 'exit 0' scaling c.toml --ranks 1
called "scaling c.toml --ranks 1"
variables=(SLURM_CPUS_PER_TASK=3)
job 'exit 0' c.toml
called "srun 3 $srun --cpus-per-task=3 $LOCKSTEP train c.toml"
for code_of_run in 2 137 143; do
  job "exit $code_of_run" c.toml
  check "the exit code is the run's" test "$code" = "$code_of_run"
  check "without a signal nothing is queued" test "$(wc -l <called)" = 1
done

# Ahead of the time limit Slurm sends USR1 to the script alone.
ends_with() { echo "trap 'sleep 0.3; exit $1' USR1; kill -USR1 \$PPID; while :; do sleep 0.1; done"; }
for kind in srun run scaling; do
  words=(c.toml)
  [[ $kind != run ]] || words=(--mpirun c.toml)
  [[ $kind != scaling ]] || words=(scaling c.toml)
  job "$(ends_with 143)" "${words[@]}"
  check "$kind is asked to end, and waited for" test "$code" = 143
  check "then the job is queued again" test "$(tail -n 1 called)" = "scontrol requeue 12"
done
job "$(ends_with 0)" c.toml
succeeded
check "what is done is not queued again" test "$(wc -l <called)" = 1
job "$(ends_with 5)" c.toml
check "a lost rank is exit code 5" test "$code" = 5
check "nor is what has failed" test "$(wc -l <called)" = 1

# A job that is started again goes on from its newest checkpoint, or begins anew.
variables=(SLURM_RESTART_COUNT=1)
job 'exit 0' configs/c.toml
called "srun 1 $srun --cpus-per-task=1 $LOCKSTEP train configs/c.toml --resume auto"
job 'exit 0' --mpirun c.toml
called "run train c.toml --resume auto"
job 'exit 0' scaling c.toml --ranks 1
called "scaling c.toml --ranks 1"

variables=()
job 'exit 0'
refused 2 "launch/slurm.sbatch: no CONFIG, expected the file of a training run"
variables=(SLURM_JOB_ID=)
job 'exit 0' c.toml
refused 2 "launch/slurm.sbatch: not in a Slurm job; expected sbatch launch/slurm.sbatch"
variables=(SLURM_SUBMIT_DIR=/nowhere)
job 'exit 0' c.toml
refused 2 "launch/slurm.sbatch: /nowhere is not Lockstep's repository; call sbatch there, or set LOCKSTEP_REPOSITORY"
variables=(SLURM_SUBMIT_DIR=/nowhere LOCKSTEP_REPOSITORY="$work/copy")
job 'exit 0' c.toml
succeeded
finish
