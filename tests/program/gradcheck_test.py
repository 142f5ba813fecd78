"""lockstep gradcheck: every activation, loss and layer has the derivative that the differences of its loss say, and an error
above the tolerance is the exit code."""

import os
import re

import pytest
from harness.files import write, write_planar_config
from harness.process import ALONE, lockstep, settings, succeed, three_ranks_if_long

AFTER_HIDDEN = "model.hidden=[6,5]"
WITHOUT_BIAS = """model.layers=[{units=5,bias=false,init='normal(1)'},{type="tanh"},{bias=false}]"""
EVERY_TYPE = ('model.layers=[{units=6},{type="sigmoid"},{units=5},{type="relu"},{units=6},{type="tanh"},{units=4},'
              '{type="leaky_relu"},{units=5},{type="elu"},{units=4},{type="gelu"},{type="dropout",rate=0.1},{type="identity"},{}]')
WITH_DROPOUT = ('model.layers=[{units=9},{type="tanh"},{type="dropout",rate=0.4},{units=7},{type="elu"},'
                '{type="dropout",rate=0.2},{type="dense"}]')

NETWORKS = {  # settings of run.toml, points of the plane
    "cross_entropy": ["model.loss=cross_entropy"],
    "smoothed_labels": ["train.label_smoothing=0.2"],
    "binary_cross_entropy": ["model.loss=binary_cross_entropy"],
    "mse": ["model.loss=mse"],
    "half_mse": ["model.loss=half_mse"],
    "mse_of_one_sigmoid_output": ["model.loss=mse", "model.outputs=1", "model.output_activation=sigmoid"],
    "half_mse_of_two_tanh_outputs": ["model.loss=half_mse", "model.output_activation=tanh"],
    "mse_of_values": ["data.dataset=function", "model.loss=mse"],
    "no_hidden_layer": ["model.hidden=[]"],
    "no_bias": [WITHOUT_BIAS],
    "weights_that_start_wide": ["model.init=normal(2)", "model.bias_init=uniform(1)"],
    "l2_which_is_not_part_of_it": ["train.l2=0.5"],
    "layers_of_every_type": [EVERY_TYPE],
    "dropout_rate": [AFTER_HIDDEN, "model.dropout=0.3"],
    "dropout_layers": [WITH_DROPOUT],
    **{f"activation_{name}": [AFTER_HIDDEN, f"model.activation={name}"]
       for name in ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "identity")},
    "steep_leaky_relu": ["model.activation=leaky_relu", "model.leaky_slope=0.7"],
    "elus_of_another_alpha": ["model.activation=elu", "model.elu_alpha=2.5"],
}


def check(*keys, ranks=ALONE, more=()):
    """Checks the network of run.toml with these settings."""
    layers = any(key.startswith("model.layers=") for key in keys)
    write_planar_config(**({"model": ""} if layers else {}))
    return lockstep("gradcheck", "run.toml", *settings(*keys), *more, ranks=ranks)


def table(outcome):
    """Without its first line, which names the number of ranks."""
    return outcome.out.partition("\n")[2]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_passes_the_gradient_check(name):
    outcome = check(*NETWORKS[name])
    assert (outcome.code, outcome.err) == (0, ""), outcome.out
    assert "the backward pass is the derivative of the loss\n" in outcome.out
    assert "FAIL" not in outcome.out


@pytest.mark.parametrize("name", ["binary_cross_entropy", "mse_of_values", "no_bias", "layers_of_every_type", "dropout_layers"])
def test_three_ranks_have_the_gradient_check_of_one_process(name):
    """The exact reduction makes even the last digit of the errors the same."""
    three = check(*NETWORKS[name], ranks=3)
    assert three.code == 0, three.out + three.err
    assert table(three) == table(check(*NETWORKS[name]))


@three_ranks_if_long
def test_every_tensor_has_a_line_and_no_files_are_written(ranks):
    outcome = check("model.hidden=[5]", ranks=ranks, more=["--elements", "4"])
    assert outcome.code == 0, outcome.err
    lines = "tensor +elements +worst error +at +backward +difference\n"
    for tensor in ("layers.0.weight +4", "layers.0.bias +4", "layers.1.weight +4", "layers.1.bias +2"):
        lines += tensor + r" +[0-9.e-]+ +\[[0-9, ]+\] +[0-9.e-]+ +[0-9.e-]+  pass\n"
    assert re.fullmatch(lines + "the backward pass is .*\n", table(outcome)), outcome.out
    assert os.listdir() == ["run.toml"]


def test_an_impossible_tolerance_fails(ranks):
    outcome = check(ranks=ranks, more=["--tolerance", "1e-12"])
    assert (outcome.code, outcome.err) == (1, "")
    assert "FAIL" in outcome.out
    assert "not the derivative of the loss: an error is above 1e-12\n" in outcome.out


@three_ranks_if_long
@pytest.mark.parametrize("feature, target", [(1.0, 1e5), (1.0, 9e5), (30.0, 1.0), (1e3, 1e5), (1e6, 1.0), (1.0, 1e-6), (1e-4, 1.0),
                                             (1e-3, 1e-5)])
@pytest.mark.parametrize("key", ["model.activation=tanh", "model.activation=relu", "model.init=normal(30)"])
def test_features_targets_and_weights_of_any_size_pass(feature, target, key, ranks):
    """A regression on a line, x from -1 to 1 times `feature`, values up to `target`."""
    line = [i / 20 - 0.976 for i in range(40)]
    write("line.csv", "".join(f"{x * feature:.6g},{(x * x - 0.4) * target:.6g}\n" for x in line))
    write("run.toml", '[data]\ndataset = "csv"\nfile = "line.csv"\ntask = "regression"\nnormalize = "none"\nshards = 4\n'
          '[train]\nbatch_size = 40\n[model]\nloss = "mse"\nhidden = [6]\nbias_init = "normal(0.1)"\n')
    succeed("gradcheck", "run.toml", "--samples", "40", *settings(key), ranks=ranks)


@three_ranks_if_long
def test_a_tensor_all_at_a_kink_passes(ranks):
    """A feature that is the same throughout is 0 less its mean, and so is what every unit of relu sees: the slope of its bias is
    one on the left and another on the right."""
    write("data.csv", "2,1\n2,3\n2,2\n2,7\n")
    write("run.toml", '[data]\ndataset = "csv"\nfile = "data.csv"\ntask = "regression"\nshards = 4\n'
          '[train]\nbatch_size = 4\n[model]\nloss = "mse"\nhidden = [3]\nactivation = "relu"\n')
    out = succeed("gradcheck", "run.toml", ranks=ranks).out
    assert re.search(r"layers.0.bias +3 .*  pass \(3 at a kink\)\n", out), out


@three_ranks_if_long
@pytest.mark.parametrize("init", ["he", "normal(0.00001)"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kinks_of_some_samples_pass(init, seed, ranks):
    """Where all units of a layer are silent, the next layer's are at 0 less their biases, for some samples; and the kinks of the
    samples may cancel in the mean."""
    outcome = check("data.dataset=spiral", "data.n=200", "model.hidden=[8,8]", "model.activation=relu", "train.batch_size=96",
                    "model.loss=binary_cross_entropy", f"model.init={init}", f"seed={seed}", ranks=ranks, more=["--samples", "96"])
    assert outcome.code == 0, outcome.out + outcome.err


def test_float_sums_pass_too(ranks):
    outcome = check("reduce.mode=float", ranks=ranks)
    assert outcome.code == 0, outcome.out + outcome.err
