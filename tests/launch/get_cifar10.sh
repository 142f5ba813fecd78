#!/usr/bin/env bash
# launch/get-cifar10: the data appears whole or not at all.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/check.bash"

# An archive like the published one, of zeros, as sparse files.
archive=$work/source/cifar-10-binary.tar.gz
mkdir -p "$work/source/cifar-10-batches-bin"
cd "$work/source"
truncate -s 30730000 cifar-10-batches-bin/{data_batch_{1..5},test_batch}.bin
printf 'airplane\n' >cifar-10-batches-bin/batches.meta.txt
pack() { tar -czSf "$1" cifar-10-batches-bin; }
pack "$archive"

# get URL [DIR]: downloads into DIR, with the checksum of the file there taken as the right one.
get() { md5=$(md5sum <"${1#file://}") && CIFAR10_URL=$1 CIFAR10_MD5=${md5%% *} "$repo/launch/get-cifar10" "${@:2}"; }
bytes() { cat "$1"/*.bin | wc -c; }

data=$work/good
try get "file://$archive" "$data"
succeeded "is complete"
check "six files of 30,730,000 bytes are there" test "$(bytes "$data/cifar-10-batches-bin")" = 184380000
check "nothing else is there" test "$(ls -A "$data")" = cifar-10-batches-bin

try env CIFAR10_URL=file:///nowhere "$repo/launch/get-cifar10" "$data"
succeeded "there and complete"

truncate -s 5 "$data/cifar-10-batches-bin/data_batch_3.bin"
try get "file://$archive" "$data"
refused 3 "data_batch_3.bin has 5 bytes, expected 30730000"
check "files that were there are left alone" test "$(stat -c %s "$data/cifar-10-batches-bin/data_batch_3.bin")" = 5

data=$work/bad/deep
gone() { check "nothing is left behind" test ! -e "$work/bad"; }

try env CIFAR10_URL="file://$archive" "$repo/launch/get-cifar10" "$data"
refused 3 "checksum $(md5sum <"$archive" | cut -c1-32), expected c32a1d4ab5d03f1284b67883e8d87530"
gone

head -c $(($(stat -c %s "$archive") / 2)) "$archive" >"$work/truncated.tar.gz"
try get "file://$work/truncated.tar.gz" "$data"
refused 3 "truncated.tar.gz: cannot be unpacked"
gone

try env CIFAR10_URL="file://$work/nowhere" "$repo/launch/get-cifar10" "$data"
refused 3 "file://$work/nowhere: curl: .*expected the CIFAR-10 archive"
gone

try env CIFAR10_URL=http://127.0.0.1:1/ "$repo/launch/get-cifar10" "$data"
refused 3 "127.0.0.1.*expected the CIFAR-10 archive"
gone

mv cifar-10-batches-bin/test_batch.bin "$work/aside"
pack "$work/missing.tar.gz"
try get "file://$work/missing.tar.gz" "$data"
refused 3 "missing.tar.gz: .*test_batch.bin has no bytes, expected 30730000"
gone

mkdir "$work/existing"
try get "file://$work/missing.tar.gz" "$work/existing"
check "a folder that was there stays, empty" empty_folder "$work/existing"

# A download that hangs: curl waits for someone to write into the pipe.
mkfifo "$work/pipe"
for signal in TERM HUP; do
  CIFAR10_URL=file://$work/pipe "$repo/launch/get-cifar10" "$data" >/dev/null 2>"$work/stderr" &
  for ((i = 0; i < 50; i++)); do
    [[ -z $(find "$data" -name error 2>/dev/null) ]] || break
    sleep 0.1
  done
  check "the download is under way" test "$i" -lt 50
  kill -"$signal" $!
  try wait $!
  check "after $signal the exit code is 143" test "$code" = 143
  check "it ends without a word" test ! -s "$work/stderr"
  gone
done

try "$repo/launch/get-cifar10" --what
refused 2 "unknown option '--what'"
try "$repo/launch/get-cifar10" a b
refused 2 "2 arguments, expected one folder at most"
try "$repo/launch/get-cifar10" /proc/here
refused 3 "/proc/here cannot be made"

finish
