#!/usr/bin/env bash
# launch/report: a whole page of any runs, and one line where one cannot be read. What lockstep makes for it is a stand-in
# here; report_of_a_run.sh has a real one.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"
export LOCKSTEP=$work/lockstep ASKED=$work/asked
stand_in lockstep <<'END'
echo "$*" >>"$ASKED"
echo "lockstep: no data today" >&2
exit 3
END

# run FOLDER EPOCHS HASH [ACTIVATION]: a finished run.
run() {
  mkdir -p "$1"
  {
    echo epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,samples_per_second,rescaled_steps,compute_seconds,wait_seconds,transfer_seconds
    awk -v n="$2" 'BEGIN { for (e = 1; e <= n; e++) printf "%d,%g,%g,%g,%g,0.1,2,1000,0,1.5,0.25,0.25\n", e, 2 / e, 1 - 1 / e, 2.5 / e, 0.9 - 0.9 / e }'
  } >"$1/metrics.csv"
  cat >"$1/summary.json" <<END
{"weights_hash": "$3", "parameters": 1234567, "ranks": 2, "threads": 1,
 "config": {"seed": 1, "data": {"dataset": "cifar10"}, "model": {"activation": "${4-relu}", "layers":
  [{"type": "dense", "units": 7, "bias": true, "init": ""}, {"type": "tanh"}]}},
 "provenance": {"version": "9.8.7"}}
END
}
# weights FOLDER: as a model.safetensors of 3 units on 3072 pixels begins.
weights() {
  local header='{"layers.0.weight":{"dtype":"F32","shape":[3,3072],"data_offsets":[0,36864]}}'
  printf "\\x$(printf %x ${#header})\\0\\0\\0\\0\\0\\0\\0%s" "$header" >"$1/model.safetensors"
}
# page FILE: what was tried made it; what it says is then in $page.
page() {
  succeeded "(^|[[:space:]])launch/report: $1\$"
  page=''
  page=$("$repo/tests/launch/read_page.py" "$1" 2>"$work/.wrong") || failed "$1 is a page: $(<"$work/.wrong")"
}
says() { check "the page says '$1'" grep -qF -- "$1" <<<"$page"; }
is_silent() { check "the page does not say '$1'" test -z "$(grep -Fw -- "$1" <<<"$page")"; }

run one 4 0123456789abcdef
try "$repo/launch/report" one/
page one/report.html
check "nothing is said on stderr" test -z "$err"
check "without weights lockstep has nothing to do" test ! -e "$ASKED"
for words in 'Loss over the epochs of one' 'Accuracy over the epochs of one' 0123456789abcdef 1,234,567 67.50 'epoch 3' \
  'test: 0.83333' 'train: 66.667 %' '2 ranks × 1 thread' '75.0' '8 s' model.activation 'dense(units=7), tanh' 9.8.7; do
  says "$words"
done
is_silent 'same weights'
is_silent 'Learning rate'

# Several runs: which have the same weights, and what differs.
run two 4 0123456789abcdef
run three 6 fedcba9876543210 sigmoid
try "$repo/launch/report" one two -o pair.html
page pair.html
says "Both runs ended with the same weights, bit for bit."
says "The runs have the same configuration."
try "$repo/launch/report" one two three -o all.html
page all.html
says "one and two ended with the same weights, bit for bit. three did not."
says fedcba9876543210
says "What is configured differently"
check "one key differs, here and in the whole" test "$(grep -c 'class="different".*model.activation' all.html)" = 1 -a \
  "$(grep -o 'class="different"><th scope="row">model.activation' all.html | wc -l)" = 2
try "$repo/launch/report" two three -o other.html
page other.html
says "No two of these runs ended with the same weights."

# A run under way, its learning rate changing, with gradients.
run begun 4 x
rm begun/summary.json
sed -i '3s/,0.1,2,/,0.05,2,/' begun/metrics.csv
printf 'seed = 5\n[data]\ndataset = "spiral"\n' >begun/config.toml
printf 'epoch,layers.0.weight,layers.0.bias\n1,0.5,0.1\n2,0.25,0.1\n' >begun/gradients.csv
try "$repo/launch/report" begun
page begun/report.html
for words in 'not finished: ' 'Learning rate over' 'Gradient norms over' 'layer 1: 0.25' data.dataset spiral; do says "$words"; done

# Names are text, whatever they look like.
hostile='<script>alert("1")</script>&amp;<img src=x onerror=y>'"'"
mkdir hostile
run "hostile/${hostile//\//|}" 4 '\"><b>' '</td><script>'
try "$repo/launch/report" "hostile/${hostile//\//|}" one -o hostile.html
page hostile.html
says "${hostile//\//|}"
says '"><b>'
says '</td><script>'

# A regression, its accuracies nan, without a test set; and very many epochs.
run long 20000 0
awk -F, -v OFS=, 'NR > 1 { $3 = $4 = $5 = "nan"; $2 = 1 / $1 / $1 } 1' long/metrics.csv >long/new
mv long/new long/metrics.csv
try "$repo/launch/report" long
page long/report.html
is_silent Accuracy
is_silent accuracy
is_silent nan
says '10⁻⁸'
says 'mean of epochs 19501 to 20000'
check "20000 epochs make a small page" test "$(stat --format=%s long/report.html)" -lt 100000
try "$repo/launch/report" long one -o mixed.html
page mixed.html
says Accuracy
is_silent nan

# Tables for pictures: asked of lockstep where they are missing or older than the weights.
weights one
try "$repo/launch/report" one
page one/report.html
check "lockstep is asked for both" grep -q '^eval one --confusion --weights --out /' "$ASKED"
says "No confusion matrix and no images of the first layer: lockstep: no data today"
says "launch/run -np 1 eval one --confusion --weights"
try env LOCKSTEP="$work/nowhere" "$repo/launch/report" one
page one/report.html
says "$work/nowhere cannot be started: No such file"
says "launch/run -np 1 eval one --confusion --weights"
stand_in lockstep <<'END'
printf 'actual,cat,"<b>, dog"\ncat,3,1\n"<b>, dog",0,0\n' >"${@: -1}/confusion.csv"
{ printf 'P6\n65 65\n255\n' && head -c 12675 /dev/zero; } >"${@: -1}/weights.ppm"
END
try "$repo/launch/report" one
page one/report.html
for words in 'Confusion matrix of one' 'cat taken for <b>, dog' 'cat for <b>, dog, 25' 'First-layer weights of one' '3 units'; do
  says "$words"
done
is_silent 'What is not here'
check "the run's folder is as it was" test ! -e one/confusion.csv
"$LOCKSTEP" one
sed -i s/cat/cow/ one/confusion.csv
rm "$LOCKSTEP"
try "$repo/launch/report" one
page one/report.html
says 'cow taken for <b>, dog'
touch -d '1 hour ago' one/confusion.csv
try "$repo/launch/report" one
page one/report.html
says 'No confusion matrix: '
touch one/confusion.csv

# Of many classes the confusion matrix is an image.
run many 4 0
printf '\x02\0\0\0\0\0\0\0{}' >many/model.safetensors
awk 'BEGIN { for (i = 0; i <= 30; i++) for (j = 0; j <= 30; j++)
  printf "%s%s", i ? j ? (i == j) : "c" i : j ? "c" j : "actual", j < 30 ? "," : "\n" }' >many/confusion.csv
try "$repo/launch/report" many
page many/report.html
says 'Confusion matrix of many: 30 classes'
says 'No mistakes.'

# The first 64 of more units, each its tile.
python3 - <<'END'
import json, struct
header = json.dumps({"layers.0.weight": {"shape": [81, 3072]}}).encode()
open("two/model.safetensors", "wb").write(struct.pack("<Q", len(header)) + header)
pixels = bytearray(b"\xff" * 3 * 26 * 26)
for unit in range(81):
    for y in (0, 1):
        for x in (0, 1):
            at = 3 * ((unit // 9 * 3 + y) * 26 + unit % 9 * 3 + x)
            pixels[at:at + 3] = bytes([unit] * 3)
open("two/weights.ppm", "wb").write(b"P6\n26 26\n255\n" + pixels)
open("two/confusion.csv", "w").write("actual,a\na,1\n")
END
try "$repo/launch/report" two
page two/report.html
says "64 of 81 units"
python3 - <<'END' || failed "the tiles are those of units 0 to 63"
import base64, re, struct, zlib
png = base64.b64decode(re.search(r'image/png;base64,([^"]+)', open("two/report.html").read())[1])
assert struct.unpack(">II", png[16:24]) == (23, 23)
rows = zlib.decompress(png[png.index(b"IDAT") + 4:])
for unit in range(64):
    assert rows[unit // 8 * 3 * 70 + 1 + unit % 8 * 9] == unit, unit
END

# What is wrong is one line.
try "$repo/launch/report" nowhere
refused 3 "^launch/report: nowhere: no such folder, expected that of a run"
mkdir empty
try "$repo/launch/report" one empty -o p.html
refused 3 "^launch/report: empty/metrics.csv: no such file"
check "then nothing is written" test ! -e p.html
# broken FILE CONTENT REGEX: with that in a file of a run.
broken() {
  rm -rf bad
  cp -r one bad
  printf %b "$2" >"bad/$1"
  [[ $1 == model.safetensors ]] || touch bad/confusion.csv bad/weights.ppm
  try "$repo/launch/report" bad
  refused 3 "^launch/report: bad/$1: $3"
}
header=epoch,train_loss,train_accuracy,test_loss,test_accuracy
broken metrics.csv '' "empty, expected a CSV file"
broken metrics.csv "$header\n" "no epoch yet"
broken metrics.csv 'epoch,loss\n1,2\n' "no column train_loss, found 'epoch,loss'"
broken metrics.csv "$header\n1,2,3,4\n" "row 1 has 4 fields, expected 5"
broken metrics.csv "$header\n1,2,3,4,5\n2,x,3,4,5\n" "train_loss in row 2 is 'x', expected a number"
broken metrics.csv "$header\n$(printf %0200000d 0)\n" "field larger than field limit"
broken gradients.csv 'layers.0.weight\n1\n' "no column epoch"
broken summary.json '{' "not JSON"
broken summary.json '[1]' "no object with config and provenance"
broken summary.json '{"config": {}, "provenance": 1}' "no object with config and provenance"
broken model.safetensors 'short' "not readable, expected weights"
broken confusion.csv 'actual,a\na,x\n' ".*expected counts"
broken confusion.csv 'actual,a,b\na,1,2\n' "1 rows for 2 classes"
broken weights.ppm 'P6\n2 2\n255\nxx' "13 bytes, expected a binary PPM"
rm bad/summary.json bad/weights.ppm bad/model.safetensors
echo '= 1' >bad/config.toml
try "$repo/launch/report" bad
refused 3 "^launch/report: bad/config.toml: not TOML"

try "$repo/launch/report"
refused 2 "no RUN"
try "$repo/launch/report" one two
refused 2 "2 runs and no -o FILE"
try "$repo/launch/report" one -o
refused 2 "-o has no value"
try "$repo/launch/report" one -o nowhere/p.html
refused 2 "-o nowhere/p.html: no folder nowhere"
try "$repo/launch/report" one --what
refused 2 "unknown option '--what'"
mkdir taken.html
try "$repo/launch/report" one -o taken.html
refused 2 "taken.html: cannot be written"
check "and nothing is left of the attempt" test -z "$(find . -name '.taken*')"
try "$repo/launch/report" --help
succeeded "Usage: launch/report RUN"
check "no compiled Python is left" test ! -e "$repo/launch/report_page/__pycache__"

finish
