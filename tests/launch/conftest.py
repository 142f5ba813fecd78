"""The environment and the folders of the tests of the launch scripts."""

import os

import pytest

pytest.register_assert_rewrite("scripts")

STEERING = ("LOCKSTEP", "CIFAR10_", "SLURM_", "PMI_", "PBS_NODEFILE", "LSB_DJOB_HOSTFILE")


@pytest.fixture(autouse=True)
def surroundings(folder, monkeypatch):
    """Other users may read the folder. Nothing steers the scripts. Ranks exchange messages through memory alone, see the words of
    mpirun in tests/CMakeLists.txt."""
    folder.chmod(0o755)
    for name in os.environ:
        if name.startswith(STEERING):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OMPI_MCA_pml", "ob1")
    monkeypatch.setenv("OMPI_MCA_btl", "self,vader")
