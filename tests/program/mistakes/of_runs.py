"""What can be wrong with CIFAR-10's files, the configuration, the command line and weights."""

import shutil
from pathlib import Path

from harness.files import resize, set_label, write, write_black_cifar10, write_safetensors, zero_tensors

from . import QUIET_TRAINING, bad, command, config, setting

LONG = 300 * "a"
WIDE = ",".join(200 * ["60000"])  # 200 layers of 60,000: 5.7 terabytes
MANY = ",".join(str(i) for i in range(1, 61))


def cifar(spoil):
    """Trains on files of CIFAR-10's format in the folder cifar, which `spoil` has changed."""

    def arrange():
        write_black_cifar10("cifar")
        spoil()
        return setting("data.dataset=cifar10", "data.dir=cifar")()

    return arrange


def empty_folder():
    shutil.rmtree("cifar")
    Path("cifar").mkdir()


def weights(*widths, spoil=lambda tensors: None):
    """Starts from a weight file for these widths, which `spoil` has changed; run.toml's network is 3072, 8, 10."""

    def arrange():
        tensors = zero_tensors(*widths)
        spoil(tensors)
        write_safetensors("init.safetensors", tensors)
        return setting("train.init_from=init.safetensors")()

    return arrange


def all_ones(tensors):
    tensors.data = b"\xff" * len(tensors.data)


def integer_bias(tensors):
    tensors.header["layers.1.bias"]["dtype"] = "I32"


def cut_short(tensors):
    tensors.data = tensors.data[:-1]


def lying_header():
    """A header of 2^60 bytes, it says."""
    write("init.safetensors", b"\0\0\0\0\0\0\0\x10{}")
    return setting("train.init_from=init.safetensors")()


def full_disk():
    write("out/.lock", "")  # of a run
    Path("out/metrics.csv").symlink_to("/dev/full")
    return QUIET_TRAINING


MISTAKES = [
    # Data: exit code 3.
    bad("truncated_data_file", 3, cifar(lambda: resize("cifar/data_batch_3.bin", 30729999)), "cifar/data_batch_3.bin",
        "30729999 bytes", "expected 30730000"),
    bad("oversized_data_file", 3, cifar(lambda: resize("cifar/test_batch.bin", 30733073)), "cifar/test_batch.bin",
        "30733073 bytes", "expected 30730000"),
    bad("label_ten_in_the_training_set", 3, cifar(lambda: set_label("cifar/data_batch_1.bin", 5, 10)), "cifar/data_batch_1.bin",
        "record 5", "label 10", "expected 0..9", of_one_rank=True),
    bad("label_ten_in_the_test_set", 3, cifar(lambda: set_label("cifar/test_batch.bin", 149, 10)), "cifar/test_batch.bin",
        "record 149", "label 10", "expected 0..9", of_one_rank=True),
    bad("data_folder_without_the_files", 3, cifar(empty_folder), "cifar/data_batch_1.bin", "No such file"),
    bad("missing_data_folder", 3, cifar(lambda: shutil.rmtree("cifar")), "cifar: no such folder",
        "expected the CIFAR-10 binary files", "data.dir"),
    bad("data_folder_with_a_name_too_long", 3, setting("data.dataset=cifar10", "data.dir=" + LONG), LONG,
        "expected the CIFAR-10 binary files"),
    # Configuration: exit code 2.
    bad("unknown_key", 2, config("seed = 1\n[frobnication]\nspeed = 1\n"), "bad.toml:3", "unknown key frobnication.speed",
        "expected one of seed, data.*, model.*, train.*"),
    bad("misspelt_key", 2, config("[train]\nlerning_rate = 0.1\n"), "bad.toml:2", "unknown key train.lerning_rate",
        "did you mean train.learning_rate?"),
    bad("number_for_a_list", 2, config("[model]\nhidden = 100\n"), "bad.toml:2", "model.hidden is 100",
        "expected a list of integers"),
    bad("number_for_a_switch", 2, setting("log.steps=1"), "--set", "log.steps is 1", "expected true or false"),
    bad("negative_learning_rate", 2, config("[train]\n\nlearning_rate = -0.1\n"), "bad.toml:3", "train.learning_rate is -0.1",
        "expected a number above 0"),
    bad("learning_rate_that_is_no_number", 2, setting("train.learning_rate=nan"), "--set", "train.learning_rate is nan",
        "expected a number above 0"),
    bad("more_shards_than_any_one_needs", 2, setting("data.shards=1000000000000", "train.batch_size=1000000000000"), "--set",
        "data.shards is 1000000000000", "expected 1 to"),
    bad("layer_that_no_memory_holds", 2, setting("model.hidden=[10000000000000]"), "model.hidden", "10000000000000",
        "expected fewer than"),
    bad("network_that_no_host_holds", 2, setting("model.hidden=[" + WIDE + "]"), "the network and its data need at least",
        "GB on ", "expected at most", "fewer ranks per host"),
    bad("learning_rate_beyond_reason", 2, setting("train.learning_rate=1e30"), "train.learning_rate is 1e+30",
        "expected a number", "below 1e30"),
    bad("value_of_two_lines", 2, setting('train.learning_rate="a\\nb"'), "train.learning_rate is", "expected a number above 0"),
    bad("list_that_fills_a_page", 2, setting("train.learning_rate=[" + MANY + "]"), "train.learning_rate is [",
        "expected a number above 0"),
    bad("unknown_choice", 2, setting("model.activation=swish"), "--set", "model.activation is", "swish", "expected one of",
        "sigmoid", "relu"),
    bad("unknown_kernel_family", 2, setting("compute.kernels=abacus"), "--set", "compute.kernels is", "abacus",
        "expected one of", "auto"),
    bad("more_gradient_blocks_than_exact_sums_can_hold", 2, setting("data.shards=32768", "train.batch_size=32768"),
        "32768 gradient blocks", "data.shards", "expected at most 32767", "reduce.mode"),
    bad("more_gradient_blocks_than_narrow_sums_can_hold", 2,
        setting("data.shards=128", "train.batch_size=128", "reduce.wire=int16"), "128 gradient blocks", "data.shards",
        "expected at most 127", "reduce.wire"),
    bad("unknown_data_set", 2, setting("data.dataset=imagenet"), "--set", "data.dataset is", "imagenet", "expected one of", "cifar10",
        "synthetic"),
    bad("no_shards", 2, setting("data.shards=0"), "data.shards is 0", "expected", "at least 1"),
    bad("more_training_samples_than_there_are", 2, setting("data.train_samples=50001"), "data.train_samples is 50001",
        "expected at most 50000"),
    bad("more_test_samples_than_there_are", 2, setting("data.test_samples=10001"), "data.test_samples is 10001",
        "expected at most 10000"),
    bad("toml_syntax_error", 2, config("seed = 1\n[train\nepochs = 3\n"), "bad.toml:2", "not TOML"),
    bad("key_given_twice", 2, config("seed = 1\nseed = 2\n"), "bad.toml:2", "not TOML", "seed"),
    bad("missing_config_file", 2, command("train nowhere.toml --out out"), "nowhere.toml", "cannot be read", "No such file"),
    bad("folder_for_a_config_file", 2, command("train . --out out"), ".: is a folder", "expected a TOML file"),
    bad("override_without_equals_sign", 2, setting("train.epochs"), "--set train.epochs", "expected section.key=value"),
    bad("output_below_a_file", 2, command("train run.toml --quiet --out run.toml/out"), "run.toml/out", "cannot be written",
        "Not a directory"),
    bad("output_on_a_full_disk", 2, full_disk, "out/metrics.csv", "cannot be written"),
    # Training that cannot go on: the exit code of its configuration.
    bad("learning_rate_that_diverges", 2, setting("train.learning_rate=1e29"), "training diverged at step",
        "expected finite numbers", "train.learning_rate"),
    bad("weights_that_are_no_numbers", 2, weights(3072, 8, 10, spoil=all_ones), "training diverged at step 1 ",
        "layers.0.weight", "not finite"),
    # The command line: exit code 2.
    bad("unknown_subcommand", 2, command("explain"), "explain is not a subcommand", "expected", "--help"),
    bad("no_subcommand", 2, command(""), "no subcommand", "expected one of train, eval", "--help"),
    bad("unknown_option", 2, command("train run.toml --out out --fast"), "--fast", "--help"),
    bad("option_without_its_value", 2, command("train run.toml --out"), "--out", "1 required"),
    bad("verification_of_no_steps", 2, command("verify run.toml --steps 0"), "--steps", "0", "--help"),
    bad("configuration_with_a_name_too_long", 2, command("eval " + LONG), LONG, "too long"),
    bad("evaluation_without_weights", 2, command("eval run.toml"), "run.toml", "no weights",
        "expected --model FILE, train.init_from, or the folder of a run"),
    # Weights, which rank 0 reads for all: exit code 4.
    bad("weights_of_another_shape", 4, weights(3072, 9, 10), "init.safetensors", "layers.0.weight", "shape (9, 3072)",
        "expected (8, 3072)"),
    bad("weights_of_another_type", 4, weights(3072, 8, 10, spoil=integer_bias), "init.safetensors", "layers.1.bias", "I32",
        "expected F32"),
    bad("weights_with_a_tensor_too_few", 4, weights(3072, 8), "init.safetensors", "layers.1.weight is missing"),
    bad("weights_with_a_tensor_too_many", 4, weights(3072, 8, 10, 10), "init.safetensors", "layers.2",
        "not a tensor of this network"),
    bad("weights_cut_short", 4, weights(3072, 8, 10, spoil=cut_short), "init.safetensors", "layers.1.bias", "expected"),
    bad("weights_with_a_lying_header_length", 4, lying_header, "init.safetensors", "header of 1152921504606846976 bytes",
        "only 2 follow"),
    bad("missing_weights", 4, setting("train.init_from=nowhere.safetensors"), "nowhere.safetensors", "cannot be read",
        "No such file"),
    bad("missing_weights_for_evaluation", 4, command("eval run.toml --model nowhere.safetensors"), "nowhere.safetensors",
        "cannot be read", "No such file"),
]
