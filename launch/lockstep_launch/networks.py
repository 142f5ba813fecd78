"""Networks of this host that lead to no other host."""

import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

INTERFACES = Path("/sys/class/net")
SIOCGIFADDR, SIOCGIFNETMASK = 0x8915, 0x891B  # netdevice(7)


def inner(interfaces=INTERFACES):
    """Subnets of bridges that no device of the machine is part of: those of Docker, Podman and libvirt, which often have the same
    address on every host, so that a rank that wants to reach another one would reach itself."""
    bridges = [folder for folder in sorted(interfaces.glob("*")) if (folder / "bridge").is_dir()]
    closed = [folder for folder in bridges if not any((port / "device").exists() for port in (folder / "brif").glob("*"))]
    return [subnet for folder in closed if (subnet := subnet_of(folder.name)) is not None]


def subnet_of(interface):
    """As 172.17.0.0/16; None where it has no IPv4 address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        def ask(what):
            return socket.inet_ntoa(fcntl.ioctl(any_socket, what, struct.pack("256s", interface.encode()[:15]))[20:24])

        try:
            return str(ipaddress.ip_network(f"{ask(SIOCGIFADDR)}/{ask(SIOCGIFNETMASK)}", strict=False))
        except OSError:
            return None
