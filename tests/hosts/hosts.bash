# shellcheck shell=bash
# What can be done to the hosts of a world; sourced inside of it.

# on HOST COMMAND...: runs a command there, also when the network does not reach it.
on() { nsenter --target "$(<"$HOSTS/$1")" --net --uts --ipc -- "${@:2}"; }

# processes HOST [NAME]: the ids of its processes, or of those with that name; without the one that holds it, and zombies.
processes() {
  local holder process space
  holder=$(<"$HOSTS/$1")
  space=$(<"$HOSTS/$1.space")
  for process in /proc/[0-9]*; do
    [[ $process != "/proc/$holder" && $(readlink "$process/ns/uts") == "$space" ]] || continue
    [[ -n ${2-} && $(<"$process/comm") != "$2" ]] || echo "${process#/proc/}"
  done 2>/dev/null
}

# Takes a host's cables out of the switches: nothing that is sent arrives, and nobody is told.
isolate_data() { ip link set "data${1#h}" nomaster; }
isolate() {
  : >"$HOSTS/$1.cut"
  ip link set "control${1#h}" nomaster
  isolate_data "$1"
}

# signal_host HOST SIGNAL: to all of its processes, until no new ones are found.
signal_host() {
  local found='' all
  while all=$(processes "$1") && [[ $all != "$found" ]]; do
    found=$all
    # shellcheck disable=SC2086 # words
    [[ -z $all ]] || kill -s "$2" $all 2>/dev/null || true
  done
}

# Every process of a host stops; with resume_host they go on.
stop_host() {
  : >"$HOSTS/$1.cut"
  signal_host "$1" STOP
}
resume_host() {
  rm "$HOSTS/$1.cut"
  signal_host "$1" CONT
}

# The power fails.
kill_host() {
  isolate "$1"
  signal_host "$1" KILL
}

# limit_rate HOST RATE: what its cables carry each way, e.g. 100mbit.
limit_rate() {
  local network
  for network in control data; do
    tc qdisc replace dev "$network${1#h}" root tbf rate "$2" burst 32kb latency 50ms
    on "$1" tc qdisc replace dev "$network" root tbf rate "$2" burst 32kb latency 50ms
  done
}
