"""What can be wrong with a sweep, and with the options of gradcheck and eval."""

from harness.files import write, write_planar_config

from . import ONE_LAYER, bad, command

PARAMETERS = '[parameters]\n"train.l2" = [0.1]\n'


def sweep(text, *more, **config):
    """Sweeps over run.toml, points of the plane; the text begins on line 2."""

    def arrange():
        write_planar_config(**config)
        return [*sweep_file('config = "run.toml"\n' + text)(), *more]

    return arrange


def sweep_file(text):
    """Sweeps by a file of this text."""

    def arrange():
        write("sweep.toml", text)
        return ["sweep", "sweep.toml", "--out", "out"]

    return arrange


def sweep_of(config, text, sweep):
    """Sweeps by a file of the text `sweep`, over a configuration of this name and text."""

    def arrange():
        write(config, text)
        return sweep_file(sweep)()

    return arrange


MISTAKES = [
    bad("sweep_that_is_missing", 2, command("sweep nowhere.toml"), "nowhere.toml: cannot be read", "No such file"),
    bad("sweep_that_is_no_toml", 2, sweep_file('config = "run.toml"\n[set\n'), "sweep.toml:2: not TOML"),
    bad("sweep_without_a_configuration", 2, sweep_file(PARAMETERS), "sweep.toml: config is not set",
        "expected a configuration's file"),
    bad("sweep_of_a_configuration_that_is_missing", 2, sweep_file('config = "gone/run.toml"\n' + PARAMETERS),
        "gone/run.toml: cannot be read", "No such file"),
    bad("sweep_of_a_configuration_that_is_wrong", 2,
        sweep_of("wrong.toml", "seed = 1\n[train]\nepochs = 0\n", 'config = "wrong.toml"\n' + PARAMETERS),
        "sweep.toml: no trial can run: wrong.toml:3: train.epochs is 0", "expected an integer of at least 1"),
    bad("sweep_with_an_unknown_key", 2, sweep('scores = "test_loss"\n' + PARAMETERS), "sweep.toml:2: unknown key scores",
        "did you mean score?"),
    bad("sweep_with_an_unknown_section", 2, sweep(PARAMETERS + '[fixed]\n"train.epochs" = 3\n'),
        "sweep.toml:5: unknown key fixed.train.epochs", "expected one of config, search, score"),
    bad("sweep_of_an_unknown_search", 2, sweep('search = "bayes"\n' + PARAMETERS), "sweep.toml:2: search is 'bayes'",
        "expected one of grid, random"),
    bad("sweep_for_an_unknown_score", 2, sweep('score = "accuracy"\n' + PARAMETERS), "sweep.toml:2: score is 'accuracy'",
        "expected one of test_accuracy, test_loss"),
    bad("sweep_of_an_unknown_setting", 2, sweep('[parameters]\n"train.l3" = [0.1]\n'),
        "sweep.toml: no trial can run: sweep.toml:3: unknown key train.l3", "did you mean train.l2?"),
    bad("sweep_that_sets_an_unknown_setting", 2, sweep('[set]\n"train.l3" = 1\n' + PARAMETERS),
        "sweep.toml: no trial can run: sweep.toml:3: unknown key train.l3", "did you mean train.l2?"),
    bad("sweep_of_values_that_are_all_refused", 2, sweep('[parameters]\n"train.momentum" = [1.0, 2.0]\n'),
        "sweep.toml: no trial can run: sweep.toml:3: train.momentum is 1", "expected a number from 0"),
    bad("sweep_of_a_layers_values_that_are_all_refused", 2,
        sweep('[parameters]\n"model.layers.0.units" = [-1]\n', model=ONE_LAYER),
        "sweep.toml: no trial can run: sweep.toml:3: model.layers[0].units is -1", "expected an integer"),
    bad("sweep_of_data_that_are_missing", 3,
        sweep_of("csv.toml", '[data]\ndataset = "csv"\n', 'config = "csv.toml"\n[parameters]\n"data.file" = ["gone.csv"]\n'),
        "sweep.toml: no trial can run: gone.csv: cannot be read", "No such file"),
    bad("sweep_with_a_seed_twice", 2, sweep("seeds = [0, 3, 0]\n" + PARAMETERS), "sweep.toml:2: seeds has 0 twice",
        "expected different ones"),
    bad("sweep_with_a_negative_seed", 2, sweep("seeds = [-1]\n" + PARAMETERS), "sweep.toml:2: seeds is [ -1 ]",
        "expected a list of integers of at least 0"),
    bad("sweep_of_nothing", 2, sweep("[parameters]\n"), "sweep.toml: [parameters] is empty", "expected keys to vary"),
    bad("sweep_of_an_empty_list", 2, sweep('[parameters]\n"train.l2" = []\n'), "sweep.toml:3: parameters.train.l2 is []",
        "expected a list of values"),
    bad("sweep_of_a_single_value", 2, sweep('[parameters]\n"train.l2" = 0.1\n'), "sweep.toml:3: parameters.train.l2 is 0.1",
        "expected a list of values"),
    bad("sweep_of_a_range_in_a_grid", 2, sweep('[parameters]\n"train.l2" = { uniform = [0.0, 0.1] }\n'),
        "sweep.toml:3: parameters.train.l2 is a range", "expected a list of values in a grid search"),
    bad("sweep_of_a_range_that_is_back_to_front", 2,
        sweep('search = "random"\n[parameters]\n"train.l2" = { uniform = [0.2, 0.1] }\n'),
        "sweep.toml:4: parameters.train.l2 is { uniform = [0.2, 0.1] }", "expected LOW below HIGH"),
    bad("sweep_of_a_range_of_three", 2, sweep('search = "random"\n[parameters]\n"train.l2" = { uniform = [0.2, 0.1, 0.3] }\n'),
        "sweep.toml:4: parameters.train.l2 is { uniform", "expected a pair of numbers [LOW, HIGH]"),
    bad("sweep_of_a_logarithmic_range_from_zero", 2,
        sweep('search = "random"\n[parameters]\n"train.l2" = { log_uniform = [0, 0.1] }\n'),
        "sweep.toml:4: parameters.train.l2 is { log_uniform = [0, 0.1] }", "expected LOW above 0"),
    bad("sweep_of_an_integer_range_of_fractions", 2,
        sweep('search = "random"\n[parameters]\n"train.epochs" = { integer = [1.5, 3] }\n'),
        "sweep.toml:4: parameters.train.epochs is { integer = [1.5, 3] }", "expected integers"),
    bad("sweep_of_no_trials", 2, sweep('search = "random"\ntrials = 0\n' + PARAMETERS), "sweep.toml:3: trials is 0",
        "expected an integer of at least 1"),
    bad("sweep_of_too_many_trials", 2, sweep('search = "random"\ntrials = 100001\n' + PARAMETERS),
        "sweep.toml: there are 100001 trials", "expected at most 100000"),
    bad("sweep_of_threads", 2, sweep('[parameters]\n"compute.threads" = [1, 2]\n'),
        "sweep.toml:3: parameters.compute.threads cannot be searched", "expected a key that is part of the experiment"),
    bad("sweep_that_sets_threads", 2, sweep('[set]\n"compute.threads" = 1\n' + PARAMETERS),
        "sweep.toml:3: set.compute.threads cannot be searched"),
    bad("sweep_of_folds_by_hand", 2, sweep('[parameters]\n"data.fold" = [0, 1]\n'),
        "sweep.toml:3: parameters.data.fold cannot be searched", "folds = K cross-validates"),
    bad("sweep_of_one_fold", 2, sweep("folds = 1\n" + PARAMETERS), "sweep.toml:2: folds is 1", "expected at least 2"),
    bad("sweep_with_more_ranks_per_trial_than_ranks", 2, sweep(PARAMETERS, "--ranks-per-trial", "4"), "--ranks-per-trial is 4",
        "expected at most", "the number of ranks"),
    bad("sweep_with_no_ranks_per_trial", 2, sweep(PARAMETERS, "--ranks-per-trial", "0"), "--ranks-per-trial", "0", "--help"),
    bad("sweep_with_a_setting", 2, sweep(PARAMETERS, "--set", "train.epochs=2"), "--set", "--help"),
    bad("gradient_check_of_no_samples", 2, command("gradcheck run.toml --samples 0"), "--samples", "0", "--help"),
    bad("gradient_check_with_a_negative_tolerance", 2, command("gradcheck run.toml --tolerance -1"), "--tolerance", "-1",
        "--help"),
    bad("gradient_check_of_a_configuration_that_is_missing", 2, command("gradcheck nowhere.toml"),
        "nowhere.toml: cannot be read", "No such file"),
    bad("evaluation_with_nothing_to_write", 2, command("eval run.toml --out tables"), "--out tables: there is nothing to write",
        "expected --grid, --confusion, --predictions, --predictions-of, --weights, --mistakes or --network"),
    bad("evaluation_of_a_run_that_is_missing", 2, command("eval nowhere --grid"), "nowhere: no such file or folder",
        "expected a configuration or the folder of a run"),
]
