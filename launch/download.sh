# shellcheck shell=bash
# What get-cifar10 and get-data share; sourced after common.sh, never run. A download appears complete or not at all: it is made
# in $work, a hidden folder beside its place, and what a failed or interrupted one has made goes.

work='' download='' reporter='' made=''
clean() {
  local process
  for process in $download $reporter; do
    kill "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
  done
  [[ -z $work ]] || rm -rf -- "$work"
  [[ -z $made ]] || find "$made" -type d -empty -delete 2>/dev/null || true
}

# make_work FOLDER: makes FOLDER and $work in it.
make_work() {
  local above
  command -v curl >/dev/null || fail 2 "curl is not installed; launch/install-deps installs it"
  trap clean EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  above=$(realpath -m -- "$1")
  while [[ ! -e $above ]]; do # ends with `made` the uppermost folder that this run makes
    made=$above
    above=$(dirname -- "$above")
  done
  mkdir -p -- "$1" 2>/dev/null || fail 3 "$1 cannot be made, expected a folder to write into"
  work=$(mktemp -d -- "$1/.download.XXXXXX" 2>/dev/null) || fail 3 "$1 cannot be written, expected a folder to write into"
}

# report FILE: how much of FILE is here, until it is ended.
report() {
  local bytes total
  while sleep 1 >/dev/null 2>&1; do # it outlives this by a moment, and shall not hold the output open
    total=$(sed -n 's/^content-length: *\([1-9][0-9]*\).*/\1/Ip' "$work/headers" 2>/dev/null | tail -n 1) || true
    bytes=$(stat --format=%s -- "$1" 2>/dev/null) && [[ -n $total ]] || continue
    progress "$bytes" "$total" "downloading: $((bytes / 1000000)) of $((total / 1000000)) MB"
  done
}

# fetch URL FILE MD5 WHAT: downloads WHAT into FILE, and expects that checksum.
# In the background, so that a signal is acted upon at once. A dead connection ends after 20 s, a stalled one after 30.
fetch() {
  local found
  say "downloading $1"
  rm -f -- "$work/headers"
  curl --fail --location --silent --show-error --connect-timeout 20 --speed-limit 1000 --speed-time 30 \
    --retry 2 --retry-delay 2 --dump-header "$work/headers" --output "$2" -- "$1" 2>"$work/error" &
  download=$!
  report "$2" &
  reporter=$!
  wait "$download" || fail 3 "$1: $(tail -n 1 "$work/error"), expected $4"
  download=''
  kill "$reporter" 2>/dev/null || true
  wait "$reporter" 2>/dev/null || true
  reporter=''
  [[ ! -t 1 ]] || echo
  found=$(md5sum <"$2")
  [[ ${found%% *} == "$3" ]] || fail 3 "$1: checksum ${found%% *}, expected $3"
}

# put FOLDER TARGET: moves what is complete to its place; another run may have done so meanwhile: "$@" from the third on prints
# what keeps TARGET from being complete.
put() {
  local from=$1 target=$2
  shift 2
  mv -T -- "$from" "$target" 2>/dev/null || [[ -z $("$@" "$target") ]] ||
    fail 3 "$target appeared meanwhile and is incomplete, expected to put the data there"
  say "$target is complete"
}

# get_archive URL MD5 TARGET TITLE PROBLEM: the folder TARGET out of a .tar.gz archive of TITLE that has one of this name;
# PROBLEM, a function, prints what keeps a folder from being complete.
get_archive() {
  local url=$1 md5=$2 target=$3 title=$4 problem_of=$5 problem
  make_work "$(dirname -- "$target")"
  fetch "$url" "$work/archive" "$md5" "the $title archive"
  tar -xzf "$work/archive" -C "$work" --no-same-owner 2>/dev/null ||
    fail 3 "$url: cannot be unpacked, expected a .tar.gz archive"
  problem=$("$problem_of" "$work/${target##*/}")
  [[ -z $problem ]] || fail 3 "$url: in ${target##*/}, $problem"
  put "$work/${target##*/}" "$target" "$problem_of"
}

# expect_new TARGET PROBLEM: ends the script where TARGET is there already; PROBLEM as for get_archive.
expect_new() {
  local problem
  [[ -e $1 ]] || return 0
  problem=$("$2" "$1")
  [[ -z $problem ]] || fail 3 "$1 is there but incomplete: $problem; remove it to download it again"
  say "$1 is there and complete"
  exit
}
