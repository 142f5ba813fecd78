"""What a run tells of its network beside its metrics: layers.csv (log.layers), film.csv (log.film) and eval --network. None of them
changes a weight, and all are the same at any number of ranks."""

import math
import struct
from pathlib import Path

import pytest
from harness.files import header, read, read_csv, read_safetensors, weights_hash, write_planar_config, write_small_config
from harness.npz import read_npz
from harness.process import ALONE, lockstep, settings, succeed

RELU = 'hidden = [6,5]\nactivation = "relu"\n'
CONV = """model.layers=[{type="conv",filters=4,size=3},{type="batch_norm"},{type="relu",name="a"},{type="conv",filters=4,size=3},
          {type="add",from="a"},{type="max_pool",size=8},{type="dense"}]""".replace("\n", "")


LAYERS_OF_CONV = ["image", "Conv", "batch", "relu", "Conv", "add", "max", "flatten", "Dense"]


def train(*keys, out="out", ranks=ALONE, more=()):
    succeed("train", "run.toml", "--quiet", "--out", out, *settings(*keys), *more, ranks=ranks)


def rows(run="out"):
    """{(epoch, layer): row}."""
    return {(int(row["epoch"]), int(row["layer"])): row for row in read_csv(f"{run}/layers.csv")}


def parameters(path, layer):
    """The numbers of a layer's tensors in a checkpoint."""
    tensors = read_safetensors(path)
    data = b"".join(tensors.bytes_of(f"layers.{layer}.{name}") for name in ("weight", "bias"))
    return struct.unpack(f"<{len(data) // 4}f", data)


@pytest.mark.parametrize("keys", [[], ["train.average_decay=0.9", "train.patience=3"], ["model.dropout=0.3"]], ids=len)
def test_logs_change_no_weight_and_are_the_same_on_three_ranks(keys):
    write_planar_config(model=RELU)
    logs = ["log.layers=true", "log.film=true"]
    train(*keys, out="without")
    train(*keys, *logs, "compute.threads=3", out="one")
    train(*keys, *logs, out="three", ranks=3)
    assert weights_hash("one") == weights_hash("three") == weights_hash("without")
    for table in ("layers.csv", "film.csv"):
        assert read(f"one/{table}") == read(f"three/{table}")
        assert not Path("without", table).exists()


def test_layers_of_images_have_a_row_each():
    write_small_config()
    train(CONV, "log.layers=true")
    found = rows()
    layers = [row["description"].split()[0] for (epoch, _), row in found.items() if epoch == 1]
    assert layers == LAYERS_OF_CONV
    for row in found.values():
        quantiles = [float(row[f"output_p{q}"]) for q in ("05", "25", "50", "75", "95")]
        assert quantiles == sorted(quantiles)
        assert 0 <= float(row["dead"]) <= 1
    for _, layer in found:
        of_relu = found[(1, layer)]
        if of_relu["description"] == "relu":
            assert float(of_relu["output_p05"]) == 0.0 and float(of_relu["output_p95"]) > 0.0
            assert (4 * float(of_relu["dead"])).is_integer(), "it is one of 4 channels that is dead, not a pixel of one"


@pytest.mark.parametrize("network", ["tanh", "conv"])
def test_layers_are_those_of_the_step_that_follows(network):
    """The whole of one shard is a batch: a step goes on where the table's samples have been looked at."""
    if network == "tanh":
        write_planar_config(model='hidden = [6,5]\nactivation = "tanh"\n')
        keys = ["train.batch_size=36"]
    else:
        write_small_config()
        keys = [CONV, "data.train_samples=40", "train.batch_size=40"]
    keys += ["data.shards=1", "train.epochs=1"]
    train(*keys, "log.layers=true")
    keys[-1] = "train.epochs=2"
    succeed("trace-step", "run.toml", "--step", 2, "--out", "step.npz", *settings(*keys))
    step = read_npz("step.npz")
    for (_, layer), row in rows().items():
        for column, array in (("output", f"outputs.{layer}"), ("gradient", f"outputs.{layer}.grad")):
            if (row["description"].startswith("image"), column) == (True, "gradient"):
                assert row["gradient_p50"] == "nan", "nothing before it learns"
                continue
            numbers = step[array][2]
            mean = math.fsum(numbers) / len(numbers)
            stddev = math.sqrt(math.fsum((x - mean) ** 2 for x in numbers) / len(numbers))
            assert float(row[f"{column}_mean"]) == pytest.approx(mean, rel=1e-4, abs=1e-5 * stddev), array
            assert float(row[f"{column}_std"]) == pytest.approx(stddev, rel=1e-4), array


def test_updates_are_the_steps_between_checkpoints():
    """One step an epoch: the whole batch."""
    write_planar_config(model=RELU)
    train("train.batch_size=36", "checkpoint.keep=10", "log.layers=true", "train.epochs=3")
    checkpoints = sorted(Path("out/checkpoints").glob("step-*"))
    dense = [layer for (epoch, layer), row in rows().items() if epoch == 1 and row["description"].startswith("Dense")]
    assert len(checkpoints) == 3 and len(dense) == 3
    for epoch in (2, 3):
        for n, layer in enumerate(dense):
            before, after = (parameters(checkpoints[e], n) for e in (epoch - 2, epoch - 1))
            norm = math.sqrt(sum(x * x for x in before))
            moved = math.sqrt(sum((y - x) ** 2 for x, y in zip(before, after)))
            assert float(rows()[(epoch, layer)]["update"]) == pytest.approx(moved / norm, rel=1e-4)


def test_units_that_are_dead_are_counted():
    """Weights of 0 and biases that are drawn: each unit gives the same for all samples."""
    write_planar_config(model=RELU + 'init = "zeros"\nbias_init = "normal(1)"\n')
    train("log.layers=true", "train.learning_rate=1e-12", "train.epochs=1")
    dead = [float(row["dead"]) for row in rows().values() if row["description"] == "relu"]
    assert dead == [1.0, 1.0]
    write_planar_config(model='hidden = [6]\nactivation = "tanh"\n')
    train("log.layers=true", "train.epochs=1", out="alive")
    assert [float(row["dead"]) for row in rows("alive").values() if row["description"] == "tanh"] == [0.0]


def test_a_run_that_goes_on_has_the_tables_of_one_that_was_not_interrupted():
    write_planar_config()
    logs = ["log.layers=true", "log.film=true", "train.epochs=6"]
    train(*logs, out="whole")
    train(*logs, "train.epochs=3")
    train(*logs, ranks=3, more=["--resume", "latest"])
    for table in ("layers.csv", "film.csv"):
        assert read(f"out/{table}") == read(f"whole/{table}")
    train(*logs, more=["--overwrite"])
    assert read("out/layers.csv") == read("whole/layers.csv")


def test_a_film_has_at_most_fifty_pictures_and_the_last():
    write_planar_config()
    train("log.film=true", "train.epochs=119", "checkpoint.every_epochs=0")
    assert header("out/film.csv") == "epoch,x0,x1,p_0,p_1"
    film = read_csv("out/film.csv")
    epochs = list(dict.fromkeys(int(row["epoch"]) for row in film))
    assert epochs == [*range(3, 119, 3), 119]
    assert len(film) == len(epochs) * 48 * 48
    assert all(abs(float(row["p_0"]) + float(row["p_1"]) - 1) < 1e-5 for row in film)


@pytest.mark.parametrize("keys", [[], ["train.average_decay=0.9"]], ids=["weights", "average"])
def test_the_last_picture_is_what_the_network_says(keys):
    """In the corners, where both grids have a point."""
    write_planar_config()
    train("log.film=true", *keys)
    succeed("eval", "out", "--grid")
    corner = {(row["x0"], row["x1"]): row["p_1"] for row in read_csv("out/grid.csv")}
    last = [row for row in read_csv("out/film.csv") if row["epoch"] == "4"]
    shared = [(corner[row["x0"], row["x1"]], row["p_1"]) for row in last if (row["x0"], row["x1"]) in corner]
    assert len(shared) >= 4
    assert all(one == other for one, other in shared)


def test_a_film_of_another_network_is_refused_before_anything_is_written(ranks):
    write_small_config()
    outcome = lockstep("train", "run.toml", "--out", "out", "--set", "log.film=true", ranks=ranks)
    assert outcome.code == 2
    assert outcome.err == "lockstep: log.film is true and the network has 3072 inputs and classes, expected 2 inputs and classes\n"
    assert not Path("out").exists()


def test_a_network_is_a_table_of_its_layers(ranks):
    write_small_config()
    train(CONV)
    succeed("eval", "out", "--network", ranks=ranks)
    table = read_csv("out/network.csv")
    assert (table[0]["description"], table[0]["outputs"]) == ("input", "3x32x32")
    assert [row["outputs"] for row in table if row["description"].startswith("Conv")] == ["4x32x32", "4x32x32"]
    assert table[-1]["outputs"] == "10"
    named = {row["name"]: row["layer"] for row in table if row["name"]}
    assert [row["added"] for row in table if row["added"]] == [named["a"]]
    assert sum(int(row["parameters"]) for row in table) == 3 * 9 * 4 + 4 + 16 + 4 * 9 * 4 + 4 + 4 * 16 * 10 + 10
