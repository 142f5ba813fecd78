"""lockstep receipt: what a student hands in, checked file by file; a teacher trains it again and gets the same weights."""

import json
import re
import shutil
from pathlib import Path

import pytest
from harness.files import (read, read_csv, read_json, read_safetensors, summary_of, weights_hash, write, write_planar_config,
                           write_safetensors)
from harness.process import ALONE, lockstep, settings, succeed


def train(*keys, out="out", more=(), ranks=ALONE):
    write_planar_config()
    succeed("train", "run.toml", "--out", out, "--quiet", *settings(*keys), *more, ranks=ranks)


def receipt(*words, ranks=ALONE):
    """The line to hand in."""
    line = succeed("receipt", *words, ranks=ranks).out.splitlines()[-1]
    assert line.startswith("lockstep-receipt "), line
    return line


def refused(*words, code=4, ranks=ALONE):
    """The line of its error."""
    outcome = lockstep("receipt", *words, ranks=ranks)
    assert outcome.code == code, outcome.out + outcome.err
    assert outcome.err.startswith("lockstep: ") and outcome.err.count("\n") == 1, outcome.err
    assert "lockstep-receipt" not in outcome.out or "--json" in words
    return outcome.err[len("lockstep: ") : -1]


def edit(path, old, new):
    text = read(path)
    assert old in text, text
    write(path, text.replace(old, new, 1))


def test_a_receipt_has_what_makes_the_run_and_what_it_made(ranks):
    train(ranks=ranks)
    summary = summary_of("out")
    words = dict(word.split("=") for word in receipt("out", ranks=ranks).split()[1:])
    assert words["name"] == "run"
    assert words["data"] == f"{summary['data']['train']}/{summary['data']['test']}"
    assert words["weights"] == weights_hash("out")
    assert float(words["test_loss"]) == pytest.approx(summary["test_loss"], rel=1e-5)
    assert words["version"] == summary["provenance"]["version"]
    assert words["commit"] == summary["provenance"]["commit"].replace(" ", "_")


def test_two_students_with_one_configuration_have_one_receipt_and_another_rate_has_another():
    train(out="a")
    train("compute.threads=2", "checkpoint.keep=1", out="b", ranks=3)
    train("train.learning_rate=0.2", out="c")
    assert receipt("a") == receipt("b")
    configuration = [re.search("configuration=([0-9a-f]{16})", receipt(run))[1] for run in "ac"]
    assert configuration[0] != configuration[1]


@pytest.mark.parametrize("keys", [
    [], ["log.steps=true"], ["train.average_decay=0.9"], ["train.patience=2", "train.learning_rate=3"],
    ["train.patience=2", "train.average_decay=0.5"], ["checkpoint.every_epochs=0"], ["data.test_fraction=0"]],
    ids=lambda keys: "-".join(keys) or "plain")  # fmt: skip
def test_a_run_that_nobody_touched_passes_and_gives_its_weights_again(keys):
    train(*keys)
    files = sorted(Path("out").rglob("*"))
    out = succeed("receipt", "out", "--rerun").out
    assert "FAIL" not in out
    assert re.search("trained again: weights +pass  [0-9a-f]{16}\n", out), out
    assert sorted(Path("out").rglob("*")) == files, "nothing is written there"


def test_a_run_is_trained_again_on_three_ranks_and_on_one():
    train(ranks=3)
    assert receipt("out", "--rerun", ranks=ALONE) == receipt("out", "--rerun", ranks=3)


def test_a_run_of_a_table_is_trained_again_where_the_table_is():
    """What a student's config.toml says of files is where they were on his machine."""
    write("data/points.csv", "".join(f"{i % 7},{i % 5},{'even' if i % 2 else 'odd'}\n" for i in range(40)))
    write("run.toml", '[data]\ndataset = "csv"\nfile = "data/points.csv"\n[train]\nepochs = 2\nbatch_size = 8\n')
    succeed("train", "run.toml", "--out", "out", "--quiet")
    shutil.move("data", "elsewhere")
    assert "data/points.csv" in refused("out", "--rerun", code=3)
    receipt("out", "--rerun", "--set", "data.file=elsewhere/points.csv")
    edit("elsewhere/points.csv", "3,3,", "3,4,")
    line = refused("out", "--rerun", "--set", "data.file=elsewhere/points.csv", code=3)
    assert re.fullmatch("out: trained again, the data has the fingerprint [0-9a-f]{16}/, expected [0-9a-f]{16}/ as in "
                        "summary.json", line), line  # fmt: skip


def another_bit(path, unsealed=False):
    """unsealed: the file has no checksum then, as another program's."""
    tensors = read_safetensors(path)
    tensors.data = bytes([tensors.data[0] ^ 1]) + tensors.data[1:]
    if unsealed:
        del tensors.header["__metadata__"]["checksum"]
    write_safetensors(path, tensors)


def other_scores():
    """In both files that have them."""
    loss = summary_of("out")["test_loss"]
    edit("out/summary.json", f'"test_loss": {loss}', '"test_loss": 0.001')


TAMPERED = {  # what is changed, and what is said
    "a_bit": (lambda: another_bit("out/model.safetensors"), "out/model.safetensors: its bytes have the checksum .*, expected .*"),
    "a_weight": (lambda: another_bit("out/model.safetensors", unsealed=True),
                 "out/model.safetensors: its weights are [0-9a-f]{16}, expected [0-9a-f]{16} as in summary.json"),
    "no_weights": (lambda: Path("out/model.safetensors").unlink(), "out/model.safetensors: cannot be read: No such file or directory"),
    "hash": (lambda: edit("out/summary.json", weights_hash("out"), "0123456789abcdef"),
             "out/model.safetensors: its weights are [0-9a-f]{16}, expected 0123456789abcdef as in summary.json"),
    "score": (other_scores, "out/metrics.csv: the row of epoch 4 is 4,.*, expected 4,.*,0.001000000000,.* as in summary.json"),
    "row": (lambda: edit("out/metrics.csv", "\n2,0.", "\n2,0.0"),
            "out/metrics.csv: row 2 is 2,0.0.*, expected 2,0.* as in out/checkpoints/step-0000000...safetensors"),
    "row_left_out": (lambda: write("out/metrics.csv", re.sub("\n3,.*", "", read("out/metrics.csv"))),
                     "out/metrics.csv: its rows are 3, expected 4 as in summary.json"),
    "no_metrics": (lambda: write("out/metrics.csv", ""), "out/metrics.csv: its rows are 0, expected 4 as in summary.json"),
    "learning_rate": (lambda: edit("out/config.toml", "learning_rate = 0.1", "learning_rate = 0.3"),
                      "out/config.toml: train.learning_rate is 0.3, expected 0.1 as in summary.json"),
    "number_of_epochs": (lambda: edit("out/config.toml", "epochs = 4", "epochs = 5"),
                         "out/config.toml: train.epochs is 5, expected 4 as in summary.json"),
    "key_left_out": (lambda: edit("out/config.toml", "momentum = 0.9\n", ""),
                     "out/config.toml: train.momentum is 0(.0)?, expected 0.9 as in summary.json"),
    "no_toml": (lambda: write("out/config.toml", "epochs ="), "out/config.toml:.*"),
    "data": (lambda: edit("out/summary.json", summary_of("out")["data"]["train"], "0123456789abcdef"),
             "out/model.safetensors: its data is [0-9a-f]{16}/[0-9a-f]{16}, expected 0123456789abcdef/[0-9a-f]{16} as in summary.json"),
    "checkpoint": (lambda: another_bit(sorted(Path("out/checkpoints").glob("step-*"))[-1]), "out/checkpoints/step-0.*"),
    "steps": (lambda: write("out/steps.csv", re.sub(".*\n$", "", read("out/steps.csv"))),
              "out/steps.csv: its last step is [0-9]+, expected [0-9]+ as in summary.json"),
    "not_finished": (lambda: Path("out/summary.json").unlink(),
                     "out/summary.json: there is no such file, expected that of a finished run"),
    "summary_of_nothing": (lambda: write("out/summary.json", "{}"), "out/summary.json: is not readable: .*"),
    "summary_of_other_types": (lambda: edit("out/summary.json", '"patience": 0', '"patience": "none"'),
                               "out/summary.json: is not readable: .*, expected what lockstep train writes"),
    "summary_that_is_no_object": (lambda: write("out/summary.json", "7"), "out/summary.json: is not readable: .*"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_whatever_was_tampered_with_is_named(what):
    train("log.steps=true")
    change, line = TAMPERED[what]
    change()
    assert re.fullmatch(line, refused("out")), refused("out")


def test_tampering_is_named_once_by_three_ranks():
    train()
    another_bit("out/model.safetensors", unsealed=True)
    assert "its weights are" in refused("out", "--rerun", ranks=3), "and nothing is trained"


def test_files_that_agree_on_something_else_are_found_by_training_again():
    """A student changes all files alike: weights, their hash and the checkpoints."""
    train("seed=4", out="other")
    train()
    for file in ("model.safetensors", "metrics.csv"):
        shutil.copy(f"other/{file}", f"out/{file}")
    shutil.rmtree("out/checkpoints")
    summary, other = summary_of("out"), summary_of("other")
    for key in ("weights_hash", "train_loss", "train_accuracy", "test_loss", "test_accuracy"):
        summary[key] = other[key]
    write("out/summary.json", json.dumps(summary))
    receipt("out")
    assert refused("out", "--rerun") == (f"out: trained again, its weights are {weights_hash_of_seed_3()}, expected "
                                         f"{other['weights_hash']} as in summary.json")  # fmt: skip


def weights_hash_of_seed_3():
    train(out="again")
    return weights_hash("again")


def test_a_receipt_is_compared_with_a_run():
    train()
    line = receipt("out")
    assert receipt("out", "--against", re.sub("version=.*", "version=9.0.0 commit=0", line)) == line, "any version may give it"
    assert "the receipt has steps=999, expected" in refused("out", "--against", re.sub("steps=[0-9]+", "steps=999", line))
    assert "the receipt has weights=, expected" in refused("out", "--against", re.sub("weights=[0-9a-f]+ ", "", line))
    assert refused("out", "--against", "mine", code=2).startswith('--against "mine": is not a receipt, expected the line ')


def test_json_is_for_an_autograder():
    train()
    document = json.loads(succeed("receipt", "out", "--json", "--rerun").out)
    assert document["holds"] is True
    assert document["weights"] == weights_hash("out")
    assert document["metrics"]["test_loss"] == summary_of("out")["test_loss"]
    assert f"{document['metrics']['train_loss']:#.10g}" == read_csv("out/metrics.csv")[-1]["train_loss"]
    assert [check["holds"] for check in document["checks"]] == [True] * len(document["checks"])
    edit("out/config.toml", "seed = 3", "seed = 4")
    outcome = lockstep("receipt", "out", "--json")
    assert outcome.code == 4
    document = json.loads(outcome.out)
    assert document["holds"] is False
    broken = {check["name"]: check["found"] for check in document["checks"] if not check["holds"]}
    assert broken == {"config.toml": "out/config.toml: seed is 4, expected 3 as in summary.json"}


def test_what_cannot_be_trained_again_is_said():
    train()
    train(out="on", more=["--resume-from", "out"])
    assert re.fullmatch(r"on: began with the weights of out/checkpoints/.*, expected with --rerun a run that its configuration "
                        "alone decides", refused("on", "--rerun", code=2))  # fmt: skip
    receipt("on")
    train("train.epochs=1000000", "train.max_seconds=0.05", "checkpoint.every_epochs=0", out="short")
    assert read_json("short/summary.json")["epochs"] < 1000000
    receipt("short")
    assert "short: ended when train.max_seconds were over" in refused("short", "--rerun", code=2)


def test_wrong_command_lines_are_refused():
    train()
    assert refused("out", "--set", "data.n=80", code=2).startswith("--set without --rerun")
    for setting in ("data.n=80", "train.patience=1"):
        assert refused("out", "--rerun", "--set", setting, code=2).startswith(f"--set {setting}: would make it another run")
    assert refused("out", "--rerun", "--set", "data.m=80", code=2).startswith("--set: unknown key data.m")
    write("empty/file", "")
    for folder in ("empty", "none", "run.toml"):
        assert refused(folder, code=2) == f"{folder}: is not the folder of a run, expected one that lockstep train wrote"
