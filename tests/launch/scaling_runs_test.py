"""launch/scaling: what it asks of the runs, what it refuses, runs that fail, and studies that are interrupted and go on."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from harness.files import read, read_csv, write
from scripts import machine, refused, run, scripts, stand_in, start, succeeded

# Notes its words, and behaves as `behave` says. Its counted epochs take 1, 3 and 2 s.
PROGRAM = """
[[ $RANK == 0 ]] || exec sleep 0.1
echo "$RANKS $OMP_NUM_THREADS $*" >>words
while (($#)); do [[ $1 != --out ]] || out=$2; shift; done
[[ ! -e behave ]] || source ./behave
mkdir -p "$out"
row='epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,samples_per_second'
echo "$row,rescaled_steps,compute_seconds,wait_seconds,transfer_seconds" >"$out/metrics.csv"
e=0
for seconds in 9 1 3 2; do echo "$((e += 1)),0,0,0,0,0,$seconds,0,0,$seconds.25,$seconds.5,$seconds.75" >>"$out/metrics.csv"; done
places=$(for ((r = 1; r <= RANKS; ++r)); do printf '%s"n%d: 0"' "${comma-}" $((r % 2)) && comma=,; done)
cat >"$out/summary.json" <<JSON
{"weights_hash": "00000000000000aa", "train_samples": 500, "placement": [$places], "config": {"reduce": {"mode": "exact"}},
 "provenance": {"version": "1", "compiler": "c", "blis_version": "b", "kernel_family": "some", "kernel_choice": "k", "mpi": "m"}}
JSON"""
CONFIG = """
[data]
shards = 4
[train]
batch_size = 32
"""
SETTINGS = ["--set", "seed=7", "--set", "train.batch_size=16"]


@pytest.fixture(autouse=True)
def copy(monkeypatch):
    """A repository whose program is a stand-in, on a machine on which nothing is bound."""
    folder = scripts()
    machine(folder, 4, 8, 8)
    monkeypatch.setenv("LOCKSTEP", str(stand_in("lockstep", PROGRAM)))
    write("c.toml", CONFIG)
    return folder


def scaling(*words):
    return run("copy/launch/scaling", *words)


def runs_made():
    """What each run since the last call was asked for: "RANKS THREADS train WORDS..."."""
    return Path("words").rename("words.seen").read_text(encoding="utf-8").splitlines()


def test_what_runs_are_asked_for_and_what_is_made_of_their_epochs():
    succeeded(scaling("c.toml", "--ranks", "1,2", "--threads", 2, "--repeats", 1, *SETTINGS, "--out", "out"))
    one, two = runs_made()
    assert one.startswith("1 2 train c.toml --quiet --overwrite --out out/.run --set seed=7")
    assert two.startswith("2 2 train c.toml --quiet")
    for words in (one, two):
        last = dict(re.findall("--set ([^ =]+)=([^ ]+)", words))
        assert last | {"train.epochs": "4", "train.batch_size": "16", "compute.threads": "2", "data.test_samples": "100",
                       "checkpoint.every_epochs": "0", "log.steps": "false"} == last
        assert words.index("seed=7") < words.index("train.epochs="), "a study's own settings come last"
    # The median of the counted epochs is the run's.
    assert "2,2,2,1,0,16,500,2,250,2.25,2.5,2.75,00000000000000aa,n1: 0; n0: 0" in read("out/runs.csv").splitlines()


def test_the_same_study_goes_on_and_another_one_does_not():
    words = ["c.toml", "--ranks", "1,2", "--threads", 2]
    succeeded(scaling(*words, "--repeats", 1, *SETTINGS, "--out", "out"))
    runs_made()
    succeeded(scaling(*words, "--repeats", 2, *SETTINGS, "--out", "out"))
    assert [words[0] for words in runs_made()] == ["2", "1"], "two runs are made"
    assert len(read_csv("out/runs.csv")) == 4
    refused(scaling(*words, "--repeats", 2, "--set", "seed=8", "--out", "out"), 2,
            "out has the runs of another study, of another --set: expected --fresh, which begins anew, or another --out")
    write("c.toml", CONFIG + "# changed\n")
    refused(scaling(*words, "--repeats", 2, *SETTINGS, "--out", "out"), 2, "out has the runs of another study, of another configuration")
    succeeded(scaling("c.toml", "--ranks", 1, "--repeats", 1, "--fresh", "--out", "out"))
    assert len(read_csv("out/runs.csv")) == 1, "--fresh forgets the others"


def test_by_default_all_is_in_results_under_the_studys_name(copy):
    succeeded(scaling("c.toml", "--ranks", 1, "--repeats", 1))
    succeeded(scaling("c.toml", "--ranks", 1, "--repeats", 1, "--weak"))
    assert sorted(file.parent.name for file in copy.glob("results/scaling/*/runs.csv")) == ["c", "c-weak"]


def test_a_run_that_fails_is_named_with_its_own_line_and_the_runs_before_it_stay():
    def fails(how):
        write("behave", f"((RANKS == 1)) || {{ {how}; }}")
        return scaling("c.toml", "--ranks", "1,2", "--repeats", 2, "--out", "out")

    outcome = fails('echo "lockstep: data.dir is wrong" >&2; exit 3')
    assert outcome.code == 3
    assert outcome.err.splitlines()[-1] == "launch/scaling: 2 ranks x 1 thread, repeat 1: lockstep: data.dir is wrong"
    assert len(read_csv("out/runs.csv")) == 1
    outcome = fails("kill -KILL $$")
    assert outcome.code == 5
    lost = r"scaling: 2 ranks x 1 thread, repeat 1: launch/run: (rank 0|a rank or mpirun) was ended by SIGKILL"
    assert re.search(lost, outcome.err)


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 143)])
def test_an_interrupted_study_asks_the_run_under_way_to_end_and_goes_on_with_the_same_command(number, code):
    write("behave", """
        if ((RANKS == 2)); then
          trap 'touch asked; exit 143' USR1
          touch waiting
          while :; do sleep 0.1; done
        fi""")
    words = ["c.toml", "--ranks", "1,2", "--repeats", 1, "--out", "out"]
    with start("copy/launch/scaling", *words) as study:
        limit = time.monotonic() + 60
        while not Path("waiting").exists():
            assert time.monotonic() < limit, "the second run begins"
            time.sleep(0.05)
        os.killpg(study.pid, number)
        outcome = study.wait()
    assert outcome.code == code
    assert Path("asked").exists(), "the run was asked to end"
    assert "launch/scaling: interrupted: runs.csv has 1 run, the same command goes on" in outcome.err
    assert [(row["ranks"], row["repeat"]) for row in read_csv("out/runs.csv")] == [("1", "1")]
    assert not Path("out/report.md").exists() and not Path("out/.run").exists()
    Path("behave").unlink()
    runs_made()
    succeeded(scaling(*words))
    assert [words[0] for words in runs_made()] == ["2"], "only the missing run is made"


@pytest.mark.parametrize("words, message", [
    ("c.toml --ranks 1,6", "--ranks has 6, but data.shards is 4: expected 4 ranks at most, or --set data.shards=6 and a train.batch_size"),
    ("c.toml --ranks 3,4 --weak", "--weak: 4 ranks would have a batch of 32 x 4 / 3, expected a multiple of data.shards, which is 4"),
    ("c.toml --ranks 1 --set train.epochs=9", "--set train.epochs: a study sets it, expected --epochs"),
    ("c.toml --ranks 1 --set log.steps=true", "--set log.steps: a study sets it to false"),
    ("c.toml --ranks 1 --set log.layers=true", "--set log.layers: a study sets it to false"),
    ("--ranks 1", "no CONFIG, expected the file of a training run"),
    ("c.toml", "no --ranks, expected numbers of ranks"),
    ("c.toml --ranks 1,two", "argument --ranks: '1,two', expected whole numbers as in 1,2,4"),
    ("c.toml --ranks 1 --repeats 0", "argument --repeats: '0', expected a whole number"),
    ("c.toml --ranks 1 --what", "unrecognized arguments: --what, see launch/scaling --help"),
    ("nowhere.toml --ranks 1", "nowhere.toml: cannot be read: No such file"),
    ("check.toml --ranks 1 --only-report out", "--only-report DIR goes with nothing else"),
    ("c.toml --ranks 1 --hostfile hosts", "--hostfile hosts: node1 has no slots, expected lines of 'HOST slots=N'"),
    ("c.toml --ranks 1 --hostfile nowhere", "--hostfile nowhere: no such file"),
    ("c.toml --ranks 1 --host a:x", "--host is 'a:x', expected HOST:SLOTS")])
def test_what_is_wrong_is_refused_before_any_run(words, message):
    write("hosts", "node1 max_slots=2\n")
    refused(scaling(*words.split()), 2, re.escape(message))
    assert not Path("words").exists()


def test_without_a_program_nothing_is_run():
    refused(run("copy/launch/scaling", "c.toml", "--ranks", 1, LOCKSTEP="nowhere/lockstep"), 2,
            "nowhere/lockstep is not a program; build it with launch/build")


def test_its_help_tells_all_options():
    succeeded(scaling("--help"), r"^Measures how training scales(.|\n)*--only-report DIR")
