"""What tests of launch/run's decisions share: a folder of files, and a call that is refused."""

import tempfile
import unittest
from pathlib import Path

from lockstep_launch.script import Failure


class Folder(unittest.TestCase):
    """Has a new one, empty, in `folder`."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def write(self, name, text):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        return file

    def refuses(self, code, pattern, call, *arguments):
        with self.assertRaisesRegex(Failure, pattern) as caught:
            call(*arguments)
        self.assertEqual(caught.exception.code, code)
        self.assertNotIn("\n", str(caught.exception))
