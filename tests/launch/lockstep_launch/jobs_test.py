"""launch/run with programs of our own under the real mpirun: ranks that do not start, job control, and who reads what they print."""

import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from harness.build import OPEN_MPI, REPOSITORY
from scripts import OF_LOCKSTEP

SECONDS = 60  # until what is expected must have happened, on a busy machine too


class Job(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def script(self, name, text):
        file = self.folder / name
        file.write_text("#!/usr/bin/env bash\n" + text, encoding="utf-8")
        file.chmod(0o755)
        return file

    def start(self, program, *options, stdout=subprocess.PIPE, ranks=2, before=()):
        """launch/run with a training run by that script."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("SLURM_", "OMP_"))}
        environment["LOCKSTEP"] = str(self.script("program", f"{OF_LOCKSTEP}{program}"))
        words = [*before, REPOSITORY / "launch/run", "--allow-run-as-root", "-np", str(ranks), "--force", *options, "c.toml"]
        job = subprocess.Popen(words, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=stdout,
                               stderr=subprocess.PIPE, text=True)
        self.addCleanup(job.kill)
        return job

    def ended(self, job, code, pattern):
        """It ends with that code and one line like this."""
        _, errors = job.communicate(timeout=SECONDS)
        self.assertRegex(errors, f"^{pattern}\n$" if pattern else "^$")
        self.assertEqual(job.returncode, code)

    def until(self, claim, condition):
        limit = time.monotonic() + SECONDS
        while not condition():
            self.assertLess(time.monotonic(), limit, claim)
            time.sleep(0.1)


class Jobs(Job):
    def test_ranks_that_do_not_start_are_ended_in_time(self):
        job = self.start("exec sleep 300", "--start-seconds", "2")
        self.ended(job, 5, r"launch/run: the ranks have not started within 2 s \(--start-seconds\)")

    def test_a_program_that_cannot_run_says_why(self):
        job = self.start('echo "$0: error while loading shared libraries: libx.so.1: cannot open shared object file" >&2; exit 127')
        self.ended(job, 5, "launch/run: a host lacks the library libx.so.1: expected those of the program on every host")

    def test_a_host_without_an_address_is_named(self):
        agent = self.script("agent", 'echo "ssh: Could not resolve hostname gpu9: Name or service not known" >&2; exit 255')
        job = self.start("exit", "--host", "gpu9:2", "--mpi", f"{'--mca plm_rsh_agent' if OPEN_MPI else '-launcher-exec'} {agent}")
        self.ended(job, 5, "launch/run: host gpu9 has no address: expected a name that ssh knows")

    def test_ranks_stop_and_go_on_with_their_job(self):
        job = self.start("""
            trap 'exit 143' USR1
            echo "lockstep: launcher: started" >&2
            exec 2>/dev/null  # for the shell's remarks on signals
            for ((i = 0; ; ++i)); do echo $i >count.$RANK.new; mv count.$RANK{.new,}; sleep 0.05; done
            """)
        counts = lambda: [file.read_text() for file in sorted(self.folder.glob("count.?"))]  # noqa: E731
        self.until("both ranks count", lambda: len(counts()) == 2)
        job.send_signal(signal.SIGTSTP)
        self.until("the script stops", lambda: Path(f"/proc/{job.pid}/stat").read_text().split()[2] == "T")
        self.until("the ranks stop", self.stays_the_same(counts))
        stopped = counts()
        job.send_signal(signal.SIGCONT)
        self.until("the ranks go on", lambda: all(now != then for now, then in zip(counts(), stopped)))
        job.send_signal(signal.SIGTERM)
        self.ended(job, 143, "")

    @staticmethod
    def stays_the_same(value):
        def holds():
            before = value()
            time.sleep(1.0)
            return value() == before
        return holds

    SAVES = """
        trap 'asked=yes' USR1
        echo "lockstep: launcher: started" >&2
        exec 2>/dev/null
        touch "up.$RANK"
        for ((i = 0; ; ++i)); do
          ((RANK)) || ((i > 3)) || echo line
          [[ -z ${asked-} ]] || { sleep 0.5; touch "saved.$RANK"; exit 143; }
          sleep 0.1
        done"""

    def test_when_nobody_reads_what_they_print_ranks_save_and_end(self):
        reader, writer = os.pipe()
        job = self.start(self.SAVES, stdout=writer)
        os.close(writer)
        self.until("both ranks run", lambda: len(list(self.folder.glob("up.?"))) == 2)
        time.sleep(1.0)  # all lines have come
        os.close(reader)
        self.ended(job, 143, "launch/run: standard output was closed: the ranks saved their state and ended")
        self.assertEqual(len(list(self.folder.glob("saved.?"))), 2)

    def test_a_terminal_that_closes_asks_for_the_end(self):
        job = self.start(self.SAVES)
        self.until("both ranks run", lambda: len(list(self.folder.glob("up.?"))) == 2)
        job.send_signal(signal.SIGHUP)
        self.ended(job, 143, "")
        self.assertEqual(len(list(self.folder.glob("saved.?"))), 2)

    def test_under_nohup_it_does_not(self):
        job = self.start(self.SAVES, before=("nohup",))
        self.until("both ranks run", lambda: len(list(self.folder.glob("up.?"))) == 2)
        job.send_signal(signal.SIGHUP)
        time.sleep(3.0)
        self.assertIsNone(job.poll())
        job.send_signal(signal.SIGTERM)
        self.ended(job, 143, "")


if OPEN_MPI:

    class OpenMpi(Job):
        """What it alone needs and says."""

        def test_mpi_that_fails_to_start_and_hangs_is_named(self):
            job = self.start("""
                echo "[h1:7] PMIX ERROR: OUT-OF-RESOURCE in file ../mca/common/dstore/dstore_segment.c at line 208" >&2
                echo "*** An error occurred in MPI_Init_thread" >&2
                exec sleep 300""")
            self.ended(job, 5, "launch/run: no room for the files of Open MPI, in TMPDIR or /dev/shm, on one of the hosts")

        def test_a_missing_tmpdir_is_named(self):
            job = self.start("exit", before=("env", f"TMPDIR={self.folder}/gone"))
            self.ended(job, 2, f"launch/run: TMPDIR is {self.folder}/gone, which is not a folder, expected one for Open MPI's files")
