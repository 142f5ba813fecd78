"""What someone who is new types wrong, and all that is printed then: one line, which says what to type instead."""

from pathlib import Path

import pytest
from harness.build import PROGRAM, REPOSITORY
from harness.files import read_json, write, write_planar_config, write_safetensors, write_small_config, zero_tensors
from harness.process import execute, lockstep, succeed

# A name, what is typed after "lockstep" or beginning with "launch/run", the exit code, and what is printed.
WRONG_COMMANDS = [
    ("nothing_at_all", "", 2,
     "lockstep: no subcommand, expected one of train, eval, export, verify, selftest, gradcheck, sanity, trace-step, compare, "
     "sweep, inspect, receipt, configs, activations, predict, doctor (lockstep --help shows the usage)"),
    ("misspelt_subcommand", "trian run.toml", 2, "lockstep: trian is not a subcommand, did you mean train?"),
    ("configuration_for_a_subcommand", "run.toml", 2,
     "lockstep: run.toml is not a subcommand, did you mean lockstep train run.toml?"),
    ("no_configuration", "train", 2, "lockstep: train: CONFIG is required (lockstep train --help shows the usage)"),
    ("misspelt_configuration", "train rum.toml", 2,
     "lockstep: rum.toml: cannot be read: No such file or directory, expected a TOML file, such as lockstep configs lists"),
    ("run_folder_for_a_configuration", "train done", 2,
     "lockstep: done: is a folder, expected a TOML file, such as its config.toml"),
    ("weights_for_a_configuration", "eval done/model.safetensors", 2,
     "lockstep: done/model.safetensors: is not text, expected a TOML file"),
    ("misspelt_run", "eval dnoe", 2, "lockstep: dnoe: no such file or folder, expected a configuration or the folder of a run"),
    ("configuration_for_its_run", "eval run.toml", 2,
     "lockstep: run.toml names no weights: expected --model FILE, train.init_from, or the folder of a run in its place, such as runs/run"),
    ("search_for_a_configuration", "train search.toml", 2,
     "lockstep: search.toml: is a search, which lockstep sweep runs, expected a configuration"),
    ("misspelt_key", "train run.toml --set train.lerning_rate=0.1", 2,
     "lockstep: --set: unknown key train.lerning_rate, did you mean train.learning_rate?"),
    ("key_without_its_section", "train run.toml --set epochs=3", 2,
     "lockstep: --set: unknown key epochs, did you mean train.epochs?"),
    ("unknown_section", "train run.toml --set gpu.count=1", 2,
     "lockstep: --set: unknown key gpu.count, expected one of seed, data.*, model.*, train.*, eval.*, reduce.*, compute.*, "
     "checkpoint.*, run.*, log.*"),
    ("space_for_an_equals_sign", "train run.toml --set train.epochs 3", 2,
     "lockstep: --set train.epochs 3: expected --set train.epochs=3"),
    ("number_for_a_list", "train run.toml --set model.hidden=256", 2,
     "lockstep: --set: model.hidden is 256, expected a list of integers of at least 1, such as [256]"),
    ("word_for_a_number", "train run.toml --set train.epochs=many", 2,
     "lockstep: --set: train.epochs is 'many', expected an integer of at least 1"),
    ("batch_that_shards_do_not_divide", "train run.toml --set train.batch_size=100", 2,
     "lockstep: --set: train.batch_size is 100, expected a multiple of data.shards, which is 8"),
    ("key_for_an_option", "train run.toml --epochs 3", 2,
     "lockstep: train has no option --epochs, did you mean --set train.epochs=VALUE?"),
    ("option_of_another_program", "train run.toml --batch-size 3", 2,
     "lockstep: train has no option --batch-size, did you mean --set train.batch_size=VALUE?"),
    ("key_of_another_program", "train run.toml --set train.lr=3", 2,
     "lockstep: --set: unknown key train.lr, did you mean train.learning_rate?"),
    ("runs_own_folder", "train run.toml --out done", 2,
     "lockstep: done: holds a run (model.safetensors), expected another --out, or --overwrite to replace it"),
    ("misspelt_option", "train run.toml --resum latest", 2, "lockstep: train has no option --resum, did you mean --resume?"),
    ("ranks_without_mpirun", "train run.toml -np 2", 2,
     "lockstep: train has no option -np, mpirun has: launch/run -np P train"),
    ("misspelt_latest", "train run.toml --quiet --resume lastest", 4,
     "lockstep: lastest: cannot be read: No such file or directory, expected a checkpoint or latest"),
    ("missing_data", "train run.toml --quiet --set data.dataset=cifar10", 3,
     "lockstep: data/cifar-10-batches-bin: no such folder, expected the CIFAR-10 binary files (launch/get-cifar10 downloads "
     "them; data.dir or CIFAR10_DIR says where they are)"),
    ("launch_of_nothing", "launch/run", 2,
     "launch/run: no CONFIG, expected the file of a training run or a subcommand (lockstep configs lists those that come "
     "with the program)"),
    ("launch_of_a_misspelt_configuration", "launch/run rum.toml", 2,
     "lockstep: rum.toml: cannot be read: No such file or directory, expected a TOML file, such as lockstep configs lists"),
    ("launch_of_a_misspelt_subcommand", "launch/run -np 2 --force trian run.toml", 2,
     "lockstep: trian is not a subcommand, did you mean train?"),
    ("launch_with_ranks_at_the_end", "launch/run run.toml -np 2", 2,
     "launch/run: -np comes after run.toml, expected it before: launch/run -np VALUE run.toml"),
    ("more_ranks_than_shards", "launch/run -np 3 --force run.toml --quiet --set data.shards=2", 2,
     "launch/run: 3 ranks share 2 shards, expected at most one rank a shard: set data.shards to 3 or more (train.batch_size is a "
     "multiple of it), or start fewer ranks"),
]


def test_a_resume_with_other_values_names_both():
    write_planar_config()
    succeed("train", "run.toml", "--out", "out", "--quiet")
    before = read_json("out/summary.json")["config"]["train"]
    outcome = lockstep("train", "run.toml", "--out", "out", "--quiet", "--resume", "latest",
                       "--set", "train.learning_rate=0.0625", "--set", "model.hidden=[5, 5]")
    assert outcome.code == 2
    assert (f"expected the same values of model.hidden.1 (not set, not 5), train.learning_rate ({before['learning_rate']}, not 0.0625); "
            "--resume-from ") in outcome.err


@pytest.mark.parametrize("typed, code, says", [pytest.param(*wrong, id=name) for name, *wrong in WRONG_COMMANDS])
def test_a_newcomer_is_told_what_to_type_instead(typed, code, says, monkeypatch):
    write_small_config()
    write("search.toml", 'config = "run.toml"\nsearch = "grid"\n[parameters]\n"train.momentum" = [0.1]\n')
    write_small_config("done/config.toml")
    write("done/.lock", "")
    write_safetensors("done/model.safetensors", zero_tensors(3072, 8, 10))
    if typed == "eval run.toml":
        Path("runs").mkdir()
        Path("done").rename("runs/run")
    monkeypatch.setenv("LOCKSTEP", PROGRAM)
    monkeypatch.setenv("OMPI_ALLOW_RUN_AS_ROOT", "1")
    words = typed.split()
    program = REPOSITORY / words.pop(0) if typed.startswith("launch/run") else PROGRAM
    outcome = execute([program, *words])
    assert (outcome.code, outcome.out, outcome.err) == (code, "", says + "\n")
