#!/usr/bin/env bash
# launch/quickstart: the data it takes, and what it says when that is not CIFAR-10. The other scripts are stand-ins.
# shellcheck disable=SC2016 # stand-ins expand for themselves
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"

copy=$work/copy
scripts "$copy"
for script in install-deps build; do stand_in "$copy/launch/$script" <<<"echo $script"; done
stand_in "$copy/launch/get-cifar10" <<<'echo get-cifar10; exit ${GET-0}'
stand_in "$copy/launch/run" <<<'echo "run $*"; [[ $3 != selftest ]] || exit ${SELFTEST-0}; exit ${RUN-0}'
machine "$copy" 4 4 4
cd "$work"
quickstart=$copy/launch/quickstart
trains() { check "it trains $1" grep -qx -- "run -np $1" <<<"$out"; }

try "$quickstart" --set train.epochs=1
succeeded "^install-deps.build.get-cifar10"
config=configs/cifar10_dense100.toml
trains "4 $config --set data.dir=$copy/data/cifar-10-batches-bin --out runs/quickstart --overwrite --set train.epochs=1"
check "it says what is next" grep -q "launch/plot runs/quickstart" <<<"$out"
check "it compares the machine with the published weights" grep -q "^run -np 4 selftest spiral" <<<"$out"
check "nothing is wrong" test -z "$err"

try env SELFTEST=1 "$quickstart"
succeeded "launch/plot runs/quickstart"
check "other weights than the published ones are said" grep -q "does not give the published weights" <<<"$err"

mkdir -p "$copy/runs/quickstart" && touch "$copy/runs/quickstart/summary.json"
try env GET=3 "$quickstart"
check "it says that an earlier run goes" grep -q "runs/quickstart holds an earlier run" <<<"$out"
succeeded
trains "4 $config --set data.dataset=synthetic --out runs/quickstart --overwrite"
check "that is said loudly" grep -q "Training on a SYNTHETIC set" <<<"$err"

mkdir mine
truncate -s 30730000 mine/{data_batch_{1..5},test_batch}.bin
echo airplane >mine/batches.meta.txt
try env CIFAR10_DIR=mine "$quickstart"
succeeded
trains "4 $config --set data.dir=$work/mine --out runs/quickstart --overwrite"
check "then nothing is downloaded" test "${out/get-cifar10/}" = "$out"

rm mine/data_batch_2.bin
try env CIFAR10_DIR=mine "$quickstart"
refused 3 "^launch/quickstart: CIFAR10_DIR=mine: data_batch_2.bin has no bytes, expected 30730000"
check "then nothing is done" test -z "$out"

try env RUN=4 "$quickstart"
check "the exit code is that of launch/run" test "$code" = 4
check "then nothing is next" test "${out/next/}" = "$out"

machine "$copy" 1 1 1
try "$quickstart"
trains "2 configs/.*"
machine "$copy" 64 64 64
try "$quickstart"
trains "8 configs/.*"

finish
