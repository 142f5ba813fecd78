"""What ends launch/scaling: an exit code and one line."""


class Failure(Exception):
    def __init__(self, code, line):
        super().__init__(line)
        self.code = code
