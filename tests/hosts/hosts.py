"""What can be done to the hosts of a world, by what runs inside of it."""

import contextlib
import os
import signal
import subprocess
import threading
from pathlib import Path


def _world():
    return Path(os.environ["HOSTS"])


def on(host, *words):
    """The words of a command that runs there, also when the network does not reach it."""
    holder = (_world() / host).read_text(encoding="ascii").strip()
    return ["nsenter", "--target", holder, "--net", "--uts", "--ipc", "--", *words]


def names():
    """h0, h1, ..."""
    return [file.name for file in sorted(_world().glob("h[0-9]*")) if "." not in file.name]


def processes(host, name=None):
    """The ids of its processes, or of those with that name, in order; without the one that holds it, and zombies."""
    holder = int((_world() / host).read_text(encoding="ascii"))
    space = (_world() / f"{host}.space").read_text(encoding="ascii").strip()
    found = []
    for pid in sorted(int(entry) for entry in os.listdir("/proc") if entry.isdigit()):
        try:
            if os.readlink(f"/proc/{pid}/ns/uts") == space and pid != holder and name in (None, name_of(pid)):
                found.append(pid)
        except OSError:  # it has ended
            pass
    return found


def name_of(pid):
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()


def send(number, pids):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def isolate_data(host):
    """Takes the host's cable out of the switch of the data network: nothing that is sent arrives, and nobody is told."""
    subprocess.run(["ip", "link", "set", f"data{host[1:]}", "nomaster"], check=True)


def isolate(host):
    """The same for both networks."""
    (_world() / f"{host}.cut").touch()
    subprocess.run(["ip", "link", "set", f"control{host[1:]}", "nomaster"], check=True)
    isolate_data(host)


def _signal_host(host, number):
    """To all of its processes, until no new ones are found."""
    found = []
    while (there := processes(host)) != found:
        found = there
        send(number, there)


def stop_host(host):
    """Every process of it stops; with resume_host they go on."""
    (_world() / f"{host}.cut").touch()
    _signal_host(host, signal.SIGSTOP)


def resume_host(host):
    (_world() / f"{host}.cut").unlink()
    _signal_host(host, signal.SIGCONT)


@contextlib.contextmanager
def half_the_time(host, name):
    """Its processes of that name have half of the processor's time within: they run for 10 ms and stand for 10 ms."""
    over = threading.Event()

    def hold():
        while not over.wait(0.01):
            pids = processes(host, name)
            send(signal.SIGSTOP, pids)
            over.wait(0.01)
            send(signal.SIGCONT, pids)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        yield
    finally:
        over.set()
        holder.join()


def kill_host(host):
    """The power fails."""
    isolate(host)
    _signal_host(host, signal.SIGKILL)


def limit_rate(host, rate):
    """What its cables carry each way, e.g. 100mbit."""
    for network in ("control", "data"):
        for device, there in ((f"{network}{host[1:]}", []), (network, on(host))):
            subprocess.run([*there, "tc", "qdisc", "replace", "dev", device, "root", "tbf", "rate", rate, "burst", "32kb", "latency",
                            "50ms"], check=True)


def set_environment(host, **variables):
    """Variables that the host's commands have, as with a profile of its own."""
    line = " ".join(f"{name}={value}" for name, value in variables.items())
    (_world() / f"{host}.environment").write_text(f"{line}\n", encoding="utf-8")
