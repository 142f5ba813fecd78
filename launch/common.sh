# shellcheck shell=bash
# What the launch scripts share; sourced, never run. Each script is `launch/NAME`, and names itself so; installed it is
# `lockstep-NAME`.
#
# Exit codes are those of lockstep: 2 the command line or the machine's set-up is wrong, 3 the data is wrong or
# missing, 5 a rank or the network failed.

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

# help: prints the calling script's header comment, with its own name, and out.
help() {
  sed -n -e "s|launch/$name|$me|g" -e '2,/^[^#]/s/^# \{0,1\}//p' "$0"
  exit 0
}

# quota_cores CGROUP_FILE CGROUP_ROOT: the whole cores that CPU quotas leave to the process whose /proc/PID/cgroup
# is CGROUP_FILE, at least 1; nothing where there is no quota. Each group above its own counts too, in
# cgroup v2 (cpu.max) and in v1 (cpu.cfs_quota_us).
quota_cores() {
  local controllers dir found='' group limit period quota
  [[ -r $1 ]] || return 0
  while IFS=: read -r _ controllers group; do
    case ,$controllers, in
      ,,) dir=$2 ;;
      *,cpu,*) dir=$2/$controllers ;;
      *) continue ;;
    esac
    while :; do
      quota=max period=100000
      if [[ -r $dir$group/cpu.max ]]; then
        read -r quota period <"$dir$group/cpu.max"
      elif [[ -r $dir$group/cpu.cfs_quota_us && -r $dir$group/cpu.cfs_period_us ]]; then
        read -r quota <"$dir$group/cpu.cfs_quota_us"
        read -r period <"$dir$group/cpu.cfs_period_us"
      fi
      if [[ $quota =~ ^[0-9]+$ ]]; then
        limit=$((quota < period ? 1 : quota / period))
        found=$((found == 0 || limit < found ? limit : found))
      fi
      [[ $group == */* ]] || break
      group=${group%/*}
    done
  done <"$1"
  echo "$found"
}

# affinity_cpus: the CPUs in the affinity mask. nproc alone would believe OMP_NUM_THREADS.
affinity_cpus() { env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc; }

online_cpus() { getconf _NPROCESSORS_ONLN; }

# physical_cores: the machine's cores, of which each may be several CPUs (hardware threads); 0 if Linux doesn't tell.
physical_cores() {
  cat /sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list 2>/dev/null | sort -u | wc -l
}

# quota: as quota_cores, for this process.
quota() { quota_cores /proc/self/cgroup /sys/fs/cgroup; }

# cores: the cores this process really has: the least of its affinity mask, the machine's cores and its quota.
cores() {
  local least limit
  least=$(affinity_cpus)
  for limit in "$(physical_cores)" "$(quota)"; do
    ((limit == 0 || limit >= least)) || least=$limit
  done
  echo "$least"
}

# whole_machine: true if every online CPU is ours, with no quota below that.
whole_machine() {
  local online limit
  online=$(online_cpus)
  limit=$(quota)
  (($(affinity_cpus) == online && ${limit:-online} >= online))
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

# run_folder WORD...: where `lockstep train WORD...` writes.
run_folder() {
  local config='' out='' name
  while (($#)); do
    case $1 in
      --out) out=${2-} && shift ;;
      --resume | --resume-from | --set | --trace) shift ;;
      --out=*) out=${1#*=} ;;
      -*) ;;
      *) config=$1 ;;
    esac
    shift || break
  done
  name=$(basename -- "$config")
  if [[ $name == config.toml && -z $out ]] && holds_run "$(dirname -- "$config")"; then
    out=$(dirname -- "$config")
  fi
  echo "${out:-runs/${name%.*}}"
}

# holds_run FOLDER: whether a run has left more there than its beginning.
holds_run() { [[ -e $1/summary.json || -e $1/model.safetensors ]] || has_checkpoint "$1"; }

# has_checkpoint RUN: whether there is one to go on from.
has_checkpoint() { compgen -G "$1/checkpoints/step-*.safetensors" >/dev/null; }

# build_folder PRESET: where a preset of CMakePresets.json builds, relative to the repository.
build_folder() { [[ $1 == release ]] && echo build || echo "build-$1"; }
