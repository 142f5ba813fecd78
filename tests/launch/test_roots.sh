#!/usr/bin/env bash
# launch/test-roots: what it says where it cannot make a root. debootstrap is a stand-in.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"

chmod a+rx "$work"
scripts "$work/copy"
chmod -R a+rX "$work/copy"
roots=$work/copy/launch/test-roots

try "$roots" --wrong
refused 2 "^launch/test-roots: unknown option '--wrong', expected --no-tests or releases of Debian$"
try "$roots" --help
succeeded "Usage: launch/test-roots"
if ((EUID == 0)); then
  try setpriv --reuid=65534 --clear-groups "$roots"
else
  try "$roots"
fi
refused 2 "^launch/test-roots: not root: "

if ((EUID == 0)); then
  mkdir "$work/bin"
  for tool in bash env cat dirname readlink basename mkdir sed head tail rm cp; do ln -s "$(command -v "$tool")" "$work/bin/"; done
  try env PATH="$work/bin" "$roots"
  refused 2 "^launch/test-roots: debootstrap is not installed; apt-get install debootstrap$"
  stand_in "$work/bin/debootstrap" <<<'echo "E: No such script: $2" && exit 1'
  try env PATH="$work/bin" "$roots" woody
  check "the exit code is 2" test "$code" = 2
  check "it names the release, and what debootstrap said" test "$err" = \
    "launch/test-roots: debootstrap cannot make woody: E: No such script: woody"
fi

finish
