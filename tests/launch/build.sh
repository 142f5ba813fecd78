#!/usr/bin/env bash
# launch/build and launch/test: the right preset and folder, quiet unless the build fails. cmake and ctest are
# stand-ins.
# shellcheck disable=SC2016 # stand-ins expand for themselves
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"

scripts "$work/copy"
machine "$work/copy" 3 4 4
cd "$work/copy"
stand_in launch/install-deps <<<'echo install-deps $*'
stand_in "$work/bin/cmake" <<<'echo "cmake $*" | tee -a "$ASKED"; [[ $1 != "${BROKEN-}" ]] || exit 9'
stand_in "$work/bin/ctest" <<<'echo "ctest $*"; exit 8'
export PATH=$work/bin:$PATH ASKED=$work/asked

try launch/build
succeeded "^launch/build: building release into build/$"
check "nothing more is said" test -z "$err"
check "cmake configures, then builds on the cores" test "$(<"$ASKED")" = "cmake --preset release
cmake --build build --parallel 3"
check "what cmake said is in the log" diff -q "$ASKED" build/build.log

rm "$ASKED"
try launch/build asan-ubsan
succeeded "building asan-ubsan into build-asan-ubsan/"
check "cmake builds that" test "$(<"$ASKED")" = "cmake --preset asan-ubsan
cmake --build build-asan-ubsan --parallel 3"

for step in --preset --build; do
  try env BROKEN=$step launch/build
  check "the exit code is 1" test "$code" = 1
  check "what $step said is shown" grep -q "^cmake $step" <<<"$err"
  check "and where it is" grep -q "^launch/build: the release build failed; .* build/build.log" <<<"$err"
done

try launch/build nonsense
refused 2 "no preset 'nonsense' in CMakePresets.json"
check "no folder is made for it" test ! -e build-nonsense

cd "$work"
try copy/launch/test -R Some -V
check "the exit code is that of ctest" test "$code" = 8
check "install, build, test" test "$out" = "install-deps --tests
launch/build: building release into build/
ctest --test-dir $work/copy/build --output-on-failure --parallel 3 -R Some -V"
try copy/launch/test --preset debug
check "another preset's folder" test "$out" = "install-deps --tests
launch/build: building debug into build-debug/
ctest --test-dir $work/copy/build-debug --output-on-failure --parallel 3"
try copy/launch/test --preset
refused 2 "--preset has no value"
try env BROKEN=--build copy/launch/test
check "no test without a build" test "$code" = 1 -a "${out/ctest/}" = "$out"

finish
