#!/usr/bin/env bash
# README's commands do what it says, as they are written there, one after the other in a copy of the repository. Only the program is
# a little shorter: training takes one epoch of few samples, from made-up images. What this machine cannot have, a cluster and
# hours, is left to --help, and named below.
#
# Usage: readme.sh REPOSITORY BUILD
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cp -r "$repo"/{launch,configs,README.md,LICENSE,CMakePresets.json} "$work"
mkdir -p "$work/results" "$work/src" "$work/tests"
cd "$work"
export OMP_WAIT_POLICY=passive HOME=$work PROGRAM=$build/lockstep

# What a command that trains on CIFAR-10 is given besides; the last of two settings of a key counts.
stand_in build/lockstep <<'END'
short=()
if [[ $* == *cifar10* && $1 =~ ^(train|verify|predict)$ ]]; then
  short=(--set data.dataset=synthetic --set data.train_samples=256 --set data.test_samples=64)
  [[ $* == *train.epochs=* ]] || short+=(--set train.epochs=1)
fi
exec "$PROGRAM" "$@" "${short[@]}"
END
# The search: twelve trials, of two epochs and few samples each.
sed -i 's/^config = .*/config = "small.toml"/' configs/sweeps/ex6_depth_and_width.toml
printf '[data]\ndataset = "synthetic"\ntrain_samples = 256\ntest_samples = 64\n[train]\nepochs = 1\n' >configs/sweeps/small.toml

# Commands of README's sh blocks, without what follows a #.
mapfile -t commands < <(sed -n '/^```sh$/,/^```$/{/^```/d;s/  *#.*//;p}' README.md)
check "README has commands" test "${#commands[@]}" -gt 30

said_to_take_long='launch/quickstart launch/test launch/fuzz launch/bench launch/courses launch/simulate launch/test-processors'
ran=0
for command in "${commands[@]}"; do
  first=${command%% *}
  case $command in
    node?*slots=* | 'cat hosts') continue ;;                       # a file that is shown
    sbatch* | *--hostfile*) first=${command##*launch/} first=launch/${first%% *} ;; # on several hosts: hosts/ and slurm.sh do
    'cmake --install'*)                                            # installed where the build is
      (cd "$build/.." && cmake --install "$build" --prefix "$work/.local" >/dev/null)
      check "$command: lockstep is there" test -x "$work/.local/bin/lockstep"
      continue
      ;;
  esac
  if [[ " $said_to_take_long " == *" $first "* || $command == sbatch* || $command == *--hostfile* ]]; then
    [[ $first == *.sbatch ]] || { try "$first" --help && check "$first --help" grep -q "Usage: $first" <<<"$out"; }
    check "$first is there" test -e "$first"
    continue
  fi
  [[ $command != *'launch/run -np'* ]] || command=${command/launch\/run /launch/run --force --allow-run-as-root }
  [[ $command != launch/scaling* ]] || command+=' --repeats 1 --epochs 1'
  try bash -c "$command"
  check "$command" test "$code" = 0
  ran=$((ran + 1))
done
check "most of them ran" test "$ran" -gt 20

# And what they are said to leave.
for file in runs/cifar10_dense100/summary.json runs/small/{model.safetensors,confusion.csv,report.html} tables/confusion.csv \
  runs/ex6_depth_and_width/trials.csv both.html both.svg functions.png results/scaling/cifar10_mlp/report.md; do
  check "there is $file" test -s "$file"
done

finish
