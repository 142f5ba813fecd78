"""launch/run --retries: the command of each attempt, and what is said between them. What supervises mpirun is a stand-in."""

import contextlib
import io
import os
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from lockstep_launch import mpirun, run
from lockstep_launch.script import Failure


class Supervisor:
    """Attempts that end with these codes, in the run folder `folder`; with a signal in the wait after them if `interrupted`."""

    def __init__(self, codes, folder=None, interrupted=False):
        self.asked = self.why = None
        self.codes, self.folder, self.interrupted = list(codes), folder, interrupted
        self.commands = []  # of each attempt, what follows the program
        self.waits = []  # seconds

    def run(self, command, _environment):
        self.commands.append(" ".join(command).partition("/lockstep ")[2])
        return SimpleNamespace(code=self.codes.pop(0), lost="rank 1 was lost", spoken="", held=[], started=True, said="", cause=None,
                               folder=self.folder)

    def wait(self, seconds):
        self.waits.append(seconds)
        self.asked = 143 if self.interrupted else None


class Retries(unittest.TestCase):
    def call(self, words, *codes, **more):
        """launch/run: (its exit code, the lines that it says, the stand-in)."""
        supervisor, said = Supervisor(codes, **more), io.StringIO()
        with mock.patch.multiple(run, Supervisor=lambda *_: supervisor, find_program=lambda: "/lockstep", require_room=lambda _: None), \
                mock.patch.object(mpirun, "detect", lambda _: mpirun.OpenMpi("mpirun", "mpirun (Open MPI) 4.1.4")), \
                mock.patch.dict(os.environ, container="yes"), contextlib.redirect_stderr(said):
            code = run.main(["-np", "1", *words.split()])
        self.assertEqual(supervisor.codes, [], "all attempts were made")
        return code, said.getvalue().splitlines(), supervisor

    def test_each_attempt_after_the_first_goes_on_with_what_there_is(self):
        code, said, supervisor = self.call("--retries 3 c.toml --out out", 5, 5, 0)
        self.assertEqual(code, 0)
        self.assertEqual(supervisor.commands, ["train c.toml --out out", *2 * ["train c.toml --out out --resume auto"]])
        self.assertEqual(supervisor.waits, [1, 2])
        self.assertRegex(said[0], r"note: rank 1 was lost; going on from the start in 1 s \(retry 1 of 3\)$")
        self.assertRegex(said[1], r"in 2 s \(retry 2 of 3\)$")
        self.assertEqual(len(said), 2)

    def test_what_the_user_asks_for_stays(self):
        for words in ("--resume other.safetensors", "--resume latest", "--resume auto", "--resume-from runs/a", "--overwrite"):
            commands = self.call(f"--retries 1 c.toml {words}", 5, 0)[2].commands
            self.assertEqual(commands, [f"train c.toml {words}", f"train c.toml {words} --resume auto"])

    def test_where_it_goes_on_is_said(self):
        def begins(folder):
            return self.call("--retries 1 c.toml --overwrite", 5, 0, folder=folder)[1][0].partition("; going on ")[2].partition(" in")[0]

        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            self.assertEqual(begins(folder), "from the start")
            (folder / "checkpoints").mkdir()
            (folder / "checkpoints/step-7.safetensors").touch()
            self.assertEqual(begins(folder), "from the newest checkpoint")
            (folder / ".next").mkdir()  # the checkpoint is of the run that this one is to replace
            self.assertEqual(begins(folder), "from the start")

    def test_there_is_an_end_to_it(self):
        code, said, supervisor = self.call("--retries 2 c.toml", 5, 5, 5)
        self.assertEqual((code, len(supervisor.commands)), (5, 3))
        self.assertEqual(said[-1], f"{said[-1].partition(': ')[0]}: rank 1 was lost")

    def test_what_another_attempt_would_not_mend_is_not_tried_again(self):
        for code in (0, 2, 3, 4):
            self.assertEqual(self.call("--retries 2 c.toml", code)[0], code)
        for words in ("eval out", "selftest", "sweep s.toml"):
            self.assertEqual(self.call(f"--retries 2 {words}", 5)[0], 5)

    def test_a_difference_that_is_found_is_no_loss(self):
        for words in ("verify c.toml", "selftest", "gradcheck c.toml"):
            self.assertEqual(self.call(f"--retries 2 {words}", 1)[:2], (1, []))

    def test_a_signal_between_two_attempts_ends_it(self):
        with self.assertRaisesRegex(Failure, "^interrupted while no ranks were running$") as caught:
            self.call("--retries 2 c.toml", 5, interrupted=True)
        self.assertEqual(caught.exception.code, 143)
