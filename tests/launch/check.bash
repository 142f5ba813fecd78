# shellcheck shell=bash
# What the tests of the launch scripts share. A test is run with the repository and its build folder as arguments, makes
# files in $work only, prints what failed, and ends with `finish`.

repo=$(cd -- "${1:?usage: $0 REPOSITORY BUILD}" && pwd)
# shellcheck disable=SC2034 # for the tests
build=${2:-$repo/build}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failures=0
unset LOCKSTEP "${!CIFAR10_@}" "${!BLIS_@}" "${!OMP_@}" "${!SLURM_@}" PBS_NODEFILE LSB_DJOB_HOSTFILE

# try COMMAND...: runs it; its exit code, stdout and stderr are then in $code, $out and $err.
try() {
  tried="$*" code=0
  "$@" >"$work/.out" 2>"$work/.err" </dev/null || code=$?
  out=$(<"$work/.out") err=$(<"$work/.err")
}

failed() {
  printf 'FAILED: %s\n  after:  %s\n  code:   %s\n  stdout: %s\n  stderr: %s\n' "$1" "$tried" "$code" "$out" "$err"
  failures=$((failures + 1))
}

# check CLAIM CONDITION...: the condition is a command.
check() { "${@:2}" || failed "$1"; }

# refused CODE REGEX: what was tried ended with that code and one line on stderr that matches.
refused() {
  [[ $code == "$1" ]] || failed "the exit code is $1"
  [[ $err =~ $2 && $err != *$'\n'* ]] || failed "stderr is one line like '$2'"
}

# succeeded [REGEX]: it ended with 0, and stdout matches.
succeeded() {
  [[ $code == 0 ]] || failed "the exit code is 0"
  [[ $out =~ ${1-} ]] || failed "stdout is like '${1-}'"
}

empty_folder() { [[ -z $(ls -A -- "$1") ]]; }

# scripts FOLDER: a copy of the launch scripts in a repository of its own, to be given stand-ins.
scripts() {
  mkdir -p -- "$1"
  cp -r -- "$repo/launch" "$repo/CMakePresets.json" "$1"
}

# stand_in FILE: makes FILE a Bash script of what comes on stdin.
stand_in() {
  mkdir -p -- "$(dirname -- "$1")"
  { echo '#!/usr/bin/env bash' && cat; } >"$1"
  chmod 755 -- "$1"
}

# machine FOLDER CPUS ONLINE PHYSICAL QUOTA: that copy of the scripts sees a machine like this.
machine() {
  cat >>"$1/launch/lockstep_launch/machine.py" <<END
def affinity_cpus(): return $2
def online_cpus(): return $3
def physical_cores(): return $4
def quota(): return ${5:-None}
END
}

finish() {
  ((failures == 0)) || { echo "$failures failed" && exit 1; }
}
