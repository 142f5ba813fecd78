"""lockstep inspect: what a file or folder is, by its content, and what is in it."""

import re
import struct
from pathlib import Path

import pytest
from harness.files import (Tensors, read_safetensors, resize, set_label, summary_of, weights_hash, write, write_black_cifar10,
                           write_planar_config, write_safetensors, write_small_config)
from harness.process import ALONE, lockstep, succeed, three_ranks_if_long

EXPECTED = "expected safetensors, TOML, CSV or .npz, the folder of a run, or one with the files of a data set"


def inspected(path, ranks=ALONE):
    """Its lines."""
    return succeed("inspect", path, ranks=ranks).out.splitlines()


def refused(path, code, ranks=ALONE):
    """The line, without its beginning."""
    outcome = lockstep("inspect", path, ranks=ranks)
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err.startswith("lockstep: ") and outcome.err.count("\n") == 1, outcome.err
    return outcome.err[len("lockstep: ") : -1]


def train(ranks):
    write_planar_config()
    succeed("train", "run.toml", "--out", "out", "--quiet", "--overwrite", ranks=ranks)


def test_numbers_of_tensors_of_every_type_are_shown(ranks):
    tensors = Tensors()
    for name, dtype, form, *numbers in [
        ("a", "F32", "f", 1.0, float("nan"), -3.0, float("inf"), 2.0), ("b", "F64", "d", 0.5, 1e-9),
        ("c", "F16", "H", 0x3C00, 0xC000, 0x0001, 0x7C00, 0x7E00), ("d", "BF16", "H", 0x3F80, 0xFF80),
        ("e", "I8", "b", -128, 127), ("f", "U32", "I", 4000000000), ("g", "I32", "i")]:
        tensors.add(name, dtype, [len(numbers)], struct.pack(f"<{len(numbers)}{form}", *numbers))
    write_safetensors("any", tensors)  # no ending tells what it is
    assert inspected("any", ranks) == [
        "any: safetensors, 7 tensors of 17 numbers",
        "tensor  type  shape          min          max         mean          std  not finite",
        "a       F32   (5)             -3            2            0      2.16025           2",
        "b       F64   (2)          1e-09          0.5         0.25         0.25           0",
        "c       F16   (5)             -2            1    -0.333333      1.24722           2",
        "d       BF16  (2)              1            1            1            0           1",
        "e       I8    (2)           -128          127         -0.5        127.5           0",
        "f       U32   (1)          4e+09        4e+09        4e+09            0           0",
        "g       I32   (0)              -            -            -            -           0",
    ]


@three_ranks_if_long
def test_weights_are_hashed_as_a_summary_does_in_whatever_order_they_lie(ranks):
    train(ranks)
    line = "weights " + weights_hash("out")
    assert line in inspected("out/model.safetensors", ranks)
    model, turned = read_safetensors("out/model.safetensors"), Tensors()
    for name in ("layers.1.bias", "layers.1.weight", "layers.0.bias", "layers.0.weight"):
        turned.add(name, "F32", model.header[name]["shape"], model.bytes_of(name))
    write_safetensors("turned.safetensors", turned)
    assert line in inspected("turned.safetensors", ranks)
    turned.header["other"] = turned.header.pop("layers.0.bias")
    write_safetensors("other.safetensors", turned)
    assert not [line for line in inspected("other.safetensors", ranks) if line.startswith("weights ")]


@three_ranks_if_long
def test_a_checkpoint_tells_where_it_stands_and_whether_it_is_whole(ranks):
    train(ranks)
    file = "out/checkpoints/step-000000020.safetensors"
    lines = inspected(file, ranks)
    assert lines[:3] == [f"{file}: a checkpoint, whole", f"step 20, 4 epochs done, weights {weights_hash('out')}",
                         "circle, exact reduction"]
    assert lines[3].startswith("trained on circle: 2 features, 2 classes")
    assert lines[5].startswith("tensor                    type  shape")
    assert lines[10].startswith("momentum.layers.0.weight  F32   (5, 2)")
    assert lines[14].startswith("reducer                   I32   ")
    content = bytearray(Path(file).read_bytes())
    content[-1] ^= 1
    write(file, bytes(content))
    assert refused(file, 4, ranks).startswith(f"{file}: its bytes have the checksum ")


@three_ranks_if_long
def test_a_run_tells_what_it_came_to_and_what_is_broken(ranks):
    train(ranks)
    summary, weights = summary_of("out"), weights_hash("out")
    resize("out/checkpoints/step-000000015.safetensors", 100)
    lines = inspected("out", ranks)
    assert lines[0] == "out: a run, finished"
    accuracy = f"accuracy {100 * summary['test_accuracy']:.2f}%"
    for line in [
        "configuration    run", "data             circle", "epochs           4", "steps            20", "parameters       27",
        f"ranks x threads  {ranks or 1} x 1", f"weights          {weights}",
        f"model            model.safetensors: whole, weights {weights}",
        f"kernel_family    {summary['provenance']['kernel_family']}",
        f"checkpoint       step-000000020.safetensors: whole, step 20, 4 epochs done, weights {weights}",
        f"test             loss {summary['test_loss']:#.10g}, {accuracy}"]:
        assert line in lines
    broken = "checkpoint       broken: out/checkpoints/step-000000015.safetensors: not a good "
    assert sum(line.startswith(broken) for line in lines) == 1
    Path("out/summary.json").unlink()
    Path("out/model.safetensors").unlink()
    lines = inspected("out", ranks)
    assert lines[0] == "out: a run, not finished"
    assert lines[1].startswith("checkpoint       step-000000020.safetensors: whole, step 20")
    write("out/summary.json", "{}")
    assert refused("out", 2, ranks).startswith("out/summary.json: is not readable: ")


@three_ranks_if_long
def test_classes_and_columns_of_a_table_are_counted(ranks):
    write("table", "width,height,kind\n1.5,0.5,round\n-0.5,2.5,long\n0.5,1.5,round\n")
    assert inspected("table", ranks) == [
        "table: a table, 3 training and 0 test samples of 2 features, 2 classes",
        "column   missing  used as", "width          0  numbers", "height         0  numbers",
        "kind           0  target: 2 classes", "class  training      test",
        "long          1         0", "round         2         0",
        "feature          min          max         mean          std  not finite",
        "width           -0.5          1.5          0.5     0.816497           0",
        "height           0.5          2.5          1.5     0.816497           0",
    ]
    write("values.csv", "1,0.5\n3,1.5\n")
    assert inspected("values.csv", ranks) == [
        "values.csv: a table, 2 training and 0 test samples of 1 feature, targets are values",
        "column   missing  used as", "1              0  numbers", "2              0  target: values",
        "feature          min          max         mean          std  not finite",
        "1                  1            3            2            1           0",
        "target           0.5          1.5            1          0.5           0",
    ]


@three_ranks_if_long
def test_what_columns_are_used_as_and_what_is_missing_is_shown(ranks):
    write("table.csv", "id,colour,size,kind\n1,red,,a\n2,blue,4,b\n3,red,NA,a\n4,?,2,b\n5,blue,1,a\n")
    assert inspected("table.csv", ranks)[:6] == [
        "table.csv: a table, 5 training and 0 test samples of 4 features, 2 classes",
        "column   missing  used as", "id             0  numbers", "colour         1  2 categories: blue, red",
        "size           2  numbers", "kind           0  target: 2 classes",
    ]
    write("run.toml", '[data]\ndataset = "csv"\nfile = "table.csv"\nignore = ["id"]\nmissing = "drop"\n')
    lines = inspected("run.toml", ranks)
    for line in ("column   missing  used as", "id             0  not used", "colour         0  1 category: blue",
                 "table.csv: 3 of 5 rows have missing cells and are left out"):
        assert line in lines


@three_ranks_if_long
def test_classes_and_colours_of_cifar10_are_counted(ranks):
    write_black_cifar10("cifar")
    set_label("cifar/data_batch_5.bin", 9999, 9)
    lines = inspected("cifar", ranks)
    assert lines[0] == "cifar: CIFAR-10, 50000 training and 10000 test samples of 3072 features, 10 classes"
    for line in ("airplane       49999     10000", "truck              1         0",
                 "green              0            0            0            0           0"):
        assert line in lines
    resize("cifar/test_batch.bin", 1000)
    assert refused("cifar", 3, ranks).startswith("cifar/test_batch.bin: has 1000 bytes, expected 30730000")


@three_ranks_if_long
def test_a_configuration_is_resolved(ranks):
    write_small_config()
    *lines, memory = inspected("run.toml", ranks)
    assert re.fullmatch(r"memory of rank 0 \(1 thread\): \d+ MiB with 1 rank, \d+ MiB with 2, \d+ MiB with 4, \d+ MiB with 8", memory)
    assert lines == [
        "run.toml: a configuration",
        "synthetic, 403 training and 150 test samples of 3072 features, 10 classes",
        "layer                          outputs    parameters",
        "Dense 3072 -> 8                      8         24584",
        "sigmoid                              8             0",
        "Dense 8 -> 10                       10            90",
        "24674 parameters, loss cross_entropy",
        "403 training samples in 8 shards, batch 64 = 8 x 8, 7 steps per epoch; 150 test samples",
        "2 epochs, 14 steps, seed 3, exact reduction, at most 8 ranks",
    ]
    write("search", """config = "run.toml"
search = "random"
trials = 7
score = "test_loss"
seeds = [1, 2]
[set]
"train.epochs" = 3
[parameters]
"model.hidden" = [[4], [4, 4]]
"train.l2" = { log_uniform = [0.001, 0.1] }
"data.n" = { integer = [5, 7] }
""")
    assert inspected("search", ranks) == [
        "search: a search of 7 trials, drawn at random", "of run.toml, the best test_loss", "each with the seeds 1, 2",
        "all with train.epochs=3", "data.n: 5 to 7, integers", "model.hidden: [4], [4, 4]",
        "train.l2: 0.001 to 0.1, by the logarithm",
    ]


def test_the_columns_of_layers_line_up_however_long_the_descriptions_are():
    write("run.toml", """
[data]
dataset = "synthetic"
[model]
layers = [{ type = "conv", filters = 123, size = 3, bias = false, name = "with_a_name" }, { type = "relu" }, { type = "dense" }]
""")
    lines = inspected("run.toml")
    table = lines[next(i for i, line in enumerate(lines) if line.startswith("layer ")) :][:6]
    assert any("with_a_name" in line for line in table)
    assert {len(line) for line in table} == {len(table[0])}, table


def test_values_of_a_configuration_can_be_set():
    write_small_config()
    lines = succeed("inspect", "run.toml", "--set", "model.hidden=[]", "--set", "train.epochs=5").out.splitlines()
    assert "30730 parameters, loss cross_entropy" in lines
    assert "5 epochs, 35 steps, seed 3, exact reduction, at most 8 ranks" in lines
    write("search", 'config = "run.toml"\nsearch = "grid"\n[parameters]\n"train.momentum" = [0.1]\n')
    write("table.csv", "a,b\n1,0\n2,1\n")
    for path, found in [(".", "a folder"), ("search", "a search"), ("table.csv", "not TOML")]:
        outcome = lockstep("inspect", path, "--set", "train.epochs=5")
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err == f"lockstep: {path}: is {found}, expected a configuration with --set\n"


@three_ranks_if_long
@pytest.mark.parametrize("path, content, code, says", [
    ("nowhere", None, 2, f"no such file or folder, {EXPECTED}"),
    ("/dev/null", None, 2, f"is neither a file nor a folder, {EXPECTED}"),
    (".", None, 2, f"is a folder without config.toml, summary.json or a data set's files, {EXPECTED}"),
    ("binary", b"\1\0\2", 2, f"is binary and no safetensors file, {EXPECTED}"),
    ("empty", b"", 2,
     f"is none of what Lockstep reads (as CSV: empty: is empty, expected rows of numbers), {EXPECTED}"),
    ("bad.safetensors", b"short", 4, "not a good safetensors file: has 5 bytes, expected a header length of 8"),
])
def test_what_is_none_of_these_is_refused_in_one_line(path, content, code, says, ranks):
    if content is not None:
        write(path, content)
    assert refused(path, code, ranks) == f"{path}: {says}"


@three_ranks_if_long
def test_a_bad_table_and_a_bad_configuration_are_refused_in_one_line(ranks):
    write("bad.csv", "a,b\n1,x\nq,y\n")
    assert refused("bad.csv", 3, ranks) == (
        'bad.csv:3: column "a" is "q", expected a finite number; and with data.task = "regression": '
        'bad.csv:2: column "b" is "x", expected a finite number')
    write("bad.toml", "[train]\nepochs = 0\n")
    assert refused("bad.toml", 2, ranks) == "bad.toml:2: train.epochs is 0, expected an integer of at least 1"
