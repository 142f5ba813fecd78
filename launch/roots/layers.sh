# shellcheck shell=bash
# Bare Debian systems in build-roots/SUITE/root, and layers over them that are thrown away; sourced by the scripts that try something
# there, after common.sh. A root is made once, and stays bare.

((EUID == 0)) || fail 2 "not root: a root file system can be made by root alone"
command -v debootstrap >/dev/null || fail 2 "debootstrap is not installed; apt-get install debootstrap"
roots=$repo/build-roots
mkdir -p -- "$roots"

# make_root SUITE: a bare Debian, from the archive that this machine uses itself.
make_root() {
  local root=$roots/$1/root archive
  [[ ! -e $root/etc/debian_version ]] || return 0
  say "making a bare $1"
  archive=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\?\([^ ]*\).*/\2/p' \
    /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1) || true # one of the two is there
  rm -rf -- "$root"
  mkdir -p -- "$root"
  debootstrap --variant=minbase "$1" "$root" "${archive:-http://deb.debian.org/debian}" >"$roots/$1/debootstrap.log" 2>&1 ||
    fail 2 "debootstrap cannot make $1: $(tail -n 1 "$roots/$1/debootstrap.log")"
  cp /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
  cp /etc/resolv.conf "$root/etc/"
}

# note_source SAID: what is tried, and on how busy a machine.
note_source() {
  echo "commit: $(git -C "$repo" describe --always --abbrev=12 '--exclude=*' '--dirty=, modified' 2>/dev/null || echo unknown)" >>"$1/notes"
  echo "load before: $(cut -d ' ' -f 1 /proc/loadavg)" >>"$1/notes"
}

# in_layer SUITE SAID COMMAND...: runs COMMAND in a layer over the root. There the repository is copied to /lockstep, the folder SAID
# is /said, and CIFAR10_DIR, where it is set, /cifar10.
in_layer() {
  local code=0 inside
  export root=$roots/$1/root said=$2 repo
  layer=$(mktemp -d -- "$roots/$1/layer.XXXXXX")
  export layer
  trap 'rm -rf -- "$layer"' EXIT
  trap 'kill -KILL "$inside" && { wait "$inside" || true; }; exit 130' INT
  trap 'kill -KILL "$inside" && { wait "$inside" || true; }; exit 143' TERM
  mkdir -- "$layer"/{upper,work,merged}
  # mpirun signals process groups: the session is its own. All in it ends with unshare, which hears no Ctrl-C.
  # shellcheck disable=SC2016 # for the inner shell
  env --default-signal unshare --mount --pid --fork --kill-child --mount-proc setsid --wait bash -c '
    set -euo pipefail
    mount -t overlay overlay -o "lowerdir=$root,upperdir=$layer/upper,workdir=$layer/work" "$layer/merged"
    cd "$layer/merged"
    mount -t proc proc proc
    mount --rbind /dev dev
    mount --rbind /sys sys
    mount -t tmpfs tmpfs tmp
    echo "127.0.0.1 localhost $(hostname)" >etc/hosts # which debootstrap leaves out, and every installation has
    mkdir lockstep said
    mount --bind "$said" said
    tar -C "$repo" --exclude="./build*" --exclude=./data --exclude=./runs -cf - . | tar -C lockstep -xf -
    cifar10=""
    if [[ -n ${CIFAR10_DIR-} ]]; then
      cifar10=/cifar10
      mkdir cifar10
      mount --bind "$CIFAR10_DIR" cifar10
    fi
    exec chroot . env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin CIFAR10_DIR="$cifar10" "$@"' inner "${@:3}" &
  inside=$!
  wait "$inside" || code=$?
  rm -rf -- "$layer"
  trap - EXIT INT TERM
  return "$code"
}
