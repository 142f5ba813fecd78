"""launch/run's command for mpirun: ranks, threads and binding that fit the machine."""

import contextlib
import io
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from harness.build import PROGRAM, REPOSITORY
from lockstep_launch import command_line, machine, open_mpi, run
from lockstep_launch.script import Failure

FREE = "--map-by slot:OVERSUBSCRIBE --bind-to none"
CROWD = FREE + " --mca mpi_yield_when_idle 1 -x OMP_NUM_THREADS"


def bound(threads):
    return f"--map-by slot:PE={threads} --bind-to core -x OMP_NUM_THREADS={threads} lockstep train c.toml"


class Commands(unittest.TestCase):
    def on(self, cpus, online, physical, quota, arguments, **environment):
        """The command on such a machine, and what is remarked on."""
        kept = {"PATH": os.environ["PATH"], "HOME": "/", **environment}
        remarks = io.StringIO()
        with mock.patch.multiple(machine, affinity_cpus=lambda: cpus, online_cpus=lambda: online, physical_cores=lambda: physical,
                                 quota=lambda: quota), \
                mock.patch.dict(os.environ, kept, clear=True), contextlib.redirect_stderr(remarks):
            words = arguments.split() if isinstance(arguments, str) else arguments
            job = run.Job(command_line.parse(words), open_mpi.Mpirun(4), "lockstep")
            return " ".join(job.command()), remarks.getvalue()

    def settles(self, ranks, others, *machine_and_arguments, remark="", **environment):
        command, remarks = self.on(*machine_and_arguments, **environment)
        self.assertRegex(command, rf"^mpirun.* -np {ranks} ")
        self.assertIn(others, command)
        self.assertIn(remark, remarks)
        self.assertEqual(bool(remark), bool(remarks))

    def refuses(self, message, *machine_and_arguments):
        with self.assertRaises(Failure) as caught, mock.patch.object(run, "note") as note:
            self.on(*machine_and_arguments)
        self.assertEqual((caught.exception.code, str(caught.exception)), (2, message))
        note.assert_not_called()

    def test_every_thread_has_a_core(self):
        self.settles(4, bound(1), 4, 4, 4, None, "c.toml")
        self.settles(2, bound(2), 4, 4, 4, None, "-np 2 c.toml")
        self.settles(3, bound(1), 4, 4, 4, None, "-np 3 c.toml")
        self.settles(1, bound(4), 4, 4, 4, None, "--threads 4 c.toml")
        self.settles(1, bound(2), 4, 4, 4, None, "--threads=2 -np 1 c.toml")
        self.settles(8, bound(8), 64, 64, 64, None, "c.toml")
        self.settles(4, bound(1), 8, 8, 4, None, "c.toml")

    def test_on_a_part_of_a_machine_nothing_is_bound(self):
        self.settles(2, FREE + " -x OMP_NUM_THREADS=1 ", 2, 4, 4, None, "c.toml")
        self.settles(2, FREE + " -x OMP_NUM_THREADS=1 ", 4, 4, 4, 2, "c.toml")
        self.settles(1, FREE + " -x OMP_NUM_THREADS=2 ", 4, 4, 4, 2, "-np 1 c.toml")

    def test_more_ranks_than_cores_yield_and_more_threads_are_refused(self):
        self.settles(5, CROWD + "=1 -x OMP_WAIT_POLICY=passive ", 2, 2, 2, None, "-np 5 c.toml",
                     remark="note: 5 ranks on 2 cores: they take turns")
        self.refuses("--threads 3 with -np 2 needs 6 cores, found 4: expected --threads 2 at most, or --force", 4, 4, 4, None,
                     "-np 2 --threads 3 c.toml")
        self.refuses("--threads 2 with -np 4 needs 8 cores, found 2: expected --threads 1 at most, or --force", 2, 2, 2, None,
                     "-np 4 --threads 2 c.toml")
        self.settles(2, CROWD + "=3 -x OMP_WAIT_POLICY=passive ", 4, 4, 4, None, "-np 2 --threads 3 --force c.toml")

    def test_more_ranks_than_shards_are_refused_before_any_starts(self):
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder, "c.toml")
            message = ("{} ranks share {} shards, expected at most one rank a shard: set data.shards to {} or more "
                       "(train.batch_size is a multiple of it), or start fewer ranks")
            config.write_text("[data]\nshards = 3\n", encoding="utf-8")
            self.refuses(message.format(4, 3, 4), 2, 2, 2, None, f"-np 4 {config}")
            self.refuses(message.format(4, 3, 4), 2, 2, 2, None, f"-np 4 verify {config} --steps 2")
            self.refuses(message.format(3, 2, 3), 2, 2, 2, None, f"-np 3 {config} --set data.shards=4 --set=data.shards=2")
            self.settles(4, CROWD, 2, 2, 2, None, f"-np 4 {config} --set data.shards=4", remark="take turns")
            self.settles(3, FREE, 8, 8, 8, 6, str(config))
            config.write_text("", encoding="utf-8")
            self.refuses(message.format(99, 8, 99), 2, 2, 2, None, f"-np 99 {config}")
            # The ranks say what is wrong with these.
            for text in ("[data", "data = 3", "[data]\nshards = []"):
                config.write_text(text, encoding="utf-8")
                self.settles(9, CROWD, 2, 2, 2, None, f"-np 9 {config}", remark="take turns")

    def test_the_slots_of_hosts_are_what_counts(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "hosts"
            file.write_text("here slots=9", encoding="utf-8")
            command, _ = self.on(2, 2, 2, None, f"--hostfile {file} -np 9 c.toml")
            self.assertRegex(command, rf" -np 9 --hostfile {file} .*--bind-to none -x OMP_NUM_THREADS=1 ")
        command, _ = self.on(2, 2, 2, None, "--host a:2,b:2 --threads 8 c.toml")
        self.assertRegex(command, "--host a:2,b:2 .*oob_tcp_keepalive_time.*-x OMP_NUM_THREADS=8")
        self.assertNotIn(" -np ", command)

    def test_in_a_slurm_allocation_a_rank_has_the_cores_of_a_task(self):
        self.settles(9, "--bind-to none -x OMP_NUM_THREADS=1 ", 2, 2, 2, None, "-np 9 c.toml", SLURM_JOB_NODELIST="a,b")
        slurm = {"SLURM_JOB_NODELIST": "a,b", "SLURM_CPUS_PER_TASK": "4"}
        self.settles(9, "-x OMP_NUM_THREADS=4 ", 2, 2, 2, None, "-np 9 c.toml", **slurm)
        self.settles(9, "-x OMP_NUM_THREADS=3 ", 2, 2, 2, None, "-np 9 --threads 3 c.toml", **slurm)
        self.settles(9, "-x OMP_NUM_THREADS=1 ", 2, 2, 2, None, "-np 9 --host a:9 c.toml", **slurm)

    def test_binding_that_is_asked_for(self):
        self.settles(2, "--map-by slot:PE=3 --bind-to core -x OMP_NUM_THREADS=3 ", 2, 2, 2, None,
                     "-np 2 --host a:2,b:2 --threads 3 --bind core c.toml")
        self.settles(2, bound(1), 2, 4, 4, None, "-np 2 --bind core c.toml")
        self.settles(2, FREE + " -x OMP_NUM_THREADS=2 ", 4, 4, 4, None, "-np 2 --bind=none c.toml")
        self.settles(3, CROWD + "=1 -x OMP_WAIT_POLICY=passive ", 2, 2, 2, None, "-np 3 --host a:2 --force c.toml")
        for crowded in ("-np 3", "-np 2 --threads 2 --force", "-np 1 --host a:2 --force"):
            self.refuses("--bind core with more threads than cores, or --force: expected --bind none", 2, 2, 2, None,
                         crowded + " --bind core c.toml")

    def test_what_the_user_sets_goes_through(self):
        self.settles(2, "-x OMP_WAIT_POLICY=active -x CIFAR10_DIR=a b lockstep train c.toml --set seed=1", 1, 1, 1,
                     None, "-np 2 c.toml --set seed=1", remark="they take turns", CIFAR10_DIR="a b",
                     OMP_WAIT_POLICY="active")
        command, _ = self.on(2, 2, 2, None, ["--mpi", "--bind-to socket --mca btl tcp", "c.toml"])
        self.assertIn("--bind-to socket --mca btl tcp lockstep", command)
        self.assertNotIn("bind-to core", command)
        self.settles(2, "lockstep eval model --x", 2, 2, 2, None, "eval model --x")
        self.settles(2, "lockstep train c.toml", 2, 2, 2, None, "train c.toml")

    def test_balance_is_a_setting_of_training(self):
        self.settles(2, "lockstep train c.toml --quiet --set compute.balance=true", 2, 2, 2, None, "--balance c.toml --quiet")
        self.settles(2, "lockstep train c.toml --set compute.balance=true", 2, 2, 2, None, "-np 2 --balance train c.toml")
        self.refuses("--balance with eval, expected a training run", 2, 2, 2, None, "--balance eval runs/a")

    def test_the_script_prints_it_as_one_line_for_a_shell(self):
        environment = {"PATH": os.environ["PATH"], "LOCKSTEP": "/bin/true", "CIFAR10_DIR": "a b"}
        script = REPOSITORY / "launch/run"
        shown = subprocess.run([script, "--dry-run", "-np", "1", "c.toml"], env=environment, capture_output=True, text=True)
        self.assertRegex(shown.stdout, r"^mpirun .* 'CIFAR10_DIR=a b' /\S+ train c.toml\n$")
        self.assertEqual(shown.returncode, 0)

    def test_it_knows_the_programs_subcommands(self):
        shown = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
        listed = shown.partition("Subcommands:\n")[2].partition("\n\n")[0]
        self.assertEqual(re.findall(r"^  (\S+)", listed, re.MULTILINE), list(command_line.SUBCOMMANDS))

    def test_the_script_without_a_program(self):
        script = REPOSITORY / "launch/run"
        shown = subprocess.run([script, "c"], env={**os.environ, "LOCKSTEP": "nowhere/lockstep"}, capture_output=True, text=True)
        self.assertRegex(shown.stderr, "^launch/run: nowhere/lockstep is not a program; build it with launch/build.*\n$")
        self.assertEqual(shown.returncode, 2)
