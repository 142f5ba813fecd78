#!/usr/bin/env bash
# cmake --install: what it puts into a prefix works from there, after a move, and from any working folder.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"

try cmake --install "$build" --prefix "$work/first"
succeeded
mv first moved
for file in bin/lockstep share/doc/lockstep/{README.md,LICENSE} share/lockstep/configs/{cifar10_mlp,courses/circle}.toml; do
  check "$file is there" test -f "moved/$file"
done
check "MPI's old C++ interface is not needed" test -z "$(ldd moved/bin/lockstep | grep mpi_cxx)"
mkdir elsewhere && cd elsewhere

short=(--allow-run-as-root -np 2 --force)
set=(--set train.epochs=1 --set data.train_samples=101 --set data.test_samples=57 --set data.dataset=synthetic)
try "$work/moved/bin/lockstep-run" "${short[@]}" ../moved/share/lockstep/configs/cifar10_dense100.toml "${set[@]}"
succeeded "written to runs/cifar10_dense100$"
check "the run is where it was started" test -s runs/cifar10_dense100/model.safetensors

export PATH=$work/moved/bin:$PATH
try lockstep-run "${short[@]}" eval runs/cifar10_dense100
succeeded "^train  loss .*57\)$"
try lockstep-plot runs/cifar10_dense100
succeeded "^lockstep-plot: runs/cifar10_dense100/curves.svg and runs/cifar10_dense100/curves.png"
try lockstep-report runs/cifar10_dense100
succeeded "lockstep-report: runs/cifar10_dense100/report.html$"
check "the report has what the installed program says" grep -q "Confusion matrix of cifar10_dense100" runs/cifar10_dense100/report.html
try lockstep-verify ../moved/share/lockstep/configs/courses/circle.toml --ranks 2 --threads 1 --steps 3
succeeded "lockstep-verify: every layout gave the same weights$"
try lockstep inspect runs/cifar10_dense100
succeeded "^runs/cifar10_dense100: a run"
try lockstep configs
succeeded "moved/share/lockstep/configs/courses/circle.toml +[A-Z]"
try lockstep-run --help
succeeded "^Runs lockstep.*Usage: lockstep-run \[options\] CONFIG"
try lockstep-run --wrong c
refused 2 "^lockstep-run: unknown option '--wrong' before CONFIG, see lockstep-run --help$"
try env CIFAR10_URL=file:///nowhere lockstep-get-cifar10
refused 3 "^lockstep-get-cifar10: .*nowhere"
check "nothing is left of that" test ! -e data
check "nothing was written to the prefix" test -z "$(find ../moved -newer runs)"

finish
