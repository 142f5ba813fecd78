"""What can be wrong with networks of images, and with their data and weights."""

import struct

from harness.files import Tensors, write, write_safetensors

from . import bad, config, setting

DENSE = '[[model.layers]]\ntype = "dense"\n'
NETWORK = '[[model.layers]]\ntype = "conv"\nfilters = 3\nsize = 2\n[[model.layers]]\ntype = "batch_norm"\n' + DENSE


def layer(kind, *lines):
    return "\n".join(["[[model.layers]]", f'type = "{kind}"', *lines]) + "\n"


def network(*layers, train_samples=80):
    """Trains bad.toml on images of 3 x 32 x 32 pixels, in eight shards of micro-batches of two: the layers begin in line 7."""
    return config('[data]\ndataset = "synthetic"\n'
                  f"train_samples = {train_samples}\ntest_samples = 20\n[train]\nbatch_size = 16\n" + "".join(layers) + DENSE)


def table(*keys, layers=NETWORK):
    """Trains on a CSV file of 40 samples of 12 features, with these settings."""

    def arrange():
        write("data.csv", "".join(",".join(str((7 * i + 3 * j) % 11) for j in range(12)) + f",{i % 2}\n" for i in range(40)))
        write("run.toml", '[data]\ndataset = "csv"\nfile = "data.csv"\nheader = "no"\n[train]\nbatch_size = 16\n' + layers)
        return setting(*keys)()

    return arrange


def weights(change, name="layers.{}.{}".format):
    """The same, as images of 3 x 4 pixels, from a weight file for NETWORK, of which `change` replaces tensors: (shape, numbers), or
    None for one that is left out. `name` is given the layer's number and the tensor's name."""
    tensors = {(0, "weight"): ((3, 1, 2, 2), 12 * [0.5]), (0, "bias"): ((3,), 3 * [0.0]), (1, "weight"): ((3,), 3 * [1.0]),
               (1, "bias"): ((3,), 3 * [0.0]), (1, "running_mean"): ((3,), 3 * [0.0]), (1, "running_var"): ((3,), 3 * [1.0]),
               (2, "weight"): ((2, 36), 72 * [0.1]), (2, "bias"): ((2,), 2 * [0.0])}

    def arrange():
        file = Tensors()
        for (number, kind), tensor in (tensors | change).items():
            if tensor is not None:
                file.add(name(number, kind), "F32", tensor[0], struct.pack(f"<{len(tensor[1])}f", *tensor[1]))
        write_safetensors("init.safetensors", file)
        return table("data.image=[1,3,4]", "train.init_from=init.safetensors")()

    return arrange


def as_in_pytorch(number, kind):
    """Of an nn.Sequential with a flatten before the dense layer."""
    return f"{(0, 1, 3)[number]}.{kind}"


MISTAKES = [
    # Keys of layers: exit code 2.
    bad("layer_of_a_type_of_pytorch", 2, network(layer("Conv2d")), "bad.toml:8: model.layers[0].type is 'Conv2d'",
        "expected one of dense, conv", "; did you mean conv?"),
    bad("layer_of_a_misspelt_type", 2, network(layer("max_pol")), "bad.toml:8: model.layers[0].type is 'max_pol'",
        "expected one of dense, conv", "; did you mean max_pool?"),
    bad("layer_with_a_key_of_pytorch", 2, network(layer("conv", "filters = 3", "kernel_size = 3")),
        "bad.toml:10: unknown key model.layers[0].kernel_size, did you mean size?"),
    bad("convolution_without_a_size", 2, network(layer("conv", "filters = 3")), "bad.toml:8: model.layers[0].size is missing",
        "expected the filters' height and width in pixels"),
    bad("pool_without_a_size", 2, network(layer("max_pool", "stride = 2")), "bad.toml:8: model.layers[0].size is missing",
        "expected the windows' height and width in pixels"),
    bad("no_filters", 2, network(layer("conv", "filters = 0", "size = 3")), "bad.toml:9: model.layers[0].filters is 0",
        "expected an integer of at least 1"),
    bad("filters_by_the_billion", 2, network(layer("conv", "filters = 9223372036854775807", "size = 3")),
        "bad.toml:9: model.layers[0].filters is 9223372036854775807", "expected at most 1048576"),
    bad("filters_that_no_memory_holds", 2, network(2 * layer("conv", "filters = 1048576", "size = 3")),
        'model.layers makes a layer "Conv 1048576x32x32 -> 1048576x32x32', "expected fewer than 2^32 parameters"),
    bad("filters_of_no_pixels", 2, network(layer("conv", "filters = 3", "size = 0")), "bad.toml:10: model.layers[0].size is 0",
        "expected an integer of at least 1"),
    bad("stride_of_no_pixels", 2, network(layer("conv", "filters = 3", "size = 3", "stride = 0")),
        "bad.toml:11: model.layers[0].stride is 0", "expected an integer of at least 1"),
    bad("padding_that_is_no_number", 2, network(layer("conv", "filters = 3", "size = 3", "padding = nan")),
        "bad.toml:11: model.layers[0].padding is nan", 'expected "same", "valid" or a number of pixels, at most 1024'),
    bad("padding_of_less_than_nothing", 2, network(layer("conv", "filters = 3", "size = 3", "padding = -1")),
        'bad.toml:11: model.layers[0].padding is "-1"', 'expected "same", "valid" or a number of pixels, at most 1024'),
    bad("padding_of_an_unknown_kind", 2, network(layer("conv", "filters = 3", "size = 3", 'padding = "reflect"')),
        'bad.toml:11: model.layers[0].padding is "reflect"', 'expected "same", "valid" or a number of pixels, at most 1024'),
    bad("stride_with_the_usual_padding", 2, network(layer("conv", "filters = 3", "size = 3", "stride = 2")),
        'bad.toml:11: model.layers[0].padding is "same" with model.layers[0].stride = 2', 'expected "valid" or a number'),
    bad("momentum_above_one", 2, network(layer("batch_norm", "momentum = 1.5")), "bad.toml:9: model.layers[0].momentum is 1.5",
        "expected a number above 0, at most 1"),
    bad("epsilon_of_nothing", 2, network(layer("batch_norm", "epsilon = 0")), "bad.toml:9: model.layers[0].epsilon is 0",
        "expected a number above 0"),
    # Shapes.
    bad("filters_larger_than_what_a_pool_leaves", 2,
        network(layer("max_pool", "size = 16"), layer("conv", "filters = 3", "size = 3", 'padding = "valid"')),
        "model.layers[1]: a convolution of size 3 meets images of 2 pixels across", "expected at least 3"),
    bad("pool_larger_than_what_a_pool_leaves", 2, network(layer("max_pool", "size = 8"), layer("average_pool", "size = 5")),
        "model.layers[1]: a pooling layer of size 5 meets images of 4 x 4 pixels", "expected larger ones"),
    bad("convolution_after_a_dense_layer", 2, network(layer("dense", "units = 9"), layer("conv", "filters = 3", "size = 3")),
        "model.layers[1] is a convolution or pooling layer where there is no image", "expected it before any dense layer"),
    bad("pool_after_flatten", 2, network(layer("flatten"), layer("global_average_pool")),
        "model.layers[1] is a convolution or pooling layer where there is no image", "expected it before any dense layer"),
    bad("batch_norm_of_a_pixel_of_one_sample", 2, network(layer("global_average_pool"), layer("batch_norm"), train_samples=24),
        "batch_norm meets a micro-batch of 1 sample", "expected at least 2"),
    # Images in CSV files.
    bad("convolution_of_a_table", 2, table(), "model.layers[0] is a convolution or pooling layer where there is no image",
        "data.image = [CHANNELS, HEIGHT, WIDTH]"),
    bad("image_of_other_features", 2, table("data.image=[2,5,7]"), "data.image = [2, 5, 7] has 70 values",
        "expected the 12 features of data.csv"),
    bad("image_beyond_all_memory", 2, table("data.image=[65536,65536,65536]"),
        "data.image = [65536, 65536, 65536] has 281474976710656 values", "expected the 12 features of data.csv"),
    bad("image_of_two_numbers", 2, table("data.image=[3,4]"), "--set: data.image has 2 numbers",
        "expected channels, height and width"),
    bad("image_without_channels", 2, table("data.image=[0,3,4]"), "--set: data.image is [ 0, 3, 4 ]",
        "expected a list of integers of at least 1"),
    # Weights, which rank 0 reads for all: exit code 4.
    bad("filters_of_another_shape", 4, weights({(0, "weight"): ((3, 1, 3, 3), 27 * [0.5])}),
        "init.safetensors: layers.0.weight has shape (3, 1, 3, 3)", "expected (3, 1, 2, 2)"),
    bad("filters_of_another_shape_in_pytorch", 4, weights({(0, "weight"): ((3, 1, 3, 3), 27 * [0.5])}, as_in_pytorch),
        "init.safetensors: layers.0.weight has shape (3, 1, 3, 3)", "expected (3, 1, 2, 2)"),
    bad("weights_without_running_statistics", 4, weights({(1, "running_mean"): None, (1, "running_var"): None}),
        "init.safetensors: layers.1.running_mean is missing"),
    bad("weights_of_pytorch_without_running_statistics", 4,
        weights({(1, "running_mean"): None, (1, "running_var"): None}, as_in_pytorch),
        "init.safetensors: layers.1.running_mean is missing"),
    bad("variances_below_zero", 4, weights({(1, "running_var"): ((3,), [1.0, -0.5, 1.0])}),
        "init.safetensors: layers.1.running_var has -0.5", "expected variances, of at least 0"),
    bad("variances_that_are_no_numbers", 4, weights({(1, "running_var"): ((3,), [1.0, float("nan"), 1.0])}),
        "init.safetensors: layers.1.running_var has nan", "expected variances, of at least 0"),
]
