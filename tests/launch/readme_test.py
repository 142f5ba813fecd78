"""README's commands do what it says, as they are written there, one after the other in a copy of the repository. Only the program is a
little shorter: training takes one epoch of few samples, from made-up images. What this machine cannot have, a cluster and hours, is
left to --help, and named below."""

import re
import shutil
from pathlib import Path

import pytest
from harness.build import BUILD, PROGRAM, REPOSITORY
from harness.files import read, write
from scripts import AS_ROOT, run, stand_in, succeeded

TAKE_LONG = {f"launch/{script}" for script in "quickstart test fuzz bench courses simulate test-processors package".split()}
ON_A_CLUSTER = ("sbatch", "--hostfile")  # on several hosts: tests/hosts and slurm_test.py do
# What a command that trains on CIFAR-10 is given besides; the last of two settings of a key counts.
SHORTER = """
short=()
if [[ $* == *cifar10* && $1 =~ ^(train|verify|predict)$ ]]; then
  short=(--set data.dataset=synthetic --set data.train_samples=256 --set data.test_samples=64)
  [[ $* == *train.epochs=* ]] || short+=(--set train.epochs=1)
fi
exec "$PROGRAM" "$@" "${short[@]}"
"""
LEFT = """runs/cifar10_dense100/summary.json runs/small/model.safetensors runs/small/confusion.csv runs/small/report.html
    tables/confusion.csv runs/ex6_depth_and_width/trials.csv both.html both.svg functions.png
    results/scaling/cifar10_mlp/report.md""".split()


@pytest.fixture(autouse=True)
def copy(folder, monkeypatch):
    """The working folder is a repository with that program."""
    for name in ("launch", "configs"):
        shutil.copytree(REPOSITORY / name, name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "LICENSE", "CMakePresets.json"):
        shutil.copy(REPOSITORY / name, name)
    for name in ("results", "src", "tests"):
        Path(name).mkdir()
    stand_in("build/lockstep", SHORTER)
    # The search: twelve trials, of two epochs and few samples each.
    sweep = "configs/sweeps/ex6_depth_and_width.toml"
    write(sweep, re.sub("^config = .*", 'config = "small.toml"', read(sweep), flags=re.MULTILINE))
    write("configs/sweeps/small.toml",
          '[data]\ndataset = "synthetic"\ntrain_samples = 256\ntest_samples = 64\n[train]\nepochs = 1\n')
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("PROGRAM", PROGRAM)


def commands():
    """Those of README's sh blocks, without what follows a #."""
    for block in re.findall("^```sh\n(.*?)^```$", read("README.md"), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            yield line.partition("#")[0].rstrip() if "#" in line else line


def is_a_file_that_is_shown(command):
    return command == "cat hosts" or re.match(r"node\S.*slots=", command)


def helps(command):
    """That its script is there, and says how it is used, unless it is for sbatch."""
    script = re.search(r"launch/\S+", command)[0]
    assert Path(script).exists(), command
    if not script.endswith(".sbatch"):
        assert f"Usage: {script}" in succeeded(run(script, "--help")).out, command


def with_fewer_words_about_the_machine(command):
    if "launch/run -np" in command:
        return command.replace("launch/run ", f"launch/run --force {AS_ROOT} ", 1)
    return f"{command} --repeats 1 --epochs 1" if command.startswith("launch/scaling") else command


def test_readmes_commands_do_what_it_says(folder):
    ran = 0
    for command in commands():
        if is_a_file_that_is_shown(command):
            continue
        if command.startswith("cmake --install"):  # installed where the build is
            succeeded(run("cmake", "--install", BUILD, "--prefix", folder / ".local"))
            assert Path(".local/bin/lockstep").exists()
        elif command.split()[0] in TAKE_LONG or any(word in command for word in ON_A_CLUSTER):
            helps(command)
        else:
            succeeded(run("bash", "-c", with_fewer_words_about_the_machine(command)))
            ran += 1
    assert ran > 20, "most of them ran"
    assert [file for file in LEFT if not Path(file).exists() or not Path(file).stat().st_size] == [], "they leave what they are said to"
