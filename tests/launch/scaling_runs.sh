#!/usr/bin/env bash
# launch/scaling: what it asks of the runs, what it refuses, runs that fail, and studies that are interrupted and go on.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"
scripts copy
machine copy 4 8 8 # nothing is bound
export LOCKSTEP=$work/lockstep

# The program: notes its words, and behaves as `behave` says. Its counted epochs take 1, 3 and 2 s.
stand_in "$LOCKSTEP" <<'END'
[[ $OMPI_COMM_WORLD_RANK == 0 ]] || exec sleep 0.1
echo "$OMPI_COMM_WORLD_SIZE $OMP_NUM_THREADS $*" >>words
while (($#)); do [[ $1 != --out ]] || out=$2; shift; done
[[ ! -e behave ]] || source ./behave
mkdir -p "$out"
row='epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,samples_per_second'
echo "$row,rescaled_steps,compute_seconds,wait_seconds,transfer_seconds" >"$out/metrics.csv"
e=0
for seconds in 9 1 3 2; do echo "$((e += 1)),0,0,0,0,0,$seconds,0,0,$seconds.25,$seconds.5,$seconds.75" >>"$out/metrics.csv"; done
places=$(for ((r = 1; r <= OMPI_COMM_WORLD_SIZE; ++r)); do printf '%s"n%d: 0"' "${comma-}" $((r % 2)) && comma=,; done)
cat >"$out/summary.json" <<JSON
{"weights_hash": "00000000000000aa", "train_samples": 500, "placement": [$places], "config": {"reduce": {"mode": "exact"}},
 "provenance": {"version": "1", "compiler": "c", "blis_version": "b", "kernel_family": "some", "kernel_choice": "k", "mpi": "m"}}
JSON
END
cat >c.toml <<'END'
[data]
shards = 4
[train]
batch_size = 32
END
scaling() { try copy/launch/scaling "$@"; }

# What runs are asked for, and what is made of their epochs.
scaling c.toml --ranks 1,2 --threads 2 --repeats 1 --set seed=7 --set train.batch_size=16 --out out
succeeded
for words in "1 2 train c.toml --quiet --overwrite --out out/.run --set seed=7" "2 2 train c.toml --quiet"; do
  check "there is a run '$words'" grep -q -- "^$words" words
done
for setting in train.epochs=4 train.batch_size=16 compute.threads=2 data.test_samples=100 checkpoint.every_epochs=0 log.steps=false; do
  check "both have $setting last" test "$(grep -c -- "--set ${setting%=*}=[^ ]* .*--set $setting\|^[^=]*seed=7.*--set $setting" words)" = 2
done
check "the median of the counted epochs is the run's" grep -q '^2,2,2,1,0,16,500,2,250,2.25,2.5,2.75,00000000000000aa,n1: 0; n0: 0$' out/runs.csv

# The same study goes on, with more points and repeats; another one does not.
rm words
scaling c.toml --ranks 1,2 --threads 2 --repeats 2 --set seed=7 --set train.batch_size=16 --out out
succeeded
check "two runs are made" test "$(cut -d ' ' -f1 words | tr '\n' ' ')" = "2 1 "
check "four are there" test "$(wc -l <out/runs.csv)" = 5
scaling c.toml --ranks 1,2 --threads 2 --repeats 2 --set seed=8 --out out
refused 2 "out has the runs of another study, of another --set: expected --fresh, which begins anew, or another --out"
echo "# changed" >>c.toml
scaling c.toml --ranks 1,2 --threads 2 --repeats 2 --set seed=7 --set train.batch_size=16 --out out
refused 2 "out has the runs of another study, of another configuration"
rm words
scaling c.toml --ranks 1 --repeats 1 --fresh --out out
succeeded
check "--fresh forgets the others" test "$(wc -l <out/runs.csv)" = 2
check "by default all is in results/scaling" test ! -e copy/results
scaling c.toml --ranks 1 --repeats 1
succeeded
scaling c.toml --ranks 1 --repeats 1 --weak
succeeded
check "a name has -weak where it is weak" test "$(echo copy/results/scaling/*/runs.csv)" = \
  "copy/results/scaling/c-weak/runs.csv copy/results/scaling/c/runs.csv"

# A run that fails is named, with its own line; the runs before it stay.
fails() { echo "((OMPI_COMM_WORLD_SIZE == 1)) || { $1; }" >behave; }
fails 'echo "lockstep: data.dir is wrong" >&2; exit 3'
scaling c.toml --ranks 1,2 --repeats 2 --fresh --out out
check "the exit code is the run's, 3" test "$code" = 3
check "its line is ours" test "$(tail -n 1 <<<"$err")" = "launch/scaling: 2 ranks x 1 thread, repeat 1: lockstep: data.dir is wrong"
check "the run before it is kept" test "$(wc -l <out/runs.csv)" = 2
fails 'kill -KILL $$'
scaling c.toml --ranks 1,2 --repeats 2 --out out
check "a lost rank is exit code 5" test "$code" = 5
check "launch/run tells what ended it" grep -Eq 'scaling: 2 ranks x 1 thread, repeat 1: launch/run: (rank 0|a rank or mpirun) was ended by SIGKILL' \
  <<<"$err"

# Interruption: the run under way is asked to end, those before it stay, and the same command goes on.
cat >behave <<'END'
if ((OMPI_COMM_WORLD_SIZE == 2)); then
  trap 'touch asked; exit 143' USR1
  touch waiting
  while :; do sleep 0.1; done
fi
END
for case in "INT 130" "TERM 143" "USR1 143"; do
  read -r signal expected <<<"$case"
  rm -f waiting asked
  # shellcheck disable=SC2016 # that the inner shell expands
  try bash -c 'set -m; "$@" & job=$!
    until [[ -e waiting ]]; do sleep 0.1; done
    kill -"$0" -- -$job; wait $job' "$signal" copy/launch/scaling c.toml --ranks 1,2 --repeats 1 --fresh --out out
  check "after $signal the exit code is $expected" test "$code" = "$expected"
  check "the run was asked to end" test -e asked
  check "it is said" grep -q "launch/scaling: interrupted: runs.csv has 1 run, the same command goes on" <<<"$err"
  check "runs.csv has the finished run" test "$(cut -d, -f1,4 out/runs.csv | tail -n +2)" = 1,1
  check "there is no report yet" test ! -e out/report.md
  check "what the run left is gone" test ! -e out/.run
done
rm behave words
scaling c.toml --ranks 1,2 --repeats 1 --out out
succeeded
check "only the missing run is made" test "$(cut -d ' ' -f1 words)" = 2

# What is wrong beforehand is refused before any run.
rm words
scaling c.toml --ranks 1,6
refused 2 "--ranks has 6, but data.shards is 4: expected 4 ranks at most, or --set data.shards=6 and a train.batch_size"
scaling c.toml --ranks 3,4 --weak
refused 2 "--weak: 4 ranks would have a batch of 32 x 4 / 3, expected a multiple of data.shards, which is 4"
scaling c.toml --ranks 1 --set train.epochs=9
refused 2 "--set train.epochs: a study sets it, expected --epochs"
scaling c.toml --ranks 1 --set log.steps=true
refused 2 "--set log.steps: a study sets it to false"
scaling --ranks 1
refused 2 "no CONFIG, expected the file of a training run"
scaling c.toml
refused 2 "no --ranks, expected numbers of ranks"
scaling c.toml --ranks 1,two
refused 2 "argument --ranks: '1,two', expected whole numbers as in 1,2,4"
scaling c.toml --ranks 1 --repeats 0
refused 2 "argument --repeats: '0', expected a whole number"
scaling c.toml --ranks 1 --what
refused 2 "unrecognized arguments: --what, see launch/scaling --help"
scaling nowhere.toml --ranks 1
refused 2 "nowhere.toml: cannot be read: No such file"
scaling check.toml --ranks 1 --only-report out
refused 2 "--only-report DIR goes with nothing else"
echo "node1 max_slots=2" >hosts
scaling c.toml --ranks 1 --hostfile hosts
refused 2 "--hostfile hosts: node1 has no slots, expected lines of 'HOST slots=N'"
scaling c.toml --ranks 1 --hostfile nowhere
refused 2 "--hostfile nowhere: no such file"
scaling c.toml --ranks 1 --host a:x
refused 2 "--host is 'a:x', expected HOST:SLOTS"
try env LOCKSTEP=nowhere/lockstep copy/launch/scaling c.toml --ranks 1
refused 2 "nowhere/lockstep is not a program; build it with launch/build"
scaling --help
succeeded "^Measures how training scales.*--only-report DIR"
check "nothing was run" test ! -e words
finish
