"""lockstep sweep: which trials there are, and what their scores are."""

import statistics

import pytest
from harness.build import PROGRAM
from harness.files import header, read_csv, timeless, write, write_planar_config
from harness.process import execute
from sweeps import by_number, sweep, trained, trials_of, write_sweep


@pytest.fixture(autouse=True)
def config(folder):
    write_planar_config()


def close(value, tolerance=1e-7):
    return pytest.approx(value, rel=0, abs=tolerance)


def draw(seed, out):
    """Ten random trials with this seed, in the order of their numbers."""
    write_sweep(f"""
        search = "random"
        trials = 10
        seed = {seed}
        [set]
        "train.epochs" = 1
        [parameters]
        "train.l2" = {{ log_uniform = [1e-5, 1e-1] }}
        "train.learning_rate" = {{ uniform = [0.01, 0.2] }}
        "data.seed" = {{ integer = [3, 6] }}
        "model.activation" = ["tanh", "relu"]
        """)
    trials = by_number(trials_of(out=out))
    assert len(trials) == 10
    return trials


def test_a_grid_tries_every_combination_the_last_key_changing_fastest():
    write_sweep('[parameters]\n"model.hidden" = [[4], [3, 3]]\n"train.learning_rate" = [0.1, 0.05, 0.2]\n')
    trials = by_number(trials_of())
    assert header("out/trials.csv") == "trial,status,score_name,score,score_std,runs,model.hidden,train.learning_rate,seconds,error"
    values = [(row["model.hidden"], row["train.learning_rate"]) for row in trials]
    assert values == [(hidden, rate) for hidden in ("[4]", "[3, 3]") for rate in ("0.1", "0.05", "0.2")]
    for row, (hidden, rate) in zip(trials, values):
        assert (row["status"], row["runs"], row["score_name"], row["score_std"]) == ("ok", "1", "test_accuracy", "0")
        assert float(row["score"]) == close(trained("test_accuracy", f"model.hidden={hidden}", f"train.learning_rate={rate}"), 1e-8)


@pytest.mark.parametrize("score, lowest_first", [("test_accuracy", False), ("train_loss", True)])
def test_the_best_score_is_at_the_top(score, lowest_first):
    write_sweep(f'score = "{score}"\n[parameters]\n"train.epochs" = [1, 2, 30, 3]\n')
    trials = trials_of()
    scores = [float(row["score"]) for row in trials]
    assert scores == sorted(scores, reverse=not lowest_first)
    assert not lowest_first or len(set(scores)) == 4
    assert trials[0]["trial"] != "1"


def test_at_random_it_draws_the_same_trials_for_a_seed():
    first, again, other = draw(1, "first"), draw(1, "again"), draw(2, "other")
    assert timeless(first) == timeless(again)
    assert len({row["train.learning_rate"] for row in first + other}) == 20, "no trial of one is in the other"


def test_at_random_it_stays_within_ranges_and_uses_them_whole():
    trials = draw(5, "out")
    for row in trials:
        assert 0.01 <= float(row["train.learning_rate"]) <= 0.2
        assert 1e-5 <= float(row["train.l2"]) <= 1e-1
        assert row["data.seed"] in ("3", "4", "5", "6")
    small = sum(float(row["train.l2"]) < 1e-3 for row in trials)  # the middle of the exponents
    assert 2 <= small <= 8
    assert len({row["data.seed"] for row in trials}) >= 3
    assert {row["model.activation"] for row in trials} == {"relu", "tanh"}


def test_scores_are_the_mean_over_folds_of_what_training_gives():
    write_sweep('folds = 3\nscore = "test_loss"\n[parameters]\n"train.l2" = [0.0, 0.1]\n')
    trials = by_number(trials_of())
    assert len(trials) == 2
    for row in trials:
        losses = [trained("test_loss", f"train.l2={row['train.l2']}", "data.folds=3", f"data.fold={fold}") for fold in range(3)]
        assert row["runs"] == "3"
        assert float(row["score"]) == close(statistics.mean(losses))
        assert float(row["score_std"]) == close(statistics.stdev(losses), 1e-5)


def test_scores_are_the_mean_over_seeds():
    write_sweep('seeds = [4, 9]\nscore = "train_loss"\n[parameters]\n"train.l2" = [0.0, 0.1]\n')
    trials = by_number(trials_of())
    assert len(trials) == 2
    for row in trials:
        four, nine = (trained("train_loss", f"train.l2={row['train.l2']}", f"seed={seed}") for seed in (4, 9))
        assert four != nine
        assert row["runs"] == "2"
        assert float(row["score"]) == close((four + nine) / 2)


def test_it_sets_values_for_all_trials_and_names_the_best_as_a_command():
    write_sweep('[set]\n"train.epochs" = 2\n[parameters]\n"train.learning_rate" = [0.1]\n')
    outcome = sweep()
    assert outcome.code == 0, outcome
    keys = ["train.epochs=2", "train.learning_rate=0.1"]
    command = f"best: {PROGRAM} train run.toml --set 'train.epochs=2' --set 'train.learning_rate=0.1' --out out/best\n"
    assert command in outcome.out
    assert float(read_csv("out/trials.csv")[0]["score"]) == close(trained("test_accuracy", *keys), 1e-8)


def test_the_best_is_named_as_a_command_that_a_shell_can_run():
    """A file name with a space and an apostrophe, and column names that TOML takes for a number."""
    write("it's mine.csv", "7,b,3\n1,5,0\n2,6,1\n3,7,0\n4,8,1\n")
    write("run.toml", '[data]\ndataset = "csv"\nshards = 2\n[train]\nbatch_size = 4\nepochs = 1\n[compute]\nthreads = 1\n')
    write_sweep("""
        score = "train_loss"
        [set]
        "data.file" = "it's mine.csv"
        "data.header" = "yes"
        [parameters]
        "data.target" = ["3"]
        "model.activation" = ["relu"]
        "model.hidden" = [[3]]
        """)
    outcome = sweep()
    assert outcome.code == 0, outcome
    best = outcome.out.partition("best: ")[2].partition("\n")[0]
    assert "'model.activation=relu'" in best
    again = execute(["sh", "-c", f"{best} --quiet"])
    assert again.code == 0, again
    assert float(read_csv("out/best/metrics.csv")[0]["train_loss"]) == close(float(read_csv("out/trials.csv")[0]["score"]))


def test_it_takes_the_seed_zero():
    write_sweep('seeds = [0]\nscore = "train_loss"\n[parameters]\n"train.l2" = [0.0]\n')
    assert float(trials_of()[0]["score"]) == close(trained("train_loss", "train.l2=0", "seed=0"))


def test_it_varies_the_layers_of_a_list():
    layers = '[[model.layers]]\nunits = 9\n[[model.layers]]\ntype = "tanh"\n[[model.layers]]\ntype = "dense"\n'
    write_planar_config(model=layers)
    write_sweep('score = "train_loss"\n[parameters]\n"model.layers.0.units" = [2, 7]\n"model.layers.1.type" = ["relu", "elu"]\n')
    trials = by_number(trials_of())
    assert len(trials) == 4
    for row in trials:
        keys = [f"{key}={row[key]}" for key in ("model.layers.0.units", "model.layers.1.type")]
        assert float(row["score"]) == close(trained("train_loss", *keys))
    assert len({row["score"] for row in trials}) == 4
