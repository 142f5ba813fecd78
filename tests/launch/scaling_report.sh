#!/usr/bin/env bash
# launch/scaling --only-report: the statistics of made-up runs are those computed by hand, and differing weights are told.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"

columns=ranks,threads,hosts,repeat,oversubscribed,batch_size,train_samples,seconds,samples_per_second,compute_seconds
columns+=,wait_seconds,transfer_seconds,weights_hash,placement
# study FOLDER: begins runs.csv.
study() { mkdir -p "$1" && echo "$columns" >"$1/runs.csv"; }
# point FOLDER RANKS,THREADS OVERSUBSCRIBED BATCH HASH SECONDS...: a repeat for each of these times. The median's split shows.
point() {
  local repeat=0 seconds
  for seconds in "${@:6}"; do
    repeat=$((repeat + 1))
    awk -v OFS=, -v s="$seconds" -v r=$repeat -v point="$2" -v over="$3" -v batch="$4" -v hash="$5" 'BEGIN {
      print point, 1, r, over, batch, 1200, s, 1200 / s, 0.7 * s, 0.1 * s, 0.15 * s, hash, "n: 0-1" }' >>"$1/runs.csv"
  done
}
report() { try "$repo/launch/scaling" --only-report "$1"; }
# row FOLDER POINT REGEX: that line of the table.
row() { check "$2 has $3" grep -Eq "^\| $2 \| .*$3" "$1/report.md"; }

# Speed-up 10 / 6, between 8 / 7 and 12 / 5; (1 / 1.667 - 1 / 2) / (1 - 1 / 2) = 0.2. Then 10 / 3.125 = 3.2, between 8 / 3.5
# and 12 / 3; (1 / 3.2 - 1 / 4) / (1 - 1 / 4) = 0.083.
study strong
point strong 1,1 0 64 00000000000000aa 8 12 10 9 11
point strong 2,1 0 64 00000000000000aa 5 7 6.5 6 5.5
point strong 2,2 0 64 00000000000000aa 3.5 3 3.25 3.125 3
point strong 8,1 1 64 00000000000000aa 4 5 6 4.5 5.5
report strong
succeeded
row strong "1 rank x 1 thread" '10\.000 \(8\.000-12\.000\) \| 120 \(100-150\) \| 1\.00 \| 100 % \| – \| 7\.000 / 1\.000 / 1\.500 / 0\.500 \|$'
row strong "2 ranks x 1 thread" '6\.000 \(5\.000-7\.000\) \| 200 \(171-240\) \| 1\.67 \(1\.14-2\.40\) \| 83 \(57-120\) % \| 0\.200 \|'
row strong "2 ranks x 2 threads" '3\.125 \(3\.000-3\.500\) \| .* \| 3\.20 \(2\.29-4\.00\) \| 80 \(57-100\) % \| 0\.083 \|'
row strong "8 ranks x 1 thread" '5\.000 .* \| 2\.00 \(1\.33-3\.00\) \| oversubscribed \| – \|'
check "the coverage is told" grep -q 'of 5 repeats from the least to the largest, which covers the median with 93.75 %' strong/report.md
check "one hash is told" grep -q 'All 20 runs ended with the same weights, 00000000000000aa' strong/report.md
check "a point that scales is a full mark" grep -q "#gpPt6' transform" strong/scaling.svg
check "an oversubscribed one is hollow, beside that of the legend" test "$(grep -c "#gpPt5' transform" strong/scaling.svg)" = 2
check "placement without cores of their own is told" grep -q '^| 2 ranks x 1 thread | not bound to cores of their own | n: 0-1 |$' strong/report.md
check "the PNG is one" test "$(head -c 4 strong/scaling.png | tail -c 3)" = PNG

check "nothing is predicted" test "$(grep -c '## Predicted' strong/report.md)" = 0

# Predictions: the medians of 9, 10, 14 and 7.5 against 10 and 6.
printf 'ranks,threads,repeat,seconds\n1,1,1,14\n1,1,2,9\n1,1,3,10\n2,1,1,7.5\n' >strong/predicted.csv
report strong
succeeded
check "a prediction is the median" grep -q '^| 1 rank x 1 thread | 10.000 (8.000-12.000) | 10.000 | +0 % |$' strong/report.md
check "and how far it is off" grep -q '^| 2 ranks x 1 thread | 6.000 (5.000-7.000) | 7.500 | +25 % |$' strong/report.md
check "the largest error is told" grep -q '^At most 25 % off' strong/report.md
check "predictions are drawn, beside the legend's" test "$(grep -c "#gpPt0' transform" strong/scaling.svg)" = 3
printf 'ranks,threads,repeat,seconds\n1,1,1,soon\n' >strong/predicted.csv
report strong
check "a prediction that is none is refused" test "$code" = 3
check "in a line that names it" grep -q "predicted.csv: line 2: seconds is 'soon', expected a number" <<<"$err"
rm strong/predicted.csv

# Order statistics: of 9 the second and the last but one, 1 - 2 (1 + 9) / 512; of 4 all, 1 - 2 / 16; the median of these is a mean.
study few
point few 1,1 0 64 00000000000000aa 9 1 8 2 7 3 6 4 5
point few 1,2 0 64 00000000000000aa 4 1 3 2
report few
row few "1 rank x 1 thread" '5\.000 \(2\.000-8\.000\)'
row few "1 rank x 2 threads" '2\.500 \(1\.000-4\.000\) \| 480 .* 1\.750 / 0\.250 / 0\.375 / 0\.125 \|$'
check "the narrower interval is told" grep -q 'of 9 repeats from the 2nd least to the 2nd largest, .* 96.09 %' few/report.md
check "and that of four" grep -q 'of 4 repeats from the least to the largest, .* 87.5 %' few/report.md
check "nothing is hollow" test "$(grep -c "#gpPt5' transform" few/scaling.svg)" = 0

# All oversubscribed: nothing scales.
study crowded
point crowded 4,1 1 64 00000000000000aa 4 5 6
report crowded
succeeded
check "it is said" grep -q 'Every point is oversubscribed: there is no scaling' crowded/report.md
row crowded "4 ranks x 1 thread" '5\.000 .* \| – \| oversubscribed \| – \|'

# Weak: by samples a second, without a serial fraction; a hash for each batch.
study weak
point weak 1,1 0 64 00000000000000aa 10
point weak 2,1 0 128 00000000000000bb 8
report weak
succeeded
row weak "2 ranks x 1 thread" '8\.000 \| 150 \| 1\.25 \| 62 % \| – \|'
check "it is called weak" grep -q '^# Scaling of weak, weak$' weak/report.md
point weak 2,2 0 128 00000000000000cc 8
report weak
check "threads must not change weights: the exit code is 1" test "$code" = 1
check "both are named" grep -q 'the weights differ: 2 ranks x 1 thread has 00000000000000bb .*, 2 ranks x 2 threads has 00000000000000cc' <<<"$err"

study differing
point differing 1,1 0 64 00000000000000aa 10 10
point differing 2,1 0 64 00000000000000aa 5 5
sed -i '$s/aa,/ab,/' differing/runs.csv
report differing
check "differing weights: the exit code is 1" test "$code" = 1
check "one line names the points" test "$(grep -c 'the weights differ: 1 rank x 1 thread has 00000000000000aa (repeat 1), 2 ranks x 1 thread has 00000000000000ab (repeat 2), expected equal ones' <<<"$err")" = 1
check "the report says so" grep -q 'THE WEIGHTS DIFFER' differing/report.md
check "the figure says so in red" grep -q 'THE WEIGHTS DIFFER' <(grep -A 1 'fill="rgb(208,0,0)"' differing/scaling.svg)
echo '{"facts": {"reduction": "float"}}' >differing/study.json
report differing
succeeded
check "float sums promise no equality" grep -q 'reduce.mode is float: weights are equal to rounding only, and were not compared' differing/report.md

# Tables that are wrong.
report nowhere
refused 3 "nowhere/runs.csv: not readable: No such file"
study empty
report empty
refused 3 "empty/runs.csv: no run yet"
sed 's/wait_seconds/other/' strong/runs.csv >empty/runs.csv
report empty
refused 3 "empty/runs.csv: no column wait_seconds, expected ranks,threads,"
sed '3s/,12,/,soon,/' strong/runs.csv >empty/runs.csv
report empty
refused 3 "empty/runs.csv: line 3: seconds is 'soon', expected a number"
sed '4s/^1,1,/1.5,1,/' strong/runs.csv >empty/runs.csv
report empty
refused 3 "empty/runs.csv: line 4: ranks is '1.5', expected a whole number"
sed '4s/^1,1,/0,1,/' strong/runs.csv >empty/runs.csv
report empty
refused 3 "empty/runs.csv: line 4: ranks, threads or a time is 0"
finish
