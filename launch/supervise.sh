# shellcheck shell=bash
# How launch/run runs one mpirun job: signals, what Open MPI says, and a guard against an mpirun that hangs. Sourced.

# mpirun given INT or TERM kills the ranks within 2 s and returns 1. USR1 it passes on to all of them, on every
# host, and returns what they return; one that comes while it is still starting them is lost, hence the repetition.
asked='' forced='' woken=''
# shellcheck disable=SC2317 # traps call it
stop() {
  woken=yes
  if [[ -z $asked ]]; then
    asked=$1 asked_at=$SECONDS
    while kill -USR1 "$mpirun"; do sleep 2; done >/dev/null 2>&1 &
  elif [[ -z $forced ]] && ((SECONDS - asked_at >= 2)); then # at once it is the same one: timeout sends it twice
    forced=yes # on a second TERM mpirun would leave without its ranks
    kill -TERM "$mpirun" 2>/dev/null || true
    { sleep 10 && kill -KILL -- "-$mpirun"; } >/dev/null 2>&1 & # Open MPI's signal handling can lock itself up
  fi
}

# filter FILE: lets the ranks' lines pass; what Open MPI says itself, between rules, after [host:pid] or mpirun:, goes to the file.
filter() {
  trap '' INT TERM HUP USR1
  awk -v file="$1" '
    /^-----------------------------------*$/ { inside = !inside; next }
    inside || /^\[[^] ]*:[0-9]+\] / || /^mpirun: / { print > file; fflush(file); next }
    { print; fflush() }'
}

# newest FOLDER: when its newest file was written, in seconds; nothing if it has none.
newest() { find "$1" -type f -printf '%T@\n' 2>/dev/null | sort -g | tail -n 1; }

# guard FOLDER SECONDS: ends mpirun when ranks have written heartbeats there since now, but none for that long.
guard() {
  local began last
  began=$(date +%s)
  while sleep 1; do
    last=$(newest "$1")
    [[ -n $last ]] && ((${last%.*} >= began)) || continue
    (($(date +%s) - ${last%.*} > $2)) || continue
    touch "$work/guarded"
    kill -KILL -- "-$mpirun" 2>/dev/null
    return
  done
}

# place RANK: " on HOST, at step N in PHASE", from its heartbeat.
place() {
  local step host phase
  read -r _ _ step host phase 2>/dev/null <"$heartbeats/rank-$1" || return 0
  echo " on $host, at step $step in $phase,"
}

# supervise HEARTBEATS SECONDS COMMAND...: runs it. Sets `code`, and `killed` to a line on the rank or host that was lost,
# if Open MPI or the heartbeats tell.
supervise() {
  heartbeats=$1
  local patience=${2%.*} guarding='' i rank signal watched=$2
  shift 2
  local by_signal='process rank ([0-9]+) with PID [0-9]+ on node [^ ]+ exited on signal ([0-9]+)'
  killed=''
  work=$(mktemp -d)
  exec {errors}> >(filter "$work/said" >&2)
  local filtering=$!
  if [[ -n $verbose ]]; then exec {errors}>&2; fi

  # In a process group of its own, so that Ctrl-C comes to this script alone. Should the script be killed, mpirun gets
  # a TERM.
  local under=()
  ! setpriv --pdeathsig TERM true 2>/dev/null || under=(setpriv --pdeathsig TERM)
  set -m
  "${under[@]}" "$@" </dev/null 2>&"$errors" &
  mpirun=$!
  set +m
  trap 'stop 130' INT
  trap 'stop 143' TERM HUP USR1
  if [[ $heartbeats != /.heartbeat && $watched != 0 ]]; then
    guard "$heartbeats" $((patience + 15)) 2>/dev/null &
    guarding=$!
  fi
  while # a signal ends `wait`, not mpirun
    woken='' code=0
    wait "$mpirun" 2>/dev/null || code=$?
    [[ -n $woken ]]
  do :; done
  [[ -z $guarding ]] || kill "$guarding" 2>/dev/null || true
  exec {errors}>&-
  for ((i = 0; i < 30; ++i)); do # the filter ends with the last that writes to it; one that outlives mpirun is not waited for
    kill -0 "$filtering" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$filtering" 2>/dev/null || true

  if [[ -e $work/guarded ]]; then
    killed="no rank has shown a sign of life for $((patience + 15)) s, nor did mpirun end: it was killed"
    code=5
  elif [[ -r $work/said && $(tr '\n' ' ' <"$work/said") =~ $by_signal ]]; then
    rank=${BASH_REMATCH[1]} signal=${BASH_REMATCH[2]}
    killed="rank $rank$(place "$rank") was ended by SIG$(kill -l "$signal")"
  fi
  rm -rf -- "$work"
}

# answers HOST: true if a command can be run there.
answers() {
  local agent=ssh
  [[ " ${more[*]-} " =~ \ plm_rsh_agent\ ([^ ]+) ]] && agent=${BASH_REMATCH[1]}
  [[ $1 == localhost || $1 == "$(hostname)" || $1 == "$(hostname -s)" ]] || timeout 10 "$agent" "$1" true >/dev/null 2>&1 </dev/null
}

# Rewrites the command for the hosts that still answer: their slots, and no more ranks than those.
leave_out_lost_hosts() {
  local host slots all=0 left=() lost=() i
  while read -r host slots; do
    if answers "$host"; then
      left+=("$host:$slots") all=$((all + slots))
    else
      lost+=("$host")
    fi
  done < <(if [[ ${hosts[0]} == --host ]]; then
    tr ',' '\n' <<<"${hosts[1]}" | awk -F: 'NF { print $1, $2 ? $2 : 1 }'
  else
    awk '!/^ *#/ && NF { slots = 1; for (i = 2; i <= NF; ++i) if (sub(/^slots=/, "", $i)) slots = $i; print $1, slots }' \
      "${hosts[1]}"
  fi)
  ((${#lost[@]})) || return 0
  ((${#left[@]})) || fail 5 "no host answers: ${lost[*]}"
  for ((i = 0; i < ${#command[@]}; ++i)); do
    if [[ ${command[i]} == "${hosts[0]}" && ${command[i + 1]} == "${hosts[1]}" ]]; then
      command[i]=--host
      command[i + 1]=$(IFS=, && echo "${left[*]}")
    elif [[ ${command[i]} == -np ]] && ((command[i + 1] > all)); then
      command[i + 1]=$all
    fi
  done
  hosts=(--host "$(IFS=, && echo "${left[*]}")")
  note "${lost[*]} does not answer: going on with ${left[*]}"
}
