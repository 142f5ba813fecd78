#!/usr/bin/env bash
# src/base/commit.cmake: what the program is told of the commit that it is built from.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"
cd "$work"

# told SOURCE: what a build of that folder would be told.
told() {
  try cmake -DSOURCE="$work/$1" -DOUTPUT="$work/commit.cpp" -P "$repo/src/base/commit.cmake"
  out=$(sed -n 's/.*kCommit = "\(.*\)";/\1/p' commit.cpp)
}

mkdir plain && told plain
check "a folder outside of a repository has no commit" test "$out" = unknown

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git init -q tree && echo one >tree/file && git -C tree add file
git -C tree -c user.name=n -c user.email=e commit -qm m
git -C tree tag v1
told tree
check "the commit is named" test "$out" = "$(git -C tree rev-parse --short=12 HEAD)"
written=$(stat --format=%y commit.cpp)
told tree
check "a file that says so already stays" test "$(stat --format=%y commit.cpp)" = "$written"
echo two >tree/file && told tree
check "a change is noted" test "$out" = "$(git -C tree rev-parse --short=12 HEAD), modified"
mkdir tree/within && told tree/within
check "a repository that the source merely lies in is another's" test "$out" = unknown

finish
