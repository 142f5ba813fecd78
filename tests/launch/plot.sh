#!/usr/bin/env bash
# launch/plot: pictures of runs, and one line where a run has nothing to draw.
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

# A machine without gnuplot: PATH has all it needs but that.
mkdir bin
for tool in bash env dirname readlink basename; do ln -s "$(command -v "$tool")" bin/; done
try env PATH="$work/bin" "$repo/launch/plot" one_epoch
refused 2 "gnuplot is not installed; launch/install-deps installs it"
stand_in bin/gnuplot <<<'echo "line 3: no such terminal"; exit 1'
try env PATH="$work/bin:$PATH" "$repo/launch/plot" one_epoch
refused 2 "gnuplot could not draw one_epoch/curves: line 3: no such terminal"

finish
