"""The hosts of a job: a file of lines `HOST slots=N`, or a list HOST:N,HOST:N,..., as mpirun takes them."""

import re
import socket
import subprocess
from dataclasses import dataclass

from .script import Failure


@dataclass(frozen=True)
class Host:
    name: str
    slots: int | None  # the ranks that it takes; None: as many as it has cores


def of_list(text):
    """Those of --host. One that is named again has a slot more."""
    slots = {}
    for word in text.split(","):
        found = re.fullmatch(r"([^:\s]+)(?::(\d+|\*))?", word)
        if not found or found[2] == "0":
            raise Failure(2, f"--host is '{text}', expected HOST:SLOTS,HOST:SLOTS,...")
        before = slots.get(found[1], 0)
        slots[found[1]] = None if found[2] == "*" or before is None else before + int(found[2] or 1)
    return [Host(name, number) for name, number in slots.items()]


def of_file(path):
    """Those of --hostfile; what mpirun would not take is named here, with its line."""
    expected = "expected lines of 'HOST slots=N'"
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            lines = file.read().split("\n")
    except OSError as error:
        what = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise Failure(2, f"--hostfile {path}: {what}, {expected}") from None
    slots = {}
    for number, line in enumerate(lines, 1):
        if line.endswith("\r"):
            raise Failure(2, f"--hostfile {path}:{number}: the line ends in a carriage return, as Windows has it, expected "
                             f"Unix line ends: sed -i 's/\\r$//' {path}")
        words = line.split("#")[0].replace("=", " = ").split()
        if not words:
            continue
        found = re.fullmatch(r"([^\s:=]+):(\d+)", words[0])
        if found:
            raise Failure(2, f"--hostfile {path}:{number}: '{words[0]}' is written as for --host, expected "
                             f"'{found[1]} slots={found[2]}'")
        fields = dict(zip(words[1::3], words[3::3]))
        given = fields.get("slots", fields.get("cpu", fields.get("count")))
        whole = len(words) % 3 == 1 and set(words[2::3]) <= {"="}
        if not whole or (given is not None and not re.fullmatch(r"[1-9]\d*", given)):
            raise Failure(2, f"--hostfile {path}:{number}: found '{line.strip()}', {expected}")
        known = slots.get(words[0], 0)
        slots[words[0]] = None if given is None or known is None else known + int(given)
    if not slots:
        raise Failure(2, f"--hostfile {path}: no host in it, {expected}")
    return [Host(name, number) for name, number in slots.items()]


def as_list(hosts):
    """What --host takes."""
    return ",".join(f"{host.name}:{host.slots or 1}" for host in hosts)


def total_slots(hosts):
    """None where not every host says how many it has."""
    return None if any(host.slots is None for host in hosts) else sum(host.slots for host in hosts)


def first_label(name):
    """gpu1 of gpu1.east; addresses have no labels."""
    return name if re.fullmatch(r"[\d.]+|.*:.*", name) else name.split(".")[0]


def share_a_label(hosts):
    """Whether two hosts are told apart by their domains alone, as gpu1.east and gpu1.west."""
    names = {host.name.rpartition("@")[2] for host in hosts}
    return len({first_label(name) for name in names}) < len(names)


def this_host():
    """Where its name has a domain; without, a host of the list may be this one."""
    name = socket.gethostname()
    return [Host(name, None)] if "." in name else []


def same(name, other):
    """Whether two names, of which one may lack its domain, can be one host's."""
    return name == other or first_label(name) == other or name == first_label(other)


def answers(host, agent):
    """Whether a command can be run there, through `agent`: the words of ssh or what takes its place."""
    if host.name in ("localhost", socket.gethostname(), first_label(socket.gethostname())):
        return True
    try:
        quiet = subprocess.DEVNULL
        return subprocess.run([*agent, host.name, "true"], timeout=10, stdin=quiet, stdout=quiet, stderr=quiet).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
