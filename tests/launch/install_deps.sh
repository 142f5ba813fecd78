#!/usr/bin/env bash
# launch/install-deps: installs what is missing and only that. apt-get and dpkg-query are stand-ins.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"

try "$repo/launch/install-deps" --list
succeeded
for package in g++ cmake ninja-build libopenmpi-dev openmpi-bin libblis-openmp-dev libgtest-dev curl; do
  check "$package is listed" grep -qx -- "$package" <<<"$out"
done
packages=$out
check "what only tests or pictures need is not" test "$(grep -c 'torch\|matplotlib' <<<"$out")" = 0
try "$repo/launch/install-deps" --tests --list
succeeded
drawing=$'\n'python3-matplotlib$'\n'python3-jinja2
check "unless it is asked for" test "$out" = "$packages"$'\n'python3-torch"$drawing"
try "$repo/launch/install-deps" --plots --list
check "pictures alone too" test "$out" = "$packages$drawing"
try "$repo/launch/install-deps" --simulation --list
check "nor what only simulations need" test "$out" = "$packages"$'\n'libsimgrid-dev

# PATH has stand-ins and the few real tools that are needed: no compiler, no curl, no sudo.
bin=$work/bin log=$work/asked
mkdir "$bin"
for tool in bash env cat dirname readlink basename awk sort paste grep head tail mktemp rm mkdir chmod cp setpriv; do
  ln -s "$(command -v "$tool")" "$bin/"
done
export PATH=$bin
stand_in "$bin/dpkg-query" <<'END'
for package; do [[ $package == --* || ! -e $FOUND/$package ]] || echo "ii  $package"; done
exit 1
END
stand_in "$bin/apt-get" <<'END'
echo "$*" >>"$ASKED"
[[ " $* " != *" ${BROKEN:-none} "* ]] || { printf '%s\n' noise "E: not so" "E: later" && exit 100; }
END
export FOUND=$work/found ASKED=$log
: >"$log"
mkdir "$FOUND"
for package in $packages; do : >"$FOUND/$package"; done
chmod -R a+rX "$work"

try "$repo/launch/install-deps"
succeeded '^$'
check "with everything there apt is not asked" test ! -s "$log"

rm "$FOUND/libfmt-dev" "$FOUND/libgtest-dev" "$FOUND/curl"
stand_in "$bin/curl" <<<'exit'
as_user() { "$@"; }
scripts=$repo
if ((EUID == 0)); then
  try "$repo/launch/install-deps"
  succeeded "installing libfmt-dev libgtest-dev$"
  check "apt updates first" grep -q ' update$' "$log"
  check "apt installs what is missing, not what came another way" grep -q ' libfmt-dev libgtest-dev$' "$log"

  try "$repo/launch/install-deps" --tests
  succeeded "installing libfmt-dev libgtest-dev python3-torch python3-matplotlib python3-jinja2$"
  try env BROKEN=update "$repo/launch/install-deps"
  succeeded "installing"
  try env BROKEN=install "$repo/launch/install-deps"
  refused 2 "apt-get could not install libfmt-dev libgtest-dev: E: not so$"

  as_user() { setpriv --reuid=65534 --clear-groups "$@"; }
  scripts "$work/copy" # where another user can read it
  scripts=$work/copy
  chmod -R a+rX "$work"
fi

: >"$log"
try as_user "$scripts/launch/install-deps"
refused 2 "not root and no sudo; as root: apt-get update && apt-get install -y .* libfmt-dev libgtest-dev$"
check "then apt is not asked" test ! -s "$log"

stand_in "$bin/sudo" <<'END'
echo sudo >>"$ASKED"
exec "$@"
END
chmod a+w "$log"
try as_user "$scripts/launch/install-deps"
succeeded "installing libfmt-dev libgtest-dev$"
check "apt is asked through sudo" test "$(head -n 1 "$log")" = sudo

rm "$bin/apt-get"
try "$repo/launch/install-deps"
refused 2 "no apt-get on this machine.* GEMM: libblis-openmp-dev;.* tests: libgtest-dev"
try "$repo/launch/install-deps" --list --what
refused 2 "unknown argument '--what'"

finish
