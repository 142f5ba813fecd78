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

# grid RUN CLASSES: a grid of 20 x 10 points, and two samples.
grid() {
  awk -v classes="$2" 'BEGIN {
    header = "x0,x1,predicted"
    for (c = 0; c < classes; c++) header = header ",p_" c
    print header
    for (y = 0; y < 10; y++)
      for (x = 0; x < 20; x++) {
        k = int(x * classes / 20)
        line = x / 10 "," y / 10 "," k
        for (c = 0; c < classes; c++) line = line "," (classes == 2 ? (c ? x / 10 - 0.5 : 1.5 - x / 10) : c == k)
        print line
      }
  }' >"$1/grid.csv"
  printf '%s\n' x0,x1,class,split 0.2,0.5,0,train 1.4,0.5,1,train 0.4,0.5,0,test >"$1/points.csv"
}
run two
grid two 2
try "$repo/launch/plot" two
drawn two/curves two/boundary
says two/boundary two "class 0" "class 1" "p of class 1" "p = 0.5" train test
has two/boundary 1 "<image "
mkdir named # classes are called as the tables call them
cp two/metrics.csv named
sed '1s/p_0,p_1/p_no,"p_yes, 100%"/; s/^\([^,]*,[^,]*\),0,/\1,no,/; s/^\([^,]*,[^,]*\),1,/\1,"yes, 100%",/' two/grid.csv >named/grid.csv
printf '%s\n' x0,x1,class,split 0.2,0.5,no,train '1.4,0.5,"yes, 100%",train' >named/points.csv
try "$repo/launch/plot" named
drawn named/curves named/boundary
says named/boundary no "yes, 100%" "p of yes, 100%"
run "it's three"
grid "it's three" 3
rm "it's three/points.csv"
try "$repo/launch/plot" two "it's three" -o '2 & 3'
drawn '2 & 3' '2 & 3_boundary'
says '2 & 3_boundary' "it's three" "class 2"
has '2 & 3_boundary' 2 "<image "
try "$repo/launch/plot" "it's three" -o three
drawn three three_boundary
for word in 'p = 0.5' train test; do has three_boundary 0 ">$word<"; done

# fit RUN OFFSET: the square of x, which the model misses by OFFSET.
fit() {
  awk -v offset="$2" 'BEGIN {
    print "x0,output,target"
    for (x = -2; x <= 2; x += 0.05) print x "," x * x + offset "," x * x
  }' >"$1/grid.csv"
  printf '%s\n' x0,target,split 0,0.1,train 1,1,train 1.5,2,test >"$1/points.csv"
}
run near
fit near 0.01
try "$repo/launch/plot" near
drawn near/curves near/fit
says near/fit "Output and target: near" target "training samples" near
has near/fit 1 '>Error |output'
run far
fit far 0.5
cut -d, -f1,2 far/grid.csv >far/new
mv far/new far/grid.csv
try "$repo/launch/plot" near far -o fits
drawn fits fits_fit
says fits_fit near far
try "$repo/launch/plot" far
drawn far/fit
has far/fit 0 '>Error |output'
has far/fit 0 '>target<'

run classes
printf '%s\n' 'actual,cat,"dog, small",100%' cat,6,2,2 '"dog, small",0,10,0' 100%,0,0,0 >classes/confusion.csv
try "$repo/launch/plot" classes
drawn classes/curves classes/confusion
says classes/confusion cat "dog, small" 100% "60.0 %" "100.0 %" – 6 10 "classes: 80.00 % of 20 are right"
run digits
awk 'BEGIN {
  header = "actual"
  for (c = 0; c < 20; c++) header = header "," c
  print header
  for (r = 0; r < 20; r++) {
    line = r
    for (c = 0; c < 20; c++) line = line "," (r == c ? 900 : 5)
    print line
  }
}' >digits/confusion.csv
try "$repo/launch/plot" digits classes -o several
drawn several several_confusion
says several_confusion "digits: 90.45 % of 19900 are right" "classes: 80.00 % of 20 are right"
has several_confusion 382 '>5<' # that is also a class, on two axes

run images
{ printf 'P6\n6 4\n255\n' && head -c 72 /dev/zero | tr '\0' '\200'; } >images/weights.ppm
try "$repo/launch/plot" images
drawn images/curves images/weights
says images/weights "First-layer weights: images"
has images/weights 1 "<image style='image-rendering:pixelated'"
try "$repo/launch/plot" images/ images deep -o tiles
drawn tiles tiles_gradients tiles_weights
has tiles_weights 2 "<image "

trials=trial,status,score,score_std,runs
mkdir rates models
printf '%s\n' $trials,train.learning_rate,model.loss,seconds,error '1,ok,0.9,0.01,3,0.01,mse,5,' '2,ok,0.8,0,3,0.1,mse,5,' \
  '3,ok,0.7,nan,1,1,mse,5,' '4,failed,nan,nan,0,10,mse,0,"it diverged: ""nan"", at once"' >rates/trials.csv
try "$repo/launch/plot" rates
drawn rates/trials
check "a sweep has no curves" test ! -e rates/curves.svg
says rates/trials "rates: 4 trials, 1 failed" train.learning_rate score 0.01 0.1
{
  echo "$trials,model.hidden,model.activation,train.epochs,seconds,error"
  for ((t = 1; t <= 40; t++)); do echo "$t,ok,0.$((1000 - t)),0.01,3,\"[$t, 9]\",relu_$((t % 2)),5,1,"; done
} >models/trials.csv
try "$repo/launch/plot" models
drawn models/trials
says models/trials "models: best 30 of 40 trials" hidden activation relu_0 "[1, 9]" "[30, 9]" "0.999 ± 0.01"
has models/trials 0 '>\[31, 9\]<'
has models/trials 0 '>epochs<'
try "$repo/launch/plot" models rates near -o sweeps
drawn sweeps sweeps_fit sweeps_trials
says sweeps_trials "models: best 30 of 40 trials" "rates: 4 trials, 1 failed"

awk 'BEGIN {
  print "x,relu,relu_slope,leaky_relu,leaky_relu_slope"
  for (x = -3; x <= 3; x += 0.1) print x "," (x > 0 ? x : 0) "," (x > 0) "," (x > 0 ? x : x / 10) "," (x > 0 ? 1 : 0.1)
}' >functions.csv
try "$repo/launch/plot" --activations functions.csv -o activations
drawn activations
says activations relu "leaky relu" "f(x)" slope
has activations 3 stroke-dasharray

finish
