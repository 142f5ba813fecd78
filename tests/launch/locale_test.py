"""Where the decimal point is a comma: from training to the report, every file is what it is in the C locale."""

import re
import subprocess
from pathlib import Path

import pytest
from harness.build import PROGRAM, REPOSITORY
from harness.files import read, read_csv, timeless, weights_hash
from scripts import AS_ROOT, LAUNCH, run, succeeded

EQUAL = ["run/steps.csv", "run/grid.csv", "run/points.csv", "run/predictions.csv", "run/model.safetensors", "activations.csv",
         "activations.svg", "eval.txt"]


@pytest.fixture
def german():
    """The environment of a locale in which one and a half is 1,5."""
    folder = Path("locales").absolute()
    folder.mkdir()
    subprocess.run(["localedef", "--quiet", "--inputfile=de_DE", "--charmap=UTF-8", folder / "de_DE.UTF-8"], check=True)
    variables = {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "LOCPATH": folder}
    assert run("bash", "-c", 'printf "%.1f" 1,5', **variables).out == "1,5"
    return variables


def write_and_draw(**environment):
    """Everything that writes or draws numbers, in the working folder."""
    def call(*words):
        outcome = succeeded(run(*words, LOCKSTEP=PROGRAM, **environment))
        assert outcome.err in ("", "launch/run: note: 2 ranks on 1 core: they take turns\n"), "there is nothing to remark on"
        return outcome

    settings = ["--set", "train.epochs=3", "--set", "log.steps=true", "--set", "train.learning_rate=0.25"]
    spiral = REPOSITORY / "configs/courses/spiral.toml"
    call(LAUNCH / "run", AS_ROOT, "-np", 2, "--force", spiral, "--quiet", "--out", "run", *settings)
    evaluation = [LAUNCH / "run", AS_ROOT, "-np", 1, "eval", "run", "--grid", "--predictions"]
    for name, words in (("eval.txt", evaluation), ("inspect.txt", [PROGRAM, "inspect", "run"]),
                        ("activations.csv", [PROGRAM, "activations"])):
        Path(name).write_text(call(*words).out, encoding="utf-8")
    call(LAUNCH / "plot", "run")
    call(LAUNCH / "plot", "--activations", "activations.csv", "-o", "activations")
    assert call(LAUNCH / "report", "run").out.endswith("report.html\n")


def test_every_file_is_the_same_where_the_decimal_point_is_a_comma(german, monkeypatch, folder):
    for name, environment in (("plain", {"LC_ALL": "C.UTF-8"}), ("comma", german)):
        Path(folder, name).mkdir()
        monkeypatch.chdir(folder / name)
        write_and_draw(**environment)
    monkeypatch.chdir(folder)
    assert weights_hash("plain/run") == weights_hash("comma/run")
    for file in EQUAL:
        assert Path("plain", file).read_bytes() == Path("comma", file).read_bytes(), file
    assert timeless(read_csv("plain/run/metrics.csv")) == timeless(read_csv("comma/run/metrics.csv"))
    for file in ("run/report.html", "eval.txt", "inspect.txt"):
        assert not re.search(r'[0-9],[0-9]+\s*%|"[0-9]+,[0-9]+"', read(f"comma/{file}")), "no number has a comma"
