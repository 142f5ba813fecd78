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
stand_in "$work/bin/cmake" <<'END'
echo "cmake $*" | tee -a "$ASKED"
[[ $1 != --build ]] || for ((i = 1; i <= ${STEPS:-0}; i++)); do echo "[$i/$STEPS] Building CXX object"; done
[[ $1 != "${BROKEN-}" ]] || exit 9
END
stand_in "$work/bin/ctest" <<<'echo "ctest $*"; exit 8'
export PATH=$work/bin:$PATH ASKED=$work/asked

try launch/build
succeeded "^launch/build: building release into build/$"
check "nothing more is said" test -z "$err"
check "cmake configures, then builds the program on the cores" test "$(<"$ASKED")" = "cmake --preset release -DLOCKSTEP_TESTS=OFF
cmake --build build --target lockstep --parallel 3"
check "what cmake said is in the log" diff -q "$ASKED" build/build.log

rm "$ASKED"
try launch/build asan-ubsan
succeeded "building asan-ubsan into build-asan-ubsan/"
check "cmake builds that" test "$(<"$ASKED")" = "cmake --preset asan-ubsan -DLOCKSTEP_TESTS=OFF
cmake --build build-asan-ubsan --target lockstep --parallel 3"

rm "$ASKED"
try launch/build --tests
succeeded "building release and its tests into build/"
check "with tests cmake builds everything" test "$(<"$ASKED")" = "cmake --preset release -DLOCKSTEP_TESTS=ON
cmake --build build --parallel 3"

# A folder that was configured keeps its tests; one that came from elsewhere is not cmake's to explain.
rm "$ASKED"
echo "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" >build/CMakeCache.txt
try launch/build
check "tests that are configured stay so" test "$(<"$ASKED")" = "cmake --preset release
cmake --build build --target lockstep --parallel 3"
echo "CMAKE_HOME_DIRECTORY:INTERNAL=/before/it/moved" >build/CMakeCache.txt
try launch/build
refused 1 "^launch/build: build/ was made for the sources in /before/it/moved, expected those in $PWD: remove build/$"
rm build/CMakeCache.txt

# How far it is.
try env STEPS=8 launch/build
succeeded "building: 2 of 8 done.*building: 4 of 8 done.*building: 8 of 8 done$"
check "each step is in the log" test "$(grep -c '^.[1-8]/8. Building' build/build.log)" = 8

# A log that cannot be written: before the build, and in the midst of it.
rm "$ASKED" build/build.log && mkdir build/build.log
try launch/build
refused 1 "^launch/build: build/build.log cannot be written: Is a directory$"
check "then nothing is built" test ! -e "$ASKED"
rmdir build/build.log && ln -s /dev/full build/build.log
try launch/build
refused 1 "^launch/build: build/build.log cannot be written: No space left on device$"
rm build/build.log && mv build aside && touch build
try launch/build
refused 1 "^launch/build: build/ cannot be made"
rm build && mv aside build

for step in --preset --build; do
  try env BROKEN=$step launch/build
  check "the exit code is 1" test "$code" = 1
  check "what $step said is shown" grep -q "^cmake $step" <<<"$err"
  check "and where it is" grep -q "^launch/build: the build failed; .* build/build.log" <<<"$err"
done

try launch/build nonsense
refused 2 "no preset 'nonsense' in CMakePresets.json"
check "no folder is made for it" test ! -e build-nonsense

cd "$work"
try copy/launch/test -R Some -V
check "the exit code is that of ctest" test "$code" = 8
check "install, build, test" test "$out" = "install-deps --tests
launch/build: building release and its tests into build/
ctest --test-dir $work/copy/build --output-on-failure --parallel 6 -R Some -V"
try copy/launch/test --preset debug
check "another preset's folder" test "$out" = "install-deps --tests
launch/build: building debug and its tests into build-debug/
ctest --test-dir $work/copy/build-debug --output-on-failure --parallel 6"
try copy/launch/test fast -V
check "the fast ones have a label" grep -q -- "--parallel 6 --label-regex ^fast\$ -V$" <<<"$out"
stand_in copy/launch/fuzz <<<'echo fuzz $*'
try copy/launch/test --long
check "the long ones are a configuration" grep -q -- "--parallel 6 --build-config Long$" <<<"$out"
check "to which broken inputs belong" grep -qx fuzz <<<"$out"
try copy/launch/test --preset
refused 2 "--preset has no value"
try env BROKEN=--build copy/launch/test
check "no test without a build" test "$code" = 1 -a "${out/ctest/}" = "$out"

finish
