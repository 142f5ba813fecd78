"""What a person, a pipe and a script see of the program."""

import os
import re

import pytest
from harness.build import MPIRUN, PROGRAM, VERSION
from harness.files import read_csv, summary_of, write_small_config
from harness.process import ALONE, execute, lockstep, settings, succeed, three_ranks_if_long

TRAINING = ["train", "run.toml", "--out", "out", "--overwrite"]
EPOCH_ROW = r" +[12]  +[0-9.]+  +[0-9.]+%  +[0-9.]+  +[0-9.]+%  +0\.05  +[0-9.]+  +[0-9]+"
BAR = r"epoch [12]/2 \[#*\.*\] +[0-9]+%  [0-9]+ samples/s  [0-9]+:[0-9][0-9] left"
RATE = ".*[0-9] samples/s.*"

@pytest.fixture(autouse=True)
def small_config(folder):
    write_small_config()


samples = 320  # for epochs that are long enough, as far as is known yet


def train_slowly(*more, ranks=ALONE, **how):
    """Trains for two epochs that are long enough for a bar to move, which it does every 0.1 s, on any machine."""
    global samples
    while True:
        keys = settings("model.hidden=[500]", "train.batch_size=8", f"data.train_samples={samples}")
        outcome = lockstep(*TRAINING, *keys, *more, ranks=ranks, **how)
        assert outcome.code == 0, outcome.out + outcome.err
        if min(float(row["seconds"]) for row in read_csv("out/metrics.csv")) > 0.25 or samples > 12500:
            return outcome
        samples *= 4


def visible(text):
    """What a terminal shows of it in the end: a carriage return and "erase" take a line's earlier text away."""
    return re.sub("[^\n]*\r\x1b\\[K", "", re.sub("\r+\n", "\n", text))


def longest_shown(text):
    """The length of the longest line that a terminal showed at any time, bars among them."""
    return max(len(line) for line in re.split("\r|\x1b\\[K|\n", text))


def table_of(text):
    """The table and its bars."""
    return text[text.index("epoch  train loss") : text.index("weights ")]


def count(text, pattern):
    """How many lines are like this."""
    return sum(bool(re.fullmatch(pattern, line)) for line in text.splitlines())


def test_the_first_line_says_what_runs(ranks):
    outcome = succeed(*TRAINING, ranks=ranks)
    kernels = summary_of("out")["provenance"]["kernel_family"]
    shown = "1 rank" if ranks == ALONE else "3 ranks"
    assert outcome.out.splitlines()[0] == (
        f"lockstep {VERSION}: {shown} x 1 thread, {kernels} kernels, synthetic, seed 3, exact reduction")


def test_a_pipe_gets_one_clean_line_per_epoch(ranks):
    outcome = train_slowly(ranks=ranks)
    assert outcome.err == ""
    assert not re.search("[\r\x1b\b]", outcome.out)
    assert count(outcome.out, EPOCH_ROW) == 2, outcome.out
    assert count(outcome.out, RATE) == 0, outcome.out
    assert re.fullmatch("weights [0-9a-f]{16}, written to out", outcome.out.splitlines()[-1])


def test_a_terminal_gets_a_progress_bar_that_leaves_no_trace(ranks):
    outcome = train_slowly(ranks=ranks, columns=100)
    assert re.search("\r" + BAR, outcome.out), outcome.out
    assert count(visible(outcome.out), EPOCH_ROW) == 2, visible(outcome.out)
    assert count(visible(outcome.out), RATE) == 0, visible(outcome.out)


def test_table_and_bar_keep_within_a_narrow_terminal(ranks):
    table = table_of(train_slowly(ranks=ranks, columns=60).out)
    assert longest_shown(table) <= 60, visible(table)
    assert re.search("\r" + BAR, table), table
    assert table.startswith("epoch  train loss  train acc   test loss   test acc\r"), visible(table)
    assert count(visible(table), r" +[12]  +[0-9.]+  +[0-9.]+%  +[0-9.]+  +[0-9.]+%") == 2, visible(table)


def test_the_table_uses_as_much_of_a_terminal_as_columns_says(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    table = table_of(train_slowly(columns=100).out)
    assert longest_shown(table) <= 30, visible(table)
    assert re.search(r"\repoch [12]/2  +[0-9]+%  [0-9]+:[0-9][0-9] left", table), table


def test_a_pipe_gets_the_same_whatever_the_terminal_is_said_to_be(monkeypatch):
    def written():
        return succeed("inspect", "run.toml").out + succeed(*TRAINING).out.splitlines()[8]

    before = written()
    assert before.endswith("epoch  train loss  train acc   test loss   test acc         lr   seconds  samples/s"), before
    for name, value in (("COLUMNS", "30"), ("NO_COLOR", "1"), ("TERM", "xterm-256color")):
        monkeypatch.setenv(name, value)
    assert written() == before


@pytest.mark.parametrize("command", ["train run.toml", "train nowhere.toml", "inspect run.toml", "--help"])
def test_nothing_is_coloured(command, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    outcome = lockstep(*command.split(), columns=100)
    assert outcome.out != ""
    assert not re.search("\x1b\\[[0-9;]*m", outcome.out), outcome.out


@three_ranks_if_long
def test_quiet_prints_nothing_even_on_a_terminal(ranks):
    assert train_slowly("--quiet", ranks=ranks, columns=100).out == ""


@three_ranks_if_long
def test_help_is_printed_once_and_tells_commands_and_exit_codes(ranks):
    text = succeed("--help", ranks=ranks).out
    for part in ("train", "eval", "verify", "Exit codes", "0 done", "1 verify", "2 the command line", "3 the data",
                 "4 a checkpoint or weight file", "5 a rank or the network", "130, 143 interrupted"):
        assert part in text
    assert text.count("Exit codes") == 1


@three_ranks_if_long
@pytest.mark.parametrize("command, parts", [("train", "CONFIG --set --out --quiet metrics.csv"), ("eval", "CONFIG --set --model"),
                                            ("export", "CONFIG --onnx --set --model"),
                                            ("verify", "CONFIG --set --steps --tolerance")])
def test_subcommands_explain_their_options(command, parts, ranks):
    text = succeed(command, "--help", ranks=ranks).out
    assert [part for part in parts.split() if part not in text] == []


@pytest.mark.parametrize("command", ["inspect", "configs", "activations", "doctor"])
def test_help_of_a_subcommand_has_no_examples_of_others(command):
    text = succeed(command, "--help").out
    assert "lockstep train" not in text, text
    assert "Exit codes" not in text, text


@three_ranks_if_long
def test_version_says_of_the_program_what_a_summary_records(ranks):
    lines = succeed("--version", ranks=ranks).out.splitlines()
    succeed(*TRAINING, "--quiet", ranks=ranks)
    provenance = summary_of("out")["provenance"]
    assert lines[0] == f"lockstep {VERSION}"
    assert lines[-1].startswith("kernel_sets      ")
    assert provenance["kernel_family"] in lines[-1]
    lines = [line for line in lines if not line.startswith("mpirun ")]  # which is the machine's
    of_the_run = ("version", "kernel_family", "kernel_choice", "kernels")
    assert sorted(lines[1:-1]) == sorted(f"{name:<17}{value}" for name, value in provenance.items() if name not in of_the_run)


def test_ranks_that_are_bound_to_fewer_cores_than_they_have_threads_are_told():
    first, second, *_ = sorted(os.sched_getaffinity(0))
    script = f'[ "${{OMPI_COMM_WORLD_RANK-$PMI_RANK}}" = 0 ] && core={first} || core={second}; exec taskset --cpu-list $core "$@"'
    job = [*MPIRUN, "-np", 2, "sh", "-c", script, "bound", PROGRAM, *TRAINING]
    line = "mpirun has bound ranks to 1 core, on which their 2 threads take turns: expected launch/run, or mpirun with --bind-to none\n"
    assert line in execute([*job, *settings("compute.threads=2")]).out
    assert "bound" not in execute([*job, *settings("compute.threads=1")]).out
