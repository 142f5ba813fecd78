#!/usr/bin/env bash
# launch/install-deps: installs what is missing and only that. apt-get and dpkg-query are stand-ins.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"

# lists OPTIONS: the packages are then in $out.
lists() {
  try "$repo/launch/install-deps" "$@" --list
  succeeded
}
lists
for package in g++ cmake ninja-build libopenmpi-dev openmpi-bin libblis-openmp-dev python3 curl; do
  check "$package is listed" grep -qx -- "$package" <<<"$out"
done
packages=$out
for package in libgtest-dev iproute2 python3-matplotlib python3-torch libsimgrid-dev; do
  check "$package, which only tests or pictures need, is not" test -z "$(grep -x -- "$package" <<<"$out")"
done
lists --pictures
check "pictures need a few more" grep -qx python3-matplotlib <<<"${out#"$packages"}"
pictures=${out#"$packages"}
lists --tests
check "tests need more, pictures among it" test "${out#"$packages$pictures"}" != "$out"
for package in libgtest-dev python3-pytest iproute2 git python3-torch; do
  check "$package is listed for tests" grep -qx -- "$package" <<<"$out"
done
tests=$out
lists --simulation
check "simulations need SimGrid" test "$out" = "$packages"$'\n'libsimgrid-dev
lists --arm
check "64-bit Arm needs a cross compiler and qemu" test "$out" = "$packages"$'\ng++-aarch64-linux-gnu\nqemu-user-static\npkgconf'
lists --pictures --tests
check "what is needed twice is listed once" test "$out" = "$tests"

# PATH has stand-ins and the few real tools that are needed: no compiler, no curl, no sudo.
bin=$work/bin log=$work/asked
mkdir "$bin"
for tool in bash env cat sed dirname readlink basename sort paste grep head tail mktemp rm mkdir chmod cp setpriv; do
  ln -s "$(command -v "$tool")" "$bin/"
done
export PATH=$bin
stand_in "$bin/dpkg-query" <<'END'
for package; do [[ $package == --* || ! -e $FOUND/$package ]] || echo "ii  $package"; done
exit 1
END
stand_in "$bin/apt-get" <<'END'
echo "$*" >>"$ASKED"
[[ " $* " != *" install "* ]] || printf '%s\n' dlstatus:1:26.4:Retrieving pmstatus:a:51.2:Unpacking pmstatus:a:99.9:Configuring
[[ " $* " != *" ${BROKEN:-none} "* ]] || { printf '%s\n' noise "E: not so" "E: later" && exit 100; }
END
export FOUND=$work/found ASKED=$log
: >"$log"
mkdir "$FOUND"
for package in $tests; do : >"$FOUND/$package"; done
chmod -R a+rX "$work"

try "$repo/launch/install-deps"
succeeded '^$'
check "with everything there apt is not asked" test ! -s "$log"

rm "$FOUND/libfmt-dev" "$FOUND/libcsv-dev" "$FOUND/libgtest-dev" "$FOUND/curl"
stand_in "$bin/curl" <<<'exit'
as_user() { "$@"; }
scripts=$repo
if ((EUID == 0)); then
  try "$repo/launch/install-deps"
  succeeded "installing libfmt-dev libcsv-dev"
  check "it says how far it is" grep -q "^launch/install-deps: downloading packages: 26 %$" <<<"$out"
  check "of both" grep -q "^launch/install-deps: installing packages: 51 %$" <<<"$out"
  check "apt updates first" grep -q ' update$' "$log"
  check "apt installs what is missing, not what came another way" grep -q ' libfmt-dev libcsv-dev$' "$log"

  try "$repo/launch/install-deps" --tests
  succeeded "installing libfmt-dev libcsv-dev libgtest-dev"
  try env BROKEN=update "$repo/launch/install-deps"
  succeeded "installing"
  try env BROKEN=install "$repo/launch/install-deps"
  refused 2 "apt-get could not install libfmt-dev libcsv-dev: E: not so$"

  as_user() { setpriv --reuid=65534 --clear-groups "$@"; }
  scripts "$work/copy" # where another user can read it
  scripts=$work/copy
  chmod -R a+rX "$work"
fi

: >"$log"
try as_user "$scripts/launch/install-deps"
refused 2 "not root and no sudo; as root: apt-get update && apt-get install -y .* libfmt-dev libcsv-dev$"
check "then apt is not asked" test ! -s "$log"

stand_in "$bin/sudo" <<'END'
echo sudo >>"$ASKED"
exec "$@"
END
chmod a+w "$log"
try as_user "$scripts/launch/install-deps"
succeeded "installing libfmt-dev libcsv-dev"
check "apt is asked through sudo" test "$(head -n 1 "$log")" = sudo

rm "$bin/apt-get"
try "$repo/launch/install-deps"
refused 2 "no apt-get on this machine.* GEMM: libblis-openmp-dev;.* tools: python3"
try "$repo/launch/install-deps" --list --what
refused 2 "unknown argument '--what'"

finish
