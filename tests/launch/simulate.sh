#!/usr/bin/env bash
# launch/simulate: what it tells the simulator and the programs, and what it makes of their weights. launch/build, smpirun
# and the programs are stand-ins.
# shellcheck disable=SC2016 # stand-ins expand for themselves
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"

scripts "$work/copy"
mkdir "$work/copy/configs"
cd "$work/copy"
stand_in launch/build <<<':'
# Trains: the weights depend on the ranks if they are those of WRONG.
stand_in build/lockstep <<'END'
echo "$*" >>"$ASKED"
[[ $* != *" bad.toml"* ]] || { echo "lockstep: bad.toml: is bad" >&2; exit 2; }
while (($# > 1)); do
  [[ $1 != --out ]] || mkdir -p "$2" out=$2
  shift
done
[[ ${RANKS-1} == "${WRONG-}" ]] && hash=bbbbbbbbbbbbbbbb || hash=aaaaaaaaaaaaaaaa
mkdir -p "$1"
printf '{\n  "weights_hash": "%s",\n  "provenance": {"kernel_family": "avx2"}\n}\n' "$hash" >"$1/summary.json"
END
stand_in build-simulation/lockstep <build/lockstep
stand_in "$work/bin/smpirun" <<'END'
while [[ $1 != */lockstep ]]; do
  [[ $1 != -np ]] || RANKS=$2
  [[ $1 != -hostfile ]] || wc -l <"$2" >>"$ASKED"
  shift
done
export RANKS
"$@"
END
export PATH=$work/bin:$PATH ASKED=$work/asked

try launch/simulate exact some.toml --ranks 1,12 --set data.shards=16
succeeded "all gave the same weights$"
check "a line for each number of ranks" test "$(grep -cE '(real|simulated) +[0-9]+ +a{16}' <<<"$out")" = 3
check "the real one is trained first" grep -q "^train some.toml --set data.shards=16 --quiet" "$ASKED"
check "there are as many hosts as ranks" grep -qx 12 "$ASKED"
check "simulated ranks have one thread" \
  grep -q -- "--set data.shards=16 --set compute.threads=1 --set run.watchdog_seconds=0" "$ASKED"

try env WRONG=12 launch/simulate exact some.toml --ranks 1,12,2
check "the exit code is 1" test "$code" = 1
check "the difference is shown" grep -qE 'simulated +12 +b{16}' <<<"$out"
check "and said" grep -q "^launch/simulate: 12 simulated ranks gave other weights than one real rank" <<<"$err"

try launch/simulate exact bad.toml
refused 2 "^lockstep: bad.toml: is bad$"
try launch/simulate
refused 2 "'' is no subcommand"
try launch/simulate exact
refused 2 "no CONFIG"
try launch/simulate exact one.toml two.toml
refused 2 "'two.toml' is one argument too many"
try launch/simulate exact some.toml --ranks 0
refused 2 "--ranks is '0'"
try launch/simulate exact some.toml --networks 10gbit
refused 2 "unknown argument '--networks'"
try launch/simulate exact some.toml --set
refused 2 "--set has no value"
try launch/simulate curve --ranks 1,3
refused 2 "--ranks is '1,3', expected 1, then powers of two"
try launch/simulate curve --hidden ten
refused 2 "--hidden is 'ten'"
try launch/simulate curve --networks 1,x
refused 2 "--networks has '1'"

mkdir "$work/few"
for tool in bash env cat dirname readlink basename sed grep gnuplot; do ln -s "$(command -v "$tool")" "$work/few/"; done
PATH=$work/few try launch/simulate exact some.toml
refused 2 "SimGrid is not installed; launch/install-deps --simulation installs it"

finish
