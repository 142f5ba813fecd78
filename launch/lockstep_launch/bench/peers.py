"""The libraries that Lockstep is compared with: Debian's PyTorch over OpenBLAS and over BLIS."""

import ctypes
import os
import subprocess
from pathlib import Path

from ..packages import SYSTEM_PYTHON
from ..script import Failure, complain, say

CLEARED = ("OPENBLAS_", "GOTO_", "MKL_", "DNNL_", "BLIS_", "OMP_", "GOMP_", "KMP_", "LOCKSTEP_")
PACKAGES = ["python3-torch", "libopenblas0-pthread"]


def clear_environment():
    """What it says to libraries holds for none of them: each takes what it thinks best."""
    told = sorted(name for name in os.environ if name.startswith(CLEARED))
    for name in told:
        del os.environ[name]
    if told:
        complain(f"note: not passed on from the environment: {' '.join(told)}")


def library_folder(name):
    """Of a build of a library that Debian offers beside others."""
    triplet = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True).stdout.strip()
    return Path("/usr/lib", triplet, name)


def openblas():
    return library_folder("openblas-pthread")


def blis():
    return library_folder("blis-openmp")


def has_pytorch():
    return openblas().is_dir() and subprocess.run([SYSTEM_PYTHON, "-c", "import torch"], capture_output=True).returncode == 0


def require_pytorch():
    """Installs it where root asks."""
    if has_pytorch():
        return
    if os.geteuid() != 0:
        raise Failure(2, f"PyTorch is not installed; as root: apt-get install {' '.join(PACKAGES)}")
    say(f"installing {' and '.join(PACKAGES)}")
    apt = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *PACKAGES]
    ended = subprocess.run(apt, stdin=subprocess.DEVNULL, capture_output=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    if ended.returncode != 0:
        raise Failure(2, "python3-torch could not be installed; launch/bench --without-pytorch goes without")


def name_from(path, function, *arguments):
    """What that function of a library returns, a name; "unknown" where there is none."""
    try:
        called = getattr(ctypes.CDLL(str(path)), function)
        called.restype = ctypes.c_char_p
        return called(*arguments).decode()
    except (OSError, AttributeError):
        return "unknown"


def openblas_kernels():
    return name_from(openblas() / "libopenblas.so.0", "openblas_get_corename")


def blis_number(kernels):
    """What BLIS_ARCH_TYPE calls kernels of that name; None where BLIS has none."""
    path = blis() / "libblis.so.4"
    return next((number for number in range(16) if name_from(path, "bli_arch_string", number) == kernels), None)


def blis_kernels(own):
    """Those that BLIS is tried with, where Lockstep computes with `own`: BLIS takes processors that are newer than itself for the
    slowest, so it is given what the processor can run."""
    known = {"avx512": ["skx", "haswell"], "avx2": ["haswell"]}.get(own)
    if known:
        return known
    try:
        library = ctypes.CDLL(str(blis() / "libblis.so.4"))
    except OSError:
        return ["unknown"]
    return [name_from(blis() / "libblis.so.4", "bli_arch_string", library.bli_arch_query_id())]
