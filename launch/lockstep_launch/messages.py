"""What mpirun says, beside what the ranks say: which lines are its own."""

import re

OF_A_RANK = re.compile(r"lockstep: ranks? \d")
TO_US = re.compile(r"lockstep: launcher: (.*)$")  # see src/liveness/launcher.h; --tag-output puts words before it


class Messages:
    """Takes the lines of a job apart.

    spoken   the first line that names a rank, a watchdog's or the error of one rank alone, to be shown in the end: mpirun may
             know better, and a rank that has lost another says so too
    told     what rank 0 has told launch/run
    finished the exit code with which rank 0 has said to end; None before
    said     what mpirun has said
    held     other lines from before the ranks have started, which may say why they do not
    failed   whether MPI has given a rank up, after which mpirun may hang
    """

    def __init__(self, launcher, verbose):
        self.verbose = verbose
        self.spoken = None
        self.told = []
        self.finished = None
        self.said = []
        self.held = []
        self.failed = False
        self._launcher = launcher
        self._between_rules = False
        self._started = False

    def sort(self, line):
        """Of a line of standard error: the lines to show now, of which it may be one."""
        for_us = TO_US.search(line)
        if for_us:
            self.told.append(for_us[1])
            if found := re.fullmatch(r"finished (\d+)", for_us[1]):
                self.finished = int(found[1])
            return self._release() if not self._started else []
        shown = [line] if self.verbose else []
        if self._is_its_own(line, rules=not self._launcher.SPEAKS_OUT):
            pass
        elif OF_A_RANK.match(line):
            self.spoken = self.spoken or line
        elif self._started or self.verbose or line.startswith("lockstep: "):
            shown = [line]
        else:
            self.held.append(line)
        return shown

    def sort_output(self, line):
        """Of a line of standard output: the lines to show now."""
        return [line] if not self._is_its_own(line, rules=True) or self.verbose else []

    def _is_its_own(self, line, rules):
        """Whether mpirun has said it, who is heard. rules: whether this is the stream where it puts rules around what it says."""
        if rules and self._launcher.RULE.match(line):
            self._between_rules = not self._between_rules
            return True
        own = rules and self._between_rules or self._launcher.OWN.match(line) is not None
        if own:
            self.said.append(line)
        if (own or not self._started) and self._launcher.GIVEN_UP.search(line):
            self.failed = True
        return own

    def _release(self):
        self._started = True
        held, self.held = self.held, []
        return held

    def everything(self):
        return " ".join(" ".join(self.said + self.held).split())
