"""Docker's bridge has the same address on every host: a rank that takes it for a way to another reaches itself. In a world of two."""

import subprocess

from harness.build import REPOSITORY
from hosts import on
from jobs import Job

# Open MPI chooses the network itself.
ANY_NETWORK = (f"--mca plm_rsh_agent {REPOSITORY}/tests/hosts/agent --mca plm_rsh_no_tree_spawn 1 --mca pml ob1 --mca btl self,vader,tcp "
               "--mca mpi_yield_when_idle 1")


# With the files that tell of the host's interfaces, not of the machine's.
OF_THE_HOST = ("unshare", "--mount", "sh", "-c", 'mount -t sysfs none /sys && exec "$@"', "of_the_host")


def test_a_job_goes_over_the_networks_between_the_hosts():
    for host in ("h0", "h1"):
        for words in ("link add docker0 type bridge", "address add 172.17.0.1/16 dev docker0", "link set docker0 up"):
            subprocess.run(on(host, "ip", *words.split()), check=True)
    job = Job(2, "h0:1,h1:1", "train.epochs=3", mpi=ANY_NETWORK, before=OF_THE_HOST).wait(60)
    assert (job.code, job.out, job.err) == (0, "", "")
