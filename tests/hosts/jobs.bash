# shellcheck shell=bash
# Jobs on the hosts of a world, for the tests of several hosts; sourced inside of it, with `repo` and `program` set.
source "$repo/tests/launch/check.bash" "$repo"
source "$repo/tests/hosts/hosts.bash"

cat >"$work/points.toml" <<'TOML'
seed = 11
[data]
dataset = "circle"
n = 800
noise = 0.2
[model]
hidden = [32, 16]
activation = "tanh"
loss = "binary_cross_entropy"
[train]
batch_size = 64
learning_rate = 0.3
momentum = 0.9
TOML

# Ranks of a host share its memory, those of two hosts use the data network; Open MPI itself uses the other one.
open_mpi="--mca plm_rsh_agent $repo/tests/hosts/agent --mca plm_rsh_no_tree_spawn 1 --mca mpi_yield_when_idle 1
  --mca pml ob1 --mca btl self,vader,tcp --mca btl_tcp_if_include 10.20.0.0/24 --mca oob_tcp_if_include 10.10.0.0/24"

# lockstep RANKS HOST:SLOTS,... WORD...: launch/run on h0 with a training run of these words, into $work/out.
lockstep() {
  on h0 env LOCKSTEP="$program" "$repo/launch/run" --allow-run-as-root -np "$1" --host "$2" "${launch[@]}" \
    --mpi "${open_mpi//$'\n'/ }" "$work/points.toml" --quiet --out "$work/out" "${@:3}"
}
# of_a_rank REGEX: the same, or what is said where Open MPI 5 itself was told of the loss by a rank that is left.
of_a_rank() {
  [[ $(mpirun --version) != *") 5."* ]] || printf '%s|' "a rank was lost, and Open MPI 5 did not say which \(code 14\)"
  echo "$1"
}
launch=() # more options of launch/run

# summary KEY: its value in the finished run's summary.
summary() { sed -n "s/^ *\"$1\": *\"\{0,1\}\([^\",]*\).*/\1/p" "$work/out/summary.json"; }

# begin RANKS HOSTS WORD...: the same in the background, as $job, of a run that takes some seconds. Waits until it has trained for
# some steps, which its heartbeats tell every second.
begin() {
  local step='' i
  tried="$*" code='' out='' err=''
  lockstep "$@" </dev/null >"$work/stdout" 2>"$work/stderr" &
  job=$!
  for ((i = 0; i < 300; ++i)); do
    read -r _ step _ 2>/dev/null <"$work/out/.heartbeat/rank-0" && ((step > 20)) && return
    kill -0 "$job" 2>/dev/null || break
    sleep 0.1
  done
  err=$(<"$work/stderr")
  failed "the job starts within 30 s, and is not over by then"
}

# wait_for_end SECONDS: until the job is over. Sets `code`, `out`, `err`, and `took`, the seconds since the call.
wait_for_end() {
  local start=${EPOCHREALTIME/./} limit=$((10 * $1))
  while kill -0 "$job" 2>/dev/null && ((limit-- > 0)); do sleep 0.1; done
  took=$(((${EPOCHREALTIME/./} - start) / 100000))
  took=$((took / 10)).$((took % 10))
  kill -KILL "$job" 2>/dev/null || true
  code=0
  wait "$job" 2>/dev/null || code=$?
  out=$(<"$work/stdout") err=$(<"$work/stderr")
}

# left_running SECONDS: the processes of all hosts that are still there after so long.
left_running() {
  local limit=$((10 * $1)) host left
  while
    left=''
    for host in "$HOSTS"/h?; do left+=$(processes "${host##*/}" | xargs -r -I{} cat /proc/{}/comm 2>/dev/null | tr '\n' ' '); done
    [[ -n $left ]] && ((limit-- > 0))
  do sleep 0.1; done
  echo "$left"
}
