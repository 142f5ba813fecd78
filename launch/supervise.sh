# shellcheck shell=bash
# How launch/run runs one mpirun job: signals, what Open MPI says, and a guard against an mpirun that hangs. Sourced.

# mpirun given INT or TERM kills the ranks within 2 s and returns 1. USR1 it passes on to all of them, on every
# host, and returns what they return; one that comes while it is still starting them is lost, hence the repetition.
asked='' forced='' woken='' mpirun=''
listen() {
  trap 'stop 130' INT
  trap 'stop 143' TERM HUP USR1
}
# aside COMMAND...: runs it in the background, deaf to signals from its first moment on: one to the whole process group, as
# timeout sends it, must not end what it has just begun.
aside() {
  trap '' INT TERM HUP USR1
  { # the filter ends with the last that could write to it
    [[ -z ${errors-} ]] || exec {errors}>&-
    "$@"
  } >/dev/null 2>&1 &
  listen
}
repeat_usr1() { while kill -USR1 "$mpirun"; do sleep 2; done; }
kill_later() { sleep 10 && kill -KILL -- "-$mpirun"; }
# shellcheck disable=SC2317 # traps call it
stop() {
  woken=yes
  if [[ -z $asked ]]; then
    asked=$1 asked_at=$SECONDS
    [[ -z $mpirun ]] || aside repeat_usr1 # before it starts, or between two of them, the signal is only noted
  elif [[ -z $mpirun ]]; then
    return
  elif [[ -z $forced ]] && ((SECONDS - asked_at >= 2)); then # at once it is the same one: timeout sends it twice
    forced=yes # on a second TERM mpirun would leave without its ranks
    kill -TERM "$mpirun" 2>/dev/null || true
    aside kill_later # Open MPI's signal handling can lock itself up
  fi
}

# filter: lets the ranks' lines pass. Of those that name a rank, a watchdog's or the error of one rank alone, the first goes to
# the file `spoken`, to be shown in the end: Open MPI may know better, and a rank that has lost another says so too. What
# Open MPI says, between rules, after [host:pid], [host][[job],rank], [warn] or mpirun:, goes to the file `said`; with --verbose
# everything passes. In Bash, since an awk may wait for more than a line before it begins.
filter() {
  trap '' INT TERM HUP USR1
  local line inside='' pass by_open_mpi='^((\[([^] ]*:[0-9]+|warn|err|msg)\]|mpirun:) |\[[^] ]*\]\[\[[0-9]+,[0-9]+\],[0-9]+\])'
  while IFS= read -r line || [[ -n $line ]]; do
    pass=$verbose
    if [[ $line =~ ^-----------------------------------*$ ]]; then
      [[ -n $inside ]] && inside='' || inside=yes
    elif [[ -n $inside || $line =~ $by_open_mpi ]]; then
      printf '%s\n' "$line" >>"$work/said"
    elif [[ ! $line =~ ^lockstep:\ ranks?\ [0-9] ]]; then
      pass=yes
    elif [[ ! -e $work/spoken ]]; then
      printf '%s\n' "$line" >"$work/spoken"
    fi
    [[ -z $pass ]] || printf '%s\n' "$line"
  done
}

beats() { head -qn 1 "$heartbeats"/rank-* 2>/dev/null || true; }

# guard BEATS: ends mpirun where that hangs, or all ranks do: with a TERM when the heartbeats, other than BEATS, have not changed
# for as long as a watchdog waits, at least 5 s; with a KILL when a rank has spoken, or that TERM was sent, half of
# run.watchdog_seconds ago, at least 5 s and at most 10. Counts its turns, for clocks can be set. Where this host does not
# see the ranks' file system no beat is missed: then only what a rank says counts.
guard() {
  trap '' INT TERM HUP USR1
  local LC_ALL=C # heartbeats have a decimal point
  local seen=$1 now beating='' still=0 ending=0 seconds=60 patience limit
  while sleep 0.5; do
    kill -0 "$mpirun" 2>/dev/null || return 0 # launch/run may have been killed, and mpirun with it
    now=$(beats)
    if [[ $now != "$seen" ]]; then
      seen=$now beating=yes still=0
      ! read -r _ seconds _ 2>/dev/null <"$heartbeats/rank-0" || : # a rank that ends takes its heartbeat away
    elif [[ -n $beating ]]; then
      still=$((still + 1))
    fi
    printf -v patience %.0f "$seconds"
    [[ $patience != 0 && ${#patience} -lt 9 ]] || continue
    patience=$((2 * patience)) # in turns
    limit=$((patience < 36 ? patience * 2 / 5 : patience - 22))
    if [[ -e $work/spoken || -e $work/silent ]]; then
      ending=$((ending + 1))
    elif ((still > (limit < 8 ? 8 : limit) + 2)); then
      echo "$((still / 2))" >"$work/silent"
      kill -TERM "$mpirun"
    fi
    ((ending < (patience < 20 ? 10 : patience > 40 ? 20 : patience / 2) - 1)) || break
  done
  kill -KILL -- "-$mpirun" 2>/dev/null
}

# place RANK: " on HOST, at step N in PHASE,", from its heartbeat.
place() {
  local step host phase file=$heartbeats/rank-$1
  [[ $file -nt $work/began ]] && read -r _ _ step host phase <"$file" || return 0
  echo " on $host, at step $step in $phase,"
}

# ranks_on HOST: " with rank N, at step N in PHASE", from the heartbeats; nothing where there are none.
ranks_on() {
  local file step host phase ranks='' last='' where=''
  for file in "$heartbeats"/rank-*; do
    [[ $file -nt $work/began ]] || continue
    read -r _ _ step host phase <"$file"
    [[ $host == "$1" ]] || continue
    ranks+=${ranks:+, }${file##*-}
    [[ -n $last ]] && ((step >= last)) || last=$step where=", at step $step in $phase"
  done
  local word=rank
  [[ $ranks != *,* ]] || word=ranks
  [[ -z $ranks ]] || echo " with $word $ranks$where"
}

# supervise HEARTBEATS COMMAND...: runs it; HEARTBEATS is the folder where a training run's ranks write them, or ''. Sets `code`,
# `spoken` to what a rank has said, and `lost` to a line on the rank or host that was lost, if Open MPI tells.
supervise() {
  heartbeats=$1
  local before='' guarding='' i said filtering
  shift
  lost='' spoken=''
  work=$(mktemp -d)
  touch "$work/began"
  [[ -z $heartbeats ]] || before=$(beats)
  exec {errors}> >(filter >&2)
  filtering=$!

  # In a process group of its own, so that Ctrl-C comes to this script alone. Should the script be killed, mpirun gets
  # a TERM.
  local under=()
  ! setpriv --pdeathsig TERM true 2>/dev/null || under=(setpriv --pdeathsig TERM)
  set -m
  "${under[@]}" "$@" </dev/null 2>&"$errors" &
  mpirun=$!
  set +m
  [[ -z $asked ]] || aside repeat_usr1
  if [[ -n $heartbeats ]]; then
    guard "$before" {errors}>&- &
    guarding=$!
    disown "$guarding" # it is killed without a word
  fi
  while # a signal ends `wait`, not mpirun
    woken='' code=0
    wait "$mpirun" 2>/dev/null || code=$?
    [[ -n $woken ]]
  do :; done
  [[ -z $guarding ]] || kill -KILL "$guarding" 2>/dev/null || true
  exec {errors}>&-
  for ((i = 0; i < 30; ++i)); do # the filter ends with the last that writes to it; one that outlives mpirun is not waited for
    kill -0 "$filtering" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$filtering" 2>/dev/null || true

  [[ ! -e $work/spoken ]] || spoken=$(<"$work/spoken")
  said=$(tr -s '\n ' ' ' 2>/dev/null <"$work/said") || said=''
  local by_signal='process rank ([0-9]+) with PID [0-9]+ on node [^ ]+ exited on signal ([0-9]+)'
  local of_host='lost communication with a remote daemon.*Remote daemon: [^ ]+ on node ([^ ]+)'
  if [[ $said =~ $of_host ]]; then
    lost="host ${BASH_REMATCH[1]} was lost$(ranks_on "${BASH_REMATCH[1]}")"
  elif [[ $said =~ $by_signal ]] && ((code == 128 + BASH_REMATCH[2])); then
    lost="rank ${BASH_REMATCH[1]}$(place "${BASH_REMATCH[1]}") was ended by SIG$(kill -l "${BASH_REMATCH[2]}")"
  elif [[ -e $work/silent ]]; then
    lost="rank 0$(place 0) and the others have shown no sign of life for $(<"$work/silent") s"
  fi
  [[ ! -e $work/silent ]] || code=5
  mpirun=''
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
  local host slots all=0 left=() gone=() i
  while read -r host slots; do
    if answers "$host"; then
      left+=("$host:$slots") all=$((all + slots))
    else
      gone+=("$host")
    fi
  done < <(if [[ ${hosts[0]} == --host ]]; then
    tr ',' '\n' <<<"${hosts[1]}" | awk -F: 'NF { print $1, $2 ? $2 : 1 }'
  else
    awk '!/^ *#/ && NF { slots = 1; for (i = 2; i <= NF; ++i) if (sub(/^slots=/, "", $i)) slots = $i; print $1, slots }' \
      "${hosts[1]}"
  fi)
  ((${#gone[@]})) || return 0
  ((${#left[@]})) || fail 5 "no host answers: ${gone[*]}"
  for ((i = 0; i < ${#command[@]}; ++i)); do
    if [[ ${command[i]} == "${hosts[0]}" && ${command[i + 1]} == "${hosts[1]}" ]]; then
      command[i]=--host
      command[i + 1]=$(IFS=, && echo "${left[*]}")
    elif [[ ${command[i]} == -np ]] && ((command[i + 1] > all)); then
      command[i + 1]=$all
    fi
  done
  hosts=(--host "$(IFS=, && echo "${left[*]}")")
  note "${gone[*]} does not answer: going on with ${left[*]}"
}
