"""Python packages that not every tool needs: imported where they are used, and asked for in one line where they are missing."""

import importlib.util
import os
import sys

from .script import Failure

SYSTEM_PYTHON = "/usr/bin/python3"  # where apt puts packages, whichever python3 comes first in PATH


def require(*modules):
    """Goes on with the system's Python where this one lacks a module; a Failure where that lacks it too."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if not missing:
        return
    if os.path.realpath(sys.executable) != os.path.realpath(SYSTEM_PYTHON) and os.access(SYSTEM_PYTHON, os.X_OK):
        sys.stdout.flush()
        os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv])
    raise Failure(2, f"{missing[0]} is not installed; launch/install-deps --pictures installs it")
