#!/usr/bin/env bash
# Where the decimal point is a comma: from training to the report, every file is what it is in the C locale.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"

mkdir locales
try localedef --quiet --inputfile=de_DE --charmap=UTF-8 "$work/locales/de_DE.UTF-8"
succeeded
german=(env LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 LOCPATH="$work/locales")
# shellcheck disable=SC2016 # the inner Bash expands
check "one and a half is 1,5 there" test "$("${german[@]}" bash -c 'printf "%.1f" 1,5')" = 1,5

# all COMMAND...: everything that writes or draws numbers, in the working folder; COMMAND is the environment.
all() {
  "$@" "$repo/launch/run" --allow-run-as-root -np 2 --force "$repo/configs/courses/spiral.toml" --quiet --out run --set train.epochs=3 \
    --set log.steps=true --set train.learning_rate=0.25
  "$@" "$repo/launch/run" --allow-run-as-root -np 1 eval run --grid --predictions >eval.txt
  "$@" "$build/lockstep" inspect run >inspect.txt
  "$@" "$build/lockstep" activations >activations.csv
  "$@" "$repo/launch/plot" run
  "$@" "$repo/launch/plot" --activations activations.csv -o activations
  "$@" "$repo/launch/report" run
}
for place in plain comma; do mkdir "$place"; done
export LOCKSTEP=$build/lockstep
cd plain && try all env LC_ALL=C.UTF-8
succeeded "report.html$"
cd ../comma && try all "${german[@]}"
succeeded "report.html$"
cd ..
check "there is nothing to remark on" test -z "$err"

weights() { sed -n 's/.*"weights_hash": "\(.*\)".*/\1/p' "$1/run/summary.json"; }
check "the weights are the same" test "$(weights plain)" = "$(weights comma)"
for file in run/{steps,grid,points,predictions}.csv run/model.safetensors activations.csv activations.svg eval.txt; do
  [[ ! -e plain/$file ]] || check "$file is the same" cmp -s "plain/$file" "comma/$file"
done
check "the metrics are, but for times" diff -q <(cut -d, -f1-6 plain/run/metrics.csv) <(cut -d, -f1-6 comma/run/metrics.csv)
check "no number has a comma" test -z "$(grep -hoE '[0-9],[0-9]+ *%|"[0-9]+,[0-9]+"' comma/run/report.html comma/eval.txt comma/inspect.txt)"

finish
