"""Control groups with limits, as containers and batch systems set them: version 1, or 2 where the controllers are handed on."""

import contextlib
import os

from lockstep_launch import cgroups

FILES = {("cpu", 1): "cpu.cfs_quota_us", ("cpu", 2): "cpu.max", ("memory", 1): "memory.limit_in_bytes", ("memory", 2): "memory.max"}


def _own(controller):
    """(version, folder) of the group that this process is in."""
    return next((found for found in cgroups.groups(controller) if (found[1] / "cgroup.procs").exists()), None)


@contextlib.contextmanager
def limited(controller, value):
    """The words that run a command in a group with this limit, and the group's folder."""
    version, above = _own(controller)
    group = above / f"lockstep-test-{os.getpid()}"
    group.mkdir()
    try:
        (group / FILES[controller, version]).write_text(value, encoding="ascii")
        yield ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', group], group
    finally:
        group.rmdir()


def not_permitted(controller, value):
    if os.geteuid() != 0 or _own(controller) is None:
        return f"this process may not limit itself by the controller {controller}"
    try:
        with limited(controller, value):
            return None
    except OSError as error:
        return f"no control group can be made: {error}"
