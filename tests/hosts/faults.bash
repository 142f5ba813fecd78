# shellcheck shell=bash
# What can happen to a job of four ranks on h0 and h1, and how that ends; sourced after jobs.bash.

# one HOST NAME: a process of that name there.
one() { processes "$1" "$2" | head -n 1; }

declare -A faults=(
  [killed_rank]="kill -9 of a rank"
  [killed_near_rank]="kill -9 of a rank beside mpirun"
  [killed_daemon]="kill -9 of a host's daemon (orted, prted)"
  [killed_host]="power failure of a host"
  [stopped_rank]="SIGSTOP of a rank"
  [stopped_near_rank]="SIGSTOP of a rank beside mpirun"
  [stopped_ranks]="SIGSTOP of all ranks"
  [stopped_host]="SIGSTOP of a whole host"
  [cut_link]="cut link"
  [cut_data_network]="cut data network, control network alive"
)
killed_rank() { kill -KILL "$(one h1 lockstep)"; }
killed_near_rank() { kill -KILL "$(one h0 lockstep)"; }
killed_daemon() { { processes h1 orted && processes h1 prted; } | xargs kill -s KILL; } # Open MPI 4 has one, 5 has two of the other
killed_host() { kill_host h1; }
stopped_rank() { kill -STOP "$(one h1 lockstep)"; }
stopped_near_rank() { kill -STOP "$(one h0 lockstep)"; }
stopped_ranks() { for host in h0 h1; do processes "$host" lockstep | xargs kill -s STOP; done; }
stopped_host() { stop_host h1; }
cut_link() { isolate h1; }
cut_data_network() { isolate_data h1; }

# suffer FAULT SECONDS: that happens to a job with such a watchdog. Sets `code`, `out`, `err` and `took` as wait_for_end
# does, and `left` to the processes that are still there 10 s later; a stopped host goes on before.
suffer() {
  begin 4 h0:2,h1:2 --set train.epochs=1000000 --set checkpoint.every_epochs=1000 \
    --set reduce.bucket_bytes=256 --set run.watchdog_seconds="$2"
  "$1"
  wait_for_end 60
  [[ $1 != stopped_host ]] || resume_host h1
  left=$(left_running 10)
}
