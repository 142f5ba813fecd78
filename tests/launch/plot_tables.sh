#!/usr/bin/env bash
# launch/plot: what is wrong with a table is one line that names the file and the column, and nothing is drawn.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"

metrics=epoch,train_loss,train_accuracy,test_loss,test_accuracy
# wrong FILE REGEX LINE...: a run whose FILE has those lines is refused so.
wrong() {
  rm -rf run
  mkdir run
  [[ $1 == trials.csv ]] || printf '%s\n' $metrics 1,2,0.5,2,0.4 >run/metrics.csv
  if [[ $1 == points.csv ]]; then printf '%s\n' x0,output 0,1 1,2 >run/grid.csv; fi
  printf '%s\n' "${@:3}" >"run/$1"
  try "$repo/launch/plot" run
  refused 3 "^launch/plot: run/$1: $2"
  check "then nothing is drawn" test -z "$(find run -name '*.svg' -o -name '*.png')"
}

wrong metrics.csv "no epoch yet, expected a line for each" $metrics
wrong metrics.csv "line 3: 4 fields, expected 5" $metrics 1,2,3,4,5 2,3,4,5
wrong metrics.csv "line 2: test_loss is 'x', expected a number" $metrics 1,2,3,x,5
printf '' >run/metrics.csv
try "$repo/launch/plot" run
refused 3 "run/metrics.csv: an empty file, expected a header with epoch,train_loss"

wrong gradients.csv "no column epoch, found 'step,layers.0.weight'" step,layers.0.weight 1,1
wrong gradients.csv "no column of a weight, as layers.0.weight" epoch,layers.0.bias 1,1
wrong gradients.csv "no epoch yet" epoch,layers.0.weight

wrong grid.csv "no column output, found 'x0,y'" x0,y 0,1
wrong grid.csv "no column predicted, found 'x0,x1,class,p0,p1'" x0,x1,class,p0,p1 0,0,0,1,0
wrong grid.csv "columns of 1 classes \(p_NAME\), expected at least 2" x0,x1,predicted,p_no 0,0,no,1
wrong grid.csv "line 2: predicted is 'maybe', expected a class of the grid" x0,x1,predicted,p_a,p_b,p_c 0,0,maybe,1,0,0
wrong grid.csv "no point yet" x0,output
wrong grid.csv "line 3: p_1 is '', expected a number" x0,x1,predicted,p_0,p_1 0,0,0,1,0 1,0,0,1,
wrong grid.csv "x1 = 1 has 1 points, expected 2 as before" x0,x1,predicted,p_0,p_1 0,0,0,1,0 1,0,0,1,0 0,1,0,1,0
wrong grid.csv "x1 = 1 has 1 points, expected 2 as" x0,x1,predicted,p_0,p_1 0,0,0,1,0 1,0,0,1,0 0,1,0,1,0 0,2,0,1,0 1,2,0,1,0
wrong grid.csv "a grid of 2 x 1 points, expected at least 2 x 2" x0,x1,predicted,p_0,p_1 0,0,0,1,0 1,0,0,1,0
wrong points.csv "no column target, found 'x0,split'" x0,split 0,train
wrong points.csv "line 2: split is 'dev', expected train or test" x0,target,split 0,1,dev
mkdir -p plane
awk 'BEGIN { print "x0,x1,predicted,p_no,p_yes"; for (i = 0; i < 4; i++) print i % 2 "," int(i / 2) ",no,1,0" }' >plane/grid.csv
printf '%s\n' $metrics 1,2,0.5,2,0.4 >plane/metrics.csv
printf '%s\n' x0,x1,class,split 0,0,no,train 1,1,maybe,train >plane/points.csv
try "$repo/launch/plot" plane
refused 3 "^launch/plot: plane/points.csv: line 3: class is 'maybe', expected a class of the grid's columns p_NAME"
wrong points.csv "no sample yet" x0,target,split

wrong confusion.csv "no column actual" cat,dog cat,1
wrong confusion.csv "no class yet" actual,cat,dog
wrong confusion.csv "1 classes have a line, expected 2" actual,cat,dog cat,1,2
wrong confusion.csv "line 3: actual is 'cow', expected 'dog' as in the header" actual,cat,dog cat,1,2 cow,3,4
wrong confusion.csv "line 2: dog is 'many', expected a number" actual,cat,dog cat,1,many dog,3,4
wrong confusion.csv "no sample in any class" actual,cat,dog cat,0,0 dog,0,0

trials=trial,status,score,score_std,runs,seconds,error
wrong trials.csv "no column score_std, found 'trial,status,score,runs'" trial,status,score,runs 1,ok,1,1
wrong trials.csv "no trial yet" $trials
wrong trials.csv "line 2: status is 'fine', expected ok or failed" $trials 1,fine,1,0,1,1,
wrong trials.csv "line 2: score is 'best', expected a number" $trials 1,ok,best,0,1,1,
wrong trials.csv "none of 2 trials has a score" $trials 1,failed,nan,nan,0,1,diverged 2,failed,nan,nan,0,1,diverged
wrong trials.csv "line 2: 8 fields, expected 7" $trials '1,ok,1,0,1,1,"a, b",c'

wrong weights.ppm "not a binary PPM, expected it to begin with" P5 '2 2' 255
wrong weights.ppm "not a binary PPM" P6 '# made up' '2 2' 255
wrong weights.ppm "not a binary PPM" P6 '2 0' 255
wrong weights.ppm "not a binary PPM" P6 '2 2' 65535
wrong weights.ppm "14 bytes, expected 23 for 2 x 2 pixels" P6 '2 2' 255 12
rm run/weights.ppm
mkdir run/weights.ppm
try "$repo/launch/plot" run
refused 3 "run/weights.ppm: not readable, expected a file"

try "$repo/launch/plot" --activations nowhere.csv -o functions
refused 3 "^launch/plot: nowhere.csv: no such file"
echo x,relu >functions.csv
try "$repo/launch/plot" --activations functions.csv -o functions
refused 3 "functions.csv: no point yet"
printf '%s\n' x,relu 0,0 >functions.csv
try "$repo/launch/plot" --activations functions.csv -o functions
refused 3 "functions.csv: no column relu_slope beside relu"
printf '%s\n' x 0 >functions.csv
try "$repo/launch/plot" --activations functions.csv -o functions
refused 3 "functions.csv: no column of a function beside x"

mkdir nothing
try "$repo/launch/plot" nothing
refused 3 "nothing/metrics.csv: no such file, expected the metrics of a run .or trials.csv, of a sweep."

finish
