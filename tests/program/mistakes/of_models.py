"""What can be wrong with layers and losses, and with the two together."""

from . import ONE_LAYER, bad, config, planar, setting

ALL_ACTIVATIONS = "expected one of sigmoid, tanh, relu, leaky_relu, elu, gelu, identity"


def network(text):
    """Trains by bad.toml: the first two lines, then this text from line 3 on."""
    return config('[data]\ndataset = "circle"\n' + text)


def additions(text):
    """Layer 0 is "stem", then comes a relu, then this text, and last, as "last", a dense layer."""
    return network('[[model.layers]]\nunits = 4\nname = "stem"\n[[model.layers]]\ntype = "relu"\n' + text +
                   '[[model.layers]]\nname = "last"\n')


MISTAKES = [
    bad("binary_cross_entropy_of_ten_classes", 2, setting("model.loss=binary_cross_entropy"),
        'model.loss is "binary_cross_entropy" with 10 classes', 'expected 2 classes, or "cross_entropy"'),
    bad("softmax_of_one_output", 2, planar("model.outputs=1"), "model.outputs is 1", "cross_entropy",
        "expected an output a class", "softmax of one output"),
    bad("more_outputs_than_classes", 2, planar("model.outputs=3"), "model.outputs is 3", "expected 2, the number of classes"),
    bad("misspelt_loss", 2, planar("model.loss=crossentropy"), "--set: model.loss is 'crossentropy'",
        "expected one of cross_entropy, binary_cross_entropy, mse, half_mse"),
    bad("misspelt_activation", 2, planar("model.activation=rleu"), "--set: model.activation is 'rleu'", ALL_ACTIVATIONS),
    bad("activation_before_a_softmax", 2, planar("model.output_activation=sigmoid"),
        '--set: the network ends with "sigmoid" and model.loss is "cross_entropy"', "expected no activation"),
    bad("dropout_of_everything", 2, planar("model.dropout=1"), "--set: model.dropout is 1",
        "expected a number from 0 up to, not including, 1"),
    bad("biases_by_their_number_of_inputs", 2, planar("model.bias_init=he"), '--set: model.bias_init is "he"',
        'expected "zeros"'),
    bad("layers_beside_hidden", 2, network('[[model.layers]]\ntype = "dense"\n[model]\nhidden = [5]\n'),
        "bad.toml:6: model.hidden is set beside model.layers", "expected one of the two"),
    bad("layers_that_are_a_number", 2, network("[model]\nlayers = 3\n"), "bad.toml:4: model.layers is 3",
        "expected a list of tables"),
    bad("layer_of_an_unknown_type", 2, network('[[model.layers]]\nunits = 4\n[[model.layers]]\ntype = "convolution"\n'),
        "bad.toml:6: model.layers[1].type is 'convolution'", "expected one of dense, conv, max_pool"),
    bad("layer_with_an_unknown_key", 2, network('[[model.layers]]\nunits = 4\nactivation = "relu"\n'),
        "bad.toml:5: unknown key model.layers[0].activation", "expected one of type, units, bias, init, bias_init"),
    bad("layer_with_a_misspelt_key", 2, network("[[model.layers]]\nunit = 4\n"), "bad.toml:4: unknown key model.layers[0].unit",
        "did you mean units?"),
    bad("layer_with_a_key_of_another_type", 2, network('[[model.layers]]\ntype = "relu"\nunits = 4\n'),
        "bad.toml:5: unknown key model.layers[0].units", "expected one of type"),
    bad("layer_with_an_unknown_initializer", 2, network('[[model.layers]]\ninit = "hee"\n'),
        'bad.toml:4: model.layers[0].init is "hee"', 'expected "glorot", "he"'),
    bad("dirac_of_a_dense_layer", 2, network('[[model.layers]]\ninit = "dirac"\n'),
        'bad.toml:4: model.layers[0].init is "dirac", which only conv layers take', 'expected "glorot"'),
    bad("dirac_of_a_model", 2, planar("model.init=dirac"), '--set: model.init is "dirac", which only conv layers take', 'expected "glorot"'),
    bad("layer_that_drops_everything", 2,
        network('[[model.layers]]\nunits = 4\n[[model.layers]]\ntype = "dropout"\nrate = 1.0\n'),
        "bad.toml:7: model.layers[1].rate is 1.0", "expected a number from 0 up to, not including, 1"),
    bad("layers_that_end_with_an_activation", 2, network('[[model.layers]]\n[[model.layers]]\ntype = "tanh"\n'),
        'bad.toml:3: the network ends with "tanh"', "expected no activation at the end"),
    bad("layers_that_end_with_an_activation_and_dropout", 2,
        network('[[model.layers]]\n[[model.layers]]\ntype = "tanh"\n' + 2 * '[[model.layers]]\ntype = "dropout"\n'),
        'bad.toml:3: the network ends with "tanh"', "expected no activation at the end"),
    bad("layers_that_end_with_too_many_outputs", 2, network("[[model.layers]]\nunits = 4\n"), "model.layers end with 4 outputs",
        "expected 2"),
    bad("convolution_of_no_image", 2, network('[[model.layers]]\ntype = "conv"\nfilters = 2\nsize = 3\n[[model.layers]]\n'),
        "model.layers[0] is a convolution or pooling layer where there is no image", "data.image"),
    bad("convolution_without_filters", 2, network('[[model.layers]]\ntype = "conv"\nsize = 3\n[[model.layers]]\n'),
        "model.layers[0].filters is missing", "expected the number of filters"),
    bad("same_padding_with_a_stride", 2,
        network('[[model.layers]]\ntype = "conv"\nfilters = 2\nsize = 3\nstride = 2\n[[model.layers]]\n'),
        'model.layers[0].padding is "same" with model.layers[0].stride = 2', 'expected "valid" or a number'),
    bad("stride_of_nothing", 2, network('[[model.layers]]\ntype = "max_pool"\nsize = 2\nstride = 0\n[[model.layers]]\n'),
        "bad.toml:6: model.layers[0].stride is 0", "expected an integer"),
    bad("multiplication_without_a_factor", 2, network('[[model.layers]]\n[[model.layers]]\ntype = "multiply"\n'),
        "model.layers[1].factor is missing", "expected the number to multiply by"),
    bad("factor_that_is_no_number", 2, network('[[model.layers]]\n[[model.layers]]\ntype = "multiply"\nfactor = inf\n'),
        "bad.toml:6: model.layers[1].factor is inf", "expected a number, its magnitude below 1e30"),
    bad("whiten_after_another_layer", 2,
        config('[data]\ndataset = "synthetic"\n[[model.layers]]\ntype = "relu"\n[[model.layers]]\ntype = "whiten"\nsize = 2\n'
               "[[model.layers]]\n"),
        "model.layers[1] is a whiten layer, expected it as the first layer"),
    bad("whiten_of_no_image", 2, network('[[model.layers]]\ntype = "whiten"\nsize = 2\n[[model.layers]]\n'),
        "model.layers[0] is a convolution or pooling layer where there is no image", "data.image"),
    bad("whiten_of_no_pixels", 2, network('[[model.layers]]\ntype = "whiten"\nsize = 0\n[[model.layers]]\n'),
        "bad.toml:5: model.layers[0].size is 0", "expected an integer of at least 1"),
    bad("whiten_without_a_size", 2, network('[[model.layers]]\ntype = "whiten"\n[[model.layers]]\n'),
        "model.layers[0].size is missing", "expected the filters' height and width in pixels"),
    bad("whiten_larger_than_the_image", 2,
        config('[data]\ndataset = "synthetic"\n[[model.layers]]\ntype = "whiten"\nsize = 33\n[[model.layers]]\n'),
        "a convolution of size 33 meets images of 32 pixels across", "expected at least 33"),
    bad("whiten_of_large_patches", 2,
        config('[data]\ndataset = "synthetic"\n[[model.layers]]\ntype = "whiten"\nsize = 19\n[[model.layers]]\n'),
        "a whiten layer of size 19 meets patches of 1083 numbers", "expected at most 1024"),
    bad("addition_without_a_name", 2, network('[[model.layers]]\nunits = 4\n[[model.layers]]\ntype = "add"\n[[model.layers]]\n'),
        "model.layers[1].from is missing", "expected the name of an earlier layer"),
    bad("addition_of_no_layer", 2, additions('[[model.layers]]\ntype = "add"\nfrom = "stme"\n'),
        'model.layers[2].from is "stme", expected the name of an earlier layer, did you mean "stem"?'),
    bad("addition_of_a_later_layer", 2, additions('[[model.layers]]\ntype = "add"\nfrom = "last"\n'),
        'model.layers[2].from is "last", the name of model.layers[3]', "expected that of an earlier layer"),
    bad("addition_of_other_units", 2,
        additions('[[model.layers]]\nunits = 5\n[[model.layers]]\ntype = "add"\nfrom = "stem"\n'),
        'model.layers[3].from is "stem", whose output is 4 values, and is added to 5 values', "expected the same shape"),
    bad("addition_across_a_pool", 2,
        config('[data]\ndataset = "synthetic"\n[[model.layers]]\ntype = "conv"\nfilters = 2\nsize = 3\nname = "a"\n'
               '[[model.layers]]\ntype = "max_pool"\nsize = 2\n[[model.layers]]\ntype = "add"\nfrom = "a"\n[[model.layers]]\n'),
        'model.layers[2].from is "a", whose output is 2x32x32, and is added to 2x16x16', "expected the same shape"),
    bad("addition_across_a_flatten", 2,
        config('[data]\ndataset = "synthetic"\n[[model.layers]]\ntype = "conv"\nfilters = 2\nsize = 3\nname = "a"\n'
               '[[model.layers]]\ntype = "flatten"\n[[model.layers]]\ntype = "add"\nfrom = "a"\n[[model.layers]]\n'),
        'model.layers[2].from is "a", whose output is 2x32x32, and is added to 2048 values', "expected the same shape"),
    bad("name_of_two_layers", 2, additions('[[model.layers]]\nunits = 5\nname = "stem"\n'),
        'model.layers[2].name is "stem", which is model.layers[0]\'s', "expected another"),
    bad("empty_name", 2, additions('[[model.layers]]\nunits = 5\nname = ""\n'), "bad.toml:10: model.layers[2].name is empty"),
    bad("pool_larger_than_the_image", 2,
        config('[data]\ndataset = "synthetic"\n[[model.layers]]\ntype = "max_pool"\nsize = 33\n[[model.layers]]\n'),
        "a pooling layer of size 33 meets images of 32 x 32 pixels"),
    bad("filters_larger_than_the_image", 2,
        config('[data]\ndataset = "synthetic"\n[[model.layers]]\ntype = "conv"\nfilters = 2\nsize = 35\npadding = 1\n'
               "[[model.layers]]\n"),
        "a convolution of size 35 meets images of 32 pixels across, 34 with their padding", "expected at least 35"),
    bad("batch_norm_of_one_value", 2,
        network('n = 60\n[[model.layers]]\nunits = 4\n[[model.layers]]\ntype = "batch_norm"\n[[model.layers]]\n'
                "[train]\nbatch_size = 8\n"),
        "batch_norm meets a micro-batch of 1 sample", "expected at least 2"),
    bad("layers_without_parameters", 2, network('[[model.layers]]\ntype = "dropout"\n'),
        "model.layers has no layer with parameters", "expected a dense one"),
    bad("override_of_a_layer_that_there_is_not", 2, planar("model.layers.1.units=5", model=ONE_LAYER),
        "--set model.layers.1.units: model.layers has 1 tables", "expected more than 1"),
    bad("override_of_a_layer_with_a_bad_value", 2, planar("model.layers.0.units=five", model=ONE_LAYER),
        "--set: model.layers[0].units is 'five'", "expected an integer"),
]
