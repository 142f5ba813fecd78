"""lockstep sanity: each check holds where nothing is wrong, and each is seen to fail where something is planted."""

import json
import re
from pathlib import Path

import pytest
from harness.files import read, read_json, write, write_random_cifar10
from harness.process import lockstep, settings, succeed

CHECKS = ["inputs", "classes", "training samples", "test samples", "first loss", "20 samples", "shuffled labels", "zero inputs",
          "gradient"]  # fmt: skip

PATIENCE = 240  # seconds: thousands of small steps, on a machine that may be busy


def write_config(more="", model='hidden = [12]\nactivation = "tanh"\n', train="learning_rate = 0.1\n"):
    """Two rings of 200 points, a quarter of them to test on, in a fraction of a second."""
    write("run.toml", f"""seed = 3
[data]
dataset = "circle"
n = 200
test_fraction = 0.25
normalize = "mean_std"
{more}[train]
epochs = 4
batch_size = 8
momentum = 0.9
{train}[compute]
threads = 1
[model]
{model}""")


def write_table(rows, test="", **how):
    """A CSV file of x, y and a class, and a configuration that trains on it."""
    write("points.csv", "".join(f"{x},{y},{label}\n" for x, y, label in rows))
    write_config(**how)
    more = "test_fraction = 0.25\n"
    if test:
        write("test.csv", "".join(f"{x},{y},{label}\n" for x, y, label in test))
        more = 'test_file = "test.csv"\n'
    write("run.toml", read("run.toml").replace('dataset = "circle"\nn = 200\ntest_fraction = 0.25\n',
                                               f'dataset = "csv"\nfile = "points.csv"\n{more}'))  # fmt: skip


def halves(count, offset=0):
    """Points on either side of a line, which is their class."""
    xs = [((37 * (i + offset)) % 101 - 50) / 25 for i in range(count)]
    ys = [((53 * (i + offset)) % 97 - 48) / 24 + offset * 1e-4 for i in range(count)]
    return [(f"{x:.4f}", f"{y:.4f}", "left" if x + y < 0 else "right") for x, y in zip(xs, ys)]


def findings(*words):
    """{check: (holds, what was found)} and the exit code, which says whether all hold."""
    outcome = lockstep("sanity", "run.toml", *words, limit=PATIENCE)
    assert outcome.err == ""
    lines = re.findall("^(.{17})  (pass|FAIL)  (.*)$", outcome.out, re.MULTILINE)
    assert outcome.code == (0 if all(verdict == "pass" for _, verdict, _ in lines) else 1), outcome.out
    return {name.strip(): (verdict == "pass", found) for name, verdict, found in lines}


def broken(*words):
    """What does not hold: {check: what was found and expected}."""
    return {name: found for name, (holds, found) in findings(*words).items() if not holds}


def test_everything_holds_where_nothing_is_wrong():
    write_config()
    found = findings()
    assert list(found) == CHECKS
    assert all(holds for holds, _ in found.values()), found
    assert Path("run.toml").parent.resolve() == Path.cwd() and len(list(Path().iterdir())) == 1, "no files are written"


@pytest.mark.parametrize("keys", [
    ["model.loss=binary_cross_entropy"], ["model.loss=half_mse", "model.output_activation=sigmoid"], ["train.optimizer=adam",
     "train.learning_rate=0.01"], ["model.dropout=0.4", "train.l2=0.01", "train.label_smoothing=0.2", "train.average_decay=0.999"],
    ["train.schedule=cosine", "train.warmup_epochs=2"], ["reduce.mode=float"]], ids=lambda keys: keys[0])  # fmt: skip
def test_what_makes_training_slow_or_regular_is_no_mistake(keys):
    write_config()
    assert broken(*settings(*keys)) == {}


def test_values_have_targets_instead_of_classes():
    write("run.toml", '[data]\ndataset = "function"\nn = 200\nnormalize = "mean"\n[model]\nloss = "mse"\nhidden = [16]\n'
          'activation = "tanh"\n[train]\nlearning_rate = 0.1\nbatch_size = 32\n')  # fmt: skip
    found = findings()
    assert found["targets"][0] and "classes" not in found
    assert found["shuffled labels"][1].startswith("share of the variance 0.")


def test_two_runs_find_the_same_at_any_number_of_threads():
    write_config()
    one = succeed("sanity", "run.toml", limit=PATIENCE).out.partition("\n")[2]
    assert succeed("sanity", "run.toml", *settings("compute.threads=2"), limit=PATIENCE).out.partition("\n")[2] == one


def test_weights_that_begin_too_large_are_found():
    write_config()
    assert re.search(r"^[0-9.]+, 0.6931 if all outputs were 0, expected 0.5[0-9]+ to 1.04: model.init decides$",
                     broken("--set", "model.init=normal(20)")["first loss"])  # fmt: skip


def test_a_learning_rate_of_nearly_nothing_is_found():
    write_config()
    found = broken("--set", "train.learning_rate=1e-7")
    assert "the network does not learn a few samples by heart" in found["20 samples"]
    assert "what is learned says nothing about other samples" in found["shuffled labels"]


def test_a_learning_rate_that_diverges_is_found():
    write_config(model='hidden = [12]\nactivation = "relu"\nloss = "mse"\n')
    assert "expected a training that does not diverge" in broken("--set", "train.learning_rate=1e6")["20 samples"]


def test_labels_that_say_nothing_about_the_samples_are_found():
    """By modulo: the number of the row, not what is in it."""
    write_table([(x, y, f"class{i % 3}") for i, (x, y, _) in enumerate(halves(240))])
    found = broken()
    assert "expected above" in found["shuffled labels"] and "with the labels" in found["shuffled labels"]
    assert not {"classes", "training samples", "test samples", "first loss", "gradient", "zero inputs"} & set(found)


def test_samples_that_are_trained_on_and_tested_are_found():
    rows = halves(200)
    write_table(rows, test=rows[:10] + halves(40, offset=301))
    found = broken()["test samples"]
    assert re.match(r"1[0-9] of 50 test samples in the training set too, expected none, or one of 100 at most$", found), found


def test_samples_with_two_labels_are_found():
    rows = halves(97)
    write_table(rows + [(x, y, "left") for x, y, _ in rows[:40]], test=halves(40, offset=301))
    assert re.match("137, 40 like another, [0-9]+ of them with another target, expected none", broken()["training samples"])


def test_a_class_that_is_never_tested_is_found():
    write_table(halves(200), test=[row for row in halves(60, offset=301) if row[2] == "left"])
    assert broken()["classes"] == "1 of 2 classes without test samples (right), expected some of each"


def test_a_class_that_is_never_trained_on_is_found():
    write("run.toml", '[data]\ndataset = "synthetic"\ntrain_samples = 8\ntest_samples = 50\n[model]\nhidden = [4]\n')
    assert re.match(r"[0-9]+ of 10 classes without training samples \(.*\), expected some of each", broken()["classes"])


def test_inputs_that_nobody_normalised_are_found():
    write("run.toml", '[data]\ndataset = "synthetic"\ntrain_samples = 300\ntest_samples = 100\nnormalize = "none"\n'
          '[model]\nhidden = [8]\n')  # fmt: skip
    assert "expected magnitudes of at most 100: data.normalize" in broken()["inputs"]


def test_inputs_that_are_always_the_same_are_found():
    write_table([("1", "2", label) for _, _, label in halves(80)])
    found = broken()
    assert "2 of 2 always the same, expected some that differ" in found["inputs"]
    assert {"test samples", "training samples", "20 samples"} <= set(found)


def test_targets_of_the_wrong_size_are_found():
    write_table([(x, y, 1e5 * float(x)) for x, y, _ in halves(120)], model='loss = "mse"\nhidden = [4]\n')
    found = broken("--set", "data.task=regression")
    assert 'expected values of order 1, at most 100: data.target_scale = "mean_std" sees to that' in found["targets"]


def test_priors_that_cannot_be_learned_are_found():
    """One class in twelve: what can be said without inputs is learned too slowly."""
    write_table([(x, y, "rare" if i % 12 == 0 else "usual") for i, (x, y, _) in enumerate(halves(200))])
    assert "how frequent the targets are" in broken("--set", "train.learning_rate=1e-7")["zero inputs"]


def test_a_gradient_above_the_tolerance_is_found():
    write_config()
    found = broken("--tolerance", "1e-12")
    assert list(found) == ["gradient"]
    assert found["gradient"].endswith("expected at most 1e-12: lockstep gradcheck says where")


def test_what_is_found_is_written_for_pictures_and_programs():
    write_config()
    printed = json.loads(succeed("sanity", "run.toml", "--json", "--out", "some/folder", limit=PATIENCE).out)
    document = read_json("some/folder/sanity.json")
    assert printed == document
    assert [check["name"] for check in document["checks"]] == CHECKS and document["holds"] is True
    assert sum(one["train"] for one in document["classes"]) == 150 and sum(one["test"] for one in document["classes"]) == 50
    assert [curve["name"] for curve in document["curves"]] == ["the data", "20 samples", "labels shuffled", "inputs zero"]
    assert len(document["points"]) == 150 and len(document["points"][0]) == 3


def test_images_are_written_as_a_sheet():
    write_random_cifar10("data", 40)
    write("run.toml", '[data]\ndir = "data"\ntrain_samples = 40\ntest_samples = 40\nshards = 4\n[train]\nbatch_size = 8\n'
          '[model]\nhidden = [4]\n')  # fmt: skip
    assert lockstep("sanity", "run.toml", "--out", "out", limit=PATIENCE).code == 1, "labels that are drawn"
    assert Path("out/sanity.ppm").read_bytes().startswith(b"P6\n164 164\n255\n"), "5 x 5 images of 32 x 32"
    assert len(read_json("out/sanity.json")["images"]) == 25


def test_several_ranks_and_wrong_words_are_refused():
    write_config()
    outcome = lockstep("sanity", "run.toml", ranks=2)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("lockstep: sanity has 2 ranks, expected one") and outcome.err.count("\n") == 1
    write("file", "")
    outcome = lockstep("sanity", "run.toml", "--out", "file", limit=PATIENCE)
    assert outcome.code == 2 and re.search("^lockstep: file: cannot be written: ", outcome.err, re.MULTILINE)
    outcome = lockstep("sanity", "run.toml", *settings("data.dataset=csv", "data.file=none.csv", "data.n=400"))
    assert outcome.code in (2, 3) and outcome.err.count("\n") == 1
