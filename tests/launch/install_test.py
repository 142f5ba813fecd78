"""cmake --install: what it puts into a prefix works from there, after a move, and from any working folder."""

import os
import subprocess
from pathlib import Path

from harness.build import BUILD, VERSION
from harness.files import read
from scripts import AS_ROOT, refused, run, succeeded

FILES = ("bin/lockstep", "share/doc/lockstep/README.md", "share/doc/lockstep/LICENSE", "share/lockstep/configs/cifar10_mlp.toml",
         "share/lockstep/configs/courses/circle.toml", "share/man/man1/lockstep.1.gz", "share/man/man1/lockstep-run.1.gz",
         "share/bash-completion/completions/lockstep", "share/bash-completion/completions/lockstep-run", f"share/modulefiles/lockstep/{VERSION}")


def test_what_is_installed_works_from_there(monkeypatch):
    succeeded(run("cmake", "--install", BUILD, "--prefix", Path("first").absolute()))
    prefix = Path("first").rename("moved").absolute()
    assert [file for file in FILES if not (prefix / file).is_file()] == []
    libraries = subprocess.run(["ldd", prefix / "bin/lockstep"], capture_output=True, text=True, check=True).stdout
    assert "mpi_cxx" not in libraries, "MPI's old C++ interface is not needed"
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    installed = newest(prefix)

    short = [AS_ROOT, "-np", 2, "--force"]
    settings = ["train.epochs=1", "data.train_samples=101", "data.test_samples=57", "data.dataset=synthetic"]
    words = [word for setting in settings for word in ("--set", setting)]
    outcome = run(prefix / "bin/lockstep-run", *short, "../moved/share/lockstep/configs/cifar10_dense100.toml", *words)
    succeeded(outcome, "written to runs/cifar10_dense100\n$")
    assert Path("runs/cifar10_dense100/model.safetensors").stat().st_size > 0, "the run is where it was started"

    monkeypatch.setenv("PATH", f"{prefix}/bin:{os.environ['PATH']}")
    folder = "runs/cifar10_dense100"
    succeeded(run("lockstep-run", *short, "eval", folder), r"^train  loss .*\n.*57\)\n$")
    succeeded(run("lockstep-plot", folder), f"^lockstep-plot: {folder}/curves.svg and {folder}/curves.png")
    succeeded(run("lockstep-report", folder), f"lockstep-report: {folder}/report.html\n$")
    assert "Confusion matrix of cifar10_dense100" in read(f"{folder}/report.html"), "the report has what the installed program says"
    circle = "../moved/share/lockstep/configs/courses/circle.toml"
    succeeded(run("lockstep-verify", circle, "--ranks", 2, "--threads", 1, "--steps", 3),
              "lockstep-verify: every layout gave the same weights\n$")
    succeeded(run("lockstep-scaling", circle, "--ranks", 1, "--repeats", 1, "--epochs", 1))
    assert Path("results/scaling/circle/report.md").is_file()
    succeeded(run("lockstep", "inspect", folder), f"^{folder}: a run")
    succeeded(run("lockstep", "configs"), "moved/share/lockstep/configs/courses/circle.toml +[A-Z]")
    succeeded(run("lockstep-run", "--help"), r"^Runs lockstep(.|\n)*Usage: lockstep-run \[options\] CONFIG")
    refused(run("lockstep-run", "--wrong", "c"), 2,
            "^lockstep-run: unknown option '--wrong' before CONFIG, see lockstep-run --help$")
    refused(run("lockstep-get-cifar10", CIFAR10_URL="file:///nowhere"), 3, "^lockstep-get-cifar10: .*nowhere")
    refused(run("lockstep-get-data", "mnist", DATA_URL="file:///nowhere"), 3, "^lockstep-get-data: .*nowhere/train-images")
    assert not Path("data").exists(), "nothing is left of that"
    assert newest(prefix) == installed, "nothing was written to the prefix"


def newest(folder):
    return max(path.stat().st_mtime_ns for path in folder.rglob("*"))
