#!/usr/bin/env bash
# launch/plot: the curves of runs, where pictures go, and one line where a run has nothing to draw. The other pictures are
# in plot_pictures.sh, what is wrong with tables in plot_tables.sh.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"

header=epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,samples_per_second
# metrics RUN EPOCHS: a run's folder.
metrics() {
  mkdir -p "$1"
  {
    echo "$header"
    for ((e = 1; e <= $2; e++)); do echo "$e,$((9 - e)).5,0.$((e + 1)),$((9 - e)).7,0.$e,0.1,1.0,1000"; done
  } >"$1/metrics.csv"
}
pictures() {
  check "the SVG is whole" grep -q '</svg>' "$1.svg"
  check "the PNG is one" test "$(head -c 4 "$1.png" | tail -c 3)" = PNG
}

metrics one_epoch 1
try "$repo/launch/plot" one_epoch/
succeeded "one_epoch/curves.svg and one_epoch/curves.png"
check "gnuplot has nothing to remark on" test -z "$err"
pictures one_epoch/curves

metrics "it's a run" 8
metrics b/same_name 5
metrics c/same_name 5
try "$repo/launch/plot" "it's a run" b/same_name c/same_name -o all
succeeded "all.svg and all.png"
pictures all
for name in "it's a run" b/same_name c/same_name train test; do
  check "the legend has $name" grep -Eq ">${name/\'/(\'|&#39;)}<" all.svg
done
check "a training curve a run and panel is dashed, and one in the legend" test \
  "$(grep -c stroke-dasharray all.svg)" = 7

# Columns are found by their names: curves stay as they are when columns move.
metrics moved 8
awk -F, -v OFS=, '{ print $5, "x", $3, $4, $1, $2 }' moved/metrics.csv | sed '1s/,x,/,more,/' >moved/new
metrics still 8
mv moved/new moved/metrics.csv
"$repo/launch/plot" moved -o moved/p >/dev/null
"$repo/launch/plot" still -o still/p >/dev/null
check "moved columns give the same curves" diff -q <(sed s/moved/still/ moved/p.svg) still/p.svg

# Of a regression, whose accuracies are nan, there is the loss alone, its axis logarithmic where it falls far; and
# without a test set the training curve alone, solid.
regression() {
  mkdir -p "$1"
  echo "$header" >"$1/metrics.csv"
  awk -v n="$2" -v test="$3" 'BEGIN {
    for (e = 1; e <= n; e++) printf "%d,%g,nan,%s,nan,0.1,1,1\n", e, 1 / e, test ? 2 / e : "nan" }' >>"$1/metrics.csv"
}
regression sine 20000 1
try "$repo/launch/plot" sine
succeeded "sine/curves.svg and sine/curves.png"
pictures sine/curves
check "a regression has no accuracy" test "$(grep -c 'Accuracy' sine/curves.svg)" = 0
check "its axis is logarithmic" grep -q '>-4<' sine/curves.svg
check "20000 epochs make a small picture" test "$(stat --format=%s sine/curves.svg)" -lt 100000
check "with the last of them" grep -q '>20000<' sine/curves.svg
regression alone 8 ''
try "$repo/launch/plot" alone
succeeded "alone/curves.svg"
check "without a test set nothing is dashed" test "$(grep -c stroke-dasharray alone/curves.svg)" = 0
check "nor explained" test "$(grep -c '>test<\|>train<' alone/curves.svg)" = 0
check "an axis that spans a factor 8 is linear" test "$(grep -c '>-1<' alone/curves.svg)" = 0
metrics classified 8
try "$repo/launch/plot" sine classified alone -o mixed
succeeded "mixed.svg"
check "with a classification there is accuracy" grep -q 'Accuracy' mixed.svg

try "$repo/launch/plot" nowhere
refused 3 "^launch/plot: nowhere: no such folder"
mkdir empty
try "$repo/launch/plot" "it's a run" empty -o both
refused 3 "empty/metrics.csv: no such file"
check "then nothing is drawn" test ! -e both.svg
metrics begun 0
try "$repo/launch/plot" begun
refused 3 "begun/metrics.csv: no epoch yet"
sed 's/test_loss/other/' one_epoch/metrics.csv >empty/metrics.csv
try "$repo/launch/plot" empty
refused 3 "empty/metrics.csv: no column test_loss, found 'epoch,train_loss"

try "$repo/launch/plot"
refused 2 "no RUN"
try "$repo/launch/plot" b/same_name c/same_name
refused 2 "2 runs and no -o PREFIX"
try "$repo/launch/plot" one_epoch -o nowhere/p
refused 2 "-o nowhere/p: no folder nowhere"
try "$repo/launch/plot" one_epoch --what
refused 2 "unknown option '--what'"
try "$repo/launch/plot" one_epoch -o
refused 2 "-o has no value"
try "$repo/launch/plot" --activations
refused 2 "--activations has no value"
try "$repo/launch/plot" --activations some.csv
refused 2 "--activations and no -o PREFIX"
try "$repo/launch/plot" --activations some.csv one_epoch -o p
refused 2 "--activations and a RUN, 'one_epoch'"
mkdir taken.svg
try "$repo/launch/plot" one_epoch -o taken
refused 2 "taken.svg: cannot be written"

# A machine without gnuplot: PATH has all it needs but that.
mkdir bin
for tool in bash env dirname readlink basename; do ln -s "$(command -v "$tool")" bin/; done
try env PATH="$work/bin" "$repo/launch/plot" one_epoch
refused 2 "gnuplot is not installed; launch/install-deps --plots installs it"
stand_in bin/gnuplot <<<'echo "line 3: no such terminal"; exit 1'
try env PATH="$work/bin:$PATH" "$repo/launch/plot" one_epoch
refused 2 "gnuplot could not draw one_epoch/curves: line 3: no such terminal"

finish
