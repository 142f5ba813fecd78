#!/usr/bin/env bash
# launch/scaling with the real program: a small study is complete, and all of its runs trained the same weights.
#
# Usage: scaling.sh REPOSITORY LOCKSTEP
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"
export LOCKSTEP=$build/lockstep OMP_WAIT_POLICY=passive

# Two cores of a machine of four: nothing is bound, the same on any machine.
scripts copy
machine copy 2 4 4
cat >points.toml <<'END'
[data]
dataset = "circle"
n = 240
[model]
hidden = [6]
loss = "binary_cross_entropy"
[train]
batch_size = 16
learning_rate = 0.1
END

try copy/launch/scaling points.toml --ranks 3,1,2 --repeats 3 --epochs 2 --out strong
succeeded
for file in runs.csv study.json report.md scaling.svg scaling.png; do
  check "there is $file" test -s strong/$file
done
check "and nothing else" test "$(find strong -mindepth 1 | wc -l)" = 5
columns=ranks,threads,hosts,repeat,oversubscribed,batch_size,train_samples,seconds,samples_per_second,compute_seconds
columns+=,wait_seconds,transfer_seconds,weights_hash,placement
check "these are the columns" test "$(head -n 1 strong/runs.csv)" = "$columns"
# of COLUMN: its values, sorted, each once.
of() {
  python3 -c 'import csv, sys; print(*sorted({row[sys.argv[2]] for row in csv.DictReader(open(sys.argv[1]))}), end=" ")' "$folder/runs.csv" "$1"
}
folder=strong
order=$(tail -n +2 strong/runs.csv | cut -d, -f1,4 | tr '\n' ' ')
check "all points take turns, forth and back" test "$order" = "1,1 2,1 3,1 3,2 2,2 1,2 1,3 2,3 3,3 "
check "three ranks on two cores are oversubscribed, and no others" test \
  "$(tail -n +2 strong/runs.csv | cut -d, -f1,5 | sort -u | tr '\n' ' ')" = "1,0 2,0 3,1 "
check "half of the points are trained on, in the batch that is configured" test "$(of train_samples)$(of batch_size)" = "120 16 "
check "there is one hash, of 16 digits" grep -Eq '^[0-9a-f]{16} $' <<<"$(of weights_hash)"
hash=$(of weights_hash)
check "three ranks are on one host" grep -Eq '^3,1,1,.*,(([^;,]+: [-0-9,]+)(; )?){3}$' <(tr -d '"' <strong/runs.csv)
check "the report says that the weights are equal" grep -q "All 9 runs ended with the same weights, $hash" <(sed 's/\.\*\*/ /' strong/report.md)
check "so does the figure" grep -q "All 9 runs ended with the same weights, ${hash% }\." strong/scaling.svg
check "the report names the command" grep -q -- "\`launch/scaling points.toml --ranks 3,1,2 --repeats 3 --epochs 2 --out strong\`" strong/report.md
check "progress names the point" grep -q 'run 9 of 9: 3 ranks x 1 thread, repeat 3: .* s an epoch, oversubscribed, weights' <<<"$err"

# The hash is that of a run of an epoch more, the warm-up.
"$LOCKSTEP" train points.toml --quiet --set train.epochs=3 --out alone
check "the weights are those of training" grep -q "\"weights_hash\": \"${hash% }\"" alone/summary.json

# Predictions are added to a study that is there, for the points that scale.
try copy/launch/scaling points.toml --ranks 3,1,2 --repeats 3 --epochs 2 --predict --out strong
succeeded
check "each repeat that scales is predicted" test "$(tail -n +2 strong/predicted.csv | cut -d, -f1-3 | tr '\n' ' ')" = \
  "1,1,1 2,1,1 2,1,2 1,1,2 1,1,3 2,1,3 "
check "the runs are those of before" test "$(tail -n +2 strong/runs.csv | cut -d, -f1,4 | tr '\n' ' ')" = "$order"
check "the report has them" grep -q '^| 2 ranks x 1 thread | .* | [0-9.]* | [+-][0-9]* % |$' strong/report.md

# Weak: a batch for each number of ranks. Threads do not change weights.
try copy/launch/scaling points.toml --ranks 1,2 --threads 1,2 --repeats 1 --epochs 1 --weak --set data.shards=4 --out weak
succeeded
folder=weak
check "the batch grows with the ranks" test "$(tail -n +2 weak/runs.csv | cut -d, -f1,2,6 | tr '\n' ' ')" = "1,1,16 1,2,16 2,1,32 2,2,32 "
check "so there are two hashes" test "$(of weights_hash | wc -w)" = 2
check "which is what the report says" grep -q "All 4 runs: equal weights wherever the batch is the same" weak/report.md
finish
