#!/usr/bin/env bash
# launch/report on runs of the built program: images, points in the plane and a function, with pictures that lockstep eval
# makes for it.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
export LOCKSTEP=$build/lockstep
cd "$work"

# train NAME KEY=VALUE...: a run of a second or less.
: >empty.toml
train() {
  local words=() setting
  for setting in "${@:2}"; do words+=(--set "$setting"); done
  "$LOCKSTEP" train empty.toml --quiet --out "$1" "${words[@]}"
}
# page FILE: what was tried made it; what it says is then in $page.
page() {
  succeeded "(^|[[:space:]])launch/report: $1\$"
  page=''
  page=$("$repo/tests/launch/lockstep_launch/read_page.py" "$1" 2>"$work/.wrong") || failed "$1 is a page: $(<"$work/.wrong")"
}
says() { check "the page says '$1'" grep -qF -- "$1" <<<"$page"; }
hash_of() { sed -n 's/.*"weights_hash": "\(.*\)".*/\1/p' "$1/summary.json"; }

images=(data.dataset=synthetic data.train_samples=400 data.test_samples=150 'model.hidden=[70]' train.epochs=2)
train one_thread "${images[@]}" compute.threads=1 log.gradients=true
train two_threads "${images[@]}" compute.threads=2
train other_seed "${images[@]}" seed=2
before=$(find . -mindepth 2 -type f | sort)
try "$repo/launch/report" one_thread two_threads other_seed -o images.html
page images.html
check "the runs' folders are as they were" test "$(find . -mindepth 2 -type f | sort)" = "$before"
says "one_thread and two_threads ended with the same weights, bit for bit. other_seed did not."
says "$(hash_of one_thread)"
says "$(hash_of other_seed)"
for words in 'Confusion matrix of one_thread' 'Confusion matrix of other_seed' 'First-layer weights of other_seed' \
  '64 of 70 units' 'Gradient norms over the epochs of one_thread' 'compute: ' compute.threads; do
  says "$words"
done
check "equal pictures are there once" test -z "$(grep 'weights of two_threads' <<<"$page")"
says "$(tail -n 1 one_thread/metrics.csv | python3 -c 'print(f"{100 * float(input().split(",")[4]):.2f}")')"

train plane data.dataset=spiral train.epochs=2 data.shards=4
train function data.dataset=function model.loss=mse train.epochs=2
try "$repo/launch/report" plane function -o numbers.html
page numbers.html
says 'The plane in the colours of the classes that plane sees'
says 'Confusion matrix of plane'
says 'The output of function over its input'
says 'Largest distance from the target: '
check "nothing is missing" test -z "$(grep 'What is not here' <<<"$page")"

"$LOCKSTEP" eval plane --grid --confusion >/dev/null
try env LOCKSTEP=/nowhere "$repo/launch/report" plane
page plane/report.html
says 'The plane in the colours of the classes that plane sees'

finish
