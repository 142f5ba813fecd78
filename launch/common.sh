# shellcheck shell=bash
# What the launch scripts share; sourced, never run. Each script is `launch/NAME`, and names itself so; installed it is
# `lockstep-NAME`.
#
# Exit codes are those of lockstep: 2 the command line or the machine's set-up is wrong, 3 the data is wrong or
# missing, 5 a rank or the network failed.

export LC_ALL=C.UTF-8 # numbers have a decimal point, and messages are English, wherever the user is at home

# shellcheck disable=SC2034 # for the scripts
repo=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
name=$(basename -- "$0") prefix=launch/
[[ $name != lockstep-* ]] || prefix=lockstep- name=${name#lockstep-}
me=$prefix$name

# installed: true if these scripts are those that `cmake --install` put into share/lockstep.
installed() { [[ ! -e $repo/CMakePresets.json ]]; }

# fail CODE MESSAGE: one line on stderr, and out.
fail() {
  printf '%s: %s\n' "$me" "$2" >&2
  exit "$1"
}

note() { printf '%s: note: %s\n' "$me" "$1" >&2; }
say() { printf '%s: %s\n' "$me" "$1"; }

# progress DONE TOTAL TEXT: says TEXT, in one line that changes where stdout is a terminal (progress_done ends it), elsewhere in
# a line for each quarter of TOTAL.
quarter=0 changing=''
progress() {
  if [[ -t 1 ]]; then
    printf '\r%s: %s\033[K' "$me" "$3"
    changing=yes
  elif ((4 * $1 / $2 != quarter)); then
    quarter=$((4 * $1 / $2))
    ((quarter == 0)) || say "$3"
  fi
}
progress_done() {
  [[ -z $changing ]] || echo
  quarter=0 changing=''
}

# ninja_log LOG: writes what comes on stdin to LOG, and says how far ninja is. False if LOG cannot be written; then what is left
# is read all the same, so that whoever writes it ends in its own way.
ninja_log() {
  local line problem=''
  while IFS= read -r line || [[ -n $line ]]; do
    [[ -n $problem ]] || problem=$({ printf '%s\n' "$line" >>"$1"; } 2>&1) || problem=${problem:-cannot be written}
    [[ ! $line =~ ^\[([0-9]+)/([0-9]+)\]\  ]] ||
      progress "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "building: ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]} done"
  done
  progress_done
  [[ -z $problem ]]
}

# compile LOG LINES COMMAND...: runs COMMAND, a build by ninja, with its output in LOG; where it fails, the last LINES of that
# (all: every one) go to stderr, and the script ends with 1.
compile() {
  local log=$1 lines=$2 problem codes
  shift 2
  problem=$({ : >"$log"; } 2>&1) || fail 1 "$log cannot be written: ${problem##*: }"
  if "$@" 2>&1 | ninja_log "$log"; then return; else codes=("${PIPESTATUS[@]}"); fi
  ((codes[1] == 0)) || fail 1 "$log cannot be written: $({ echo >>"$log"; } 2>&1 | sed 's/.*: //')"
  if [[ $lines == all ]]; then cat -- "$log" >&2; else tail -n "$lines" -- "$log" >&2; fi
  fail 1 "the build failed; all of its output is in $log"
}

# help: prints the calling script's header comment, with its own name, and out.
help() {
  sed -n -e "s|launch/$name|$me|g" -e '2,/^[^#]/s/^# \{0,1\}//p' "$0"
  exit 0
}

# cores: the cores this process really has, as launch/run counts them.
cores() {
  python3 -BESc 'import sys; sys.path.insert(0, sys.argv[1]); from lockstep_launch import machine; print(machine.cores())' \
    "$repo/launch"
}

# cifar10_problem DIR: what keeps DIR from being a complete cifar-10-batches-bin; prints nothing if it is one.
cifar10_problem() {
  local bytes file
  for file in data_batch_{1..5}.bin test_batch.bin batches.meta.txt; do
    bytes=$(stat --dereference --format=%s -- "$1/$file" 2>/dev/null) || bytes=no
    if [[ $file == *.bin && $bytes != 30730000 ]]; then
      echo "$file has $bytes bytes, expected 30730000"
    elif [[ $bytes == no || $bytes == 0 ]]; then
      echo "$file has $bytes bytes, expected the names of the ten classes"
    else
      continue
    fi
    return
  done
}

# build_folder PRESET: where a preset of CMakePresets.json builds, relative to the repository.
build_folder() { [[ $1 == release ]] && echo build || echo "build-$1"; }
