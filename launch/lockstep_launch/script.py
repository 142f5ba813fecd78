"""What every script shares: its name, its help, and its one line where it fails.

Each script is launch/NAME; installed it is lockstep-NAME. Exit codes are those of lockstep: 2 the command line or the machine's
set-up is wrong, 3 the data is wrong or missing, 5 a rank or the network failed.
"""

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class Failure(Exception):
    """Ends the script, with one line on stderr."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def installed():
    """Whether these scripts are those that `cmake --install` put into share/lockstep."""
    return not (REPOSITORY / "CMakePresets.json").exists()


def program():
    """Where lockstep is: what LOCKSTEP says, or else the program that belongs to these scripts."""
    own = REPOSITORY.parent.parent / "bin/lockstep" if installed() else REPOSITORY / "build/lockstep"
    return os.environ.get("LOCKSTEP") or str(own)


def studies():
    """The folder for what is measured: the repository's, or one where an installed script is called."""
    return Path("results/scaling") if installed() else REPOSITORY / "results/scaling"


def name():
    called = os.path.basename(sys.argv[0])
    return called if called.startswith("lockstep-") else f"launch/{called}"


def say(text):
    print(f"{name()}: {text}", flush=True)


def note(text):
    complain(f"note: {text}")


def complain(text):
    sys.stdout.flush()
    sys.stderr.write(f"{name()}: {text}\n")
    sys.stderr.flush()


def value_of(words, what):
    """The value of the option words[0]; both are taken from the list. what: what was expected."""
    option = words.pop(0)
    if not words or not words[0]:
        raise Failure(2, f"{option} has no value, expected {what}")
    return words.pop(0)


def run(main, documentation, help_anywhere=False):
    """Calls main(words of the command line) and ends the process with the exit code that it returns. The documentation is shown
    for -h or --help as the first word, or as any."""
    sys.stderr.reconfigure(errors="surrogateescape")  # file names need not be text
    sys.stdout.reconfigure(errors="surrogateescape")
    words = sys.argv[1:]
    try:
        if help_anywhere and {"-h", "--help"} & set(words) or words and words[0] in ("-h", "--help"):
            print(documentation.replace("launch/" + name().removeprefix("lockstep-").removeprefix("launch/"), name()).strip())
            sys.stdout.flush()
            sys.exit(0)
        sys.exit(main(words))
    except Failure as failure:
        complain(failure)
        sys.exit(failure.code)
    except KeyboardInterrupt:
        complain("interrupted")
        sys.exit(130)
    except BrokenPipeError:  # nobody reads standard output any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
