#!/usr/bin/env bash
# launch/plot: each kind of picture has in it what its table says, for one run and several.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"

header=epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,samples_per_second,rescaled_steps
# run NAME: a run's folder, with two epochs.
run() {
  mkdir -p "$1"
  printf '%s\n' "$header" 1,2,0.5,2,0.4,0.1,1,100,0 2,1,0.7,2,0.5,0.1,1,100,0 >"$1/metrics.csv"
}
# drawn FILE...: each is a whole SVG with a PNG beside it; stdout names them.
drawn() {
  local picture
  for picture; do
    succeeded "$picture.svg and $picture.png"
    check "$picture.svg is whole" grep -q '</svg>' "$picture.svg"
    check "$picture.svg has no commands in it" test "$(grep -c 'table(' "$picture.svg")" = 0
    check "$picture.png is one" test "$(head -c 4 "$picture.png" | tail -c 3)" = PNG
    check "$picture.png is not empty" test "$(stat --format=%s "$picture.png")" -gt 1500
  done
  check "gnuplot has nothing to remark on" test -z "$err"
}
# says FILE TEXT...: each is a text in the picture.
says() {
  local text
  for text in "${@:2}"; do check "$1.svg says $text" grep -Fq ">$text<" "$1.svg"; done
}
# has FILE COUNT PATTERN: so many lines of the SVG match.
has() {
  local count
  count=$(grep -c -- "$3" "$1.svg" || true)
  check "$1.svg has $2 times $3, found $count" test "$count" = "$2"
}

run deep
awk 'BEGIN {
  header = "epoch"
  for (l = 0; l < 6; l++) header = header ",layers." l ".weight,layers." l ".bias"
  print header
  for (e = 1; e <= 3000; e++) {
    line = e
    for (l = 0; l < 6; l++) line = line "," 10 ^ (l - 5) * (1 + 1 / e) ",0"
    print line
  }
}' >deep/gradients.csv
try "$repo/launch/plot" deep
drawn deep/curves deep/gradients
says deep/gradients layers.0 layers.5 "Gradient norm per layer: deep"
check "3000 epochs are thinned out" test "$(stat --format=%s deep/gradients.svg)" -lt 150000
run shallow
printf '%s\n' epoch,layers.0.weight,layers.0.bias 1,0.5,0.1 >shallow/gradients.csv
try "$repo/launch/plot" deep shallow -o both
drawn both both_gradients
says both_gradients "Gradient norm per layer: deep" "Gradient norm per layer: shallow"

finish
