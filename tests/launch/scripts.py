"""What the tests of the launch scripts share: a script is run as a user would, its neighbours and what it calls are stand-ins."""

import re
import shutil
from pathlib import Path

from harness.build import PROGRAM, REPOSITORY
from harness.process import Running

LAUNCH = REPOSITORY / "launch"
OF_LOCKSTEP = f"""[[ ${{1-}} != --version ]] || exec "{PROGRAM}" --version
RANK=${{OMPI_COMM_WORLD_RANK-${{PMI_RANK-}}}} RANKS=${{OMPI_COMM_WORLD_SIZE-${{PMI_SIZE-}}}}
"""
AS_ROOT = "--allow-run-as-root"  # launch/run's, for tests in containers


def start(*words, limit=120, **variables):
    """A command that runs beside the test, with these environment variables besides. All that it says is in its Outcome."""
    return Running(["env", *(f"{name}={value}" for name, value in variables.items()), *words], limit=limit, verbatim=True)


def run(*words, limit=120, **variables):
    with start(*words, limit=limit, **variables) as running:
        return running.wait()


def succeeded(outcome, pattern=""):
    """Code 0, and stdout has something like this."""
    assert outcome.code == 0, outcome
    assert re.search(pattern, outcome.out), outcome
    return outcome


def refused(outcome, code, pattern):
    """That exit code, and stderr is one line like this."""
    assert outcome.code == code, outcome
    assert outcome.err.count("\n") == 1 and outcome.err.endswith("\n"), outcome
    assert re.search(pattern, outcome.err), outcome
    return outcome


def stand_in(path, text):
    """Makes that file a Bash script of these lines: its absolute path. One called lockstep has the --version of the
    program that is tested, and its rank in RANK, of RANKS."""
    path = Path(path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{OF_LOCKSTEP if path.name == 'lockstep' else ''}{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def scripts(name="copy"):
    """A copy of the launch scripts in a repository of its own, to be given stand-ins: its folder."""
    shutil.copytree(LAUNCH, Path(name, "launch"), ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "CMakePresets.json", name)
    return Path(name).absolute()


def machine(copy, cpus, online, physical, quota=None):
    """That copy of the scripts sees a machine of so many CPUs: in the affinity mask, online, cores, and cores' time."""
    with open(copy / "launch/lockstep_launch/machine.py", "a", encoding="utf-8") as file:
        for name, value in (("affinity_cpus", cpus), ("online_cpus", online), ("physical_cores", physical), ("quota", quota)):
            file.write(f"\n\ndef {name}():\n    return {value}\n")


def tools(name, *programs):
    """A folder with links to these programs alone, as a PATH: its path."""
    Path(name).mkdir()
    for program in programs:
        Path(name, program).symlink_to(shutil.which(program))
    return Path(name).absolute()
