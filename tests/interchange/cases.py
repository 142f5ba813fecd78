"""The trainings that trajectories_test.py lets Lockstep and PyTorch do: one table.

Each network's layers stand as under [[model.layers]], and are trained on made-up images of the shape `image`.
"""

from dataclasses import dataclass, field

DENSE = {"type": "dense"}
RELU, TANH, ELU, GELU, SIGMOID, LEAKY = ({"type": name} for name in ("relu", "tanh", "elu", "gelu", "sigmoid", "leaky_relu"))
FLATTEN, GLOBAL = {"type": "flatten"}, {"type": "global_average_pool"}


def dense(units, **more):
    return {"type": "dense", "units": units, **more}


def conv(filters, size, **more):
    return {"type": "conv", "filters": filters, "size": size, **more}


def norm(**more):
    return {"type": "batch_norm", **more}


def max_pool(size, **more):
    return {"type": "max_pool", "size": size, **more}


def average_pool(size, **more):
    return {"type": "average_pool", "size": size, **more}


def add(name):
    """The output of the layer of that name."""
    return {"type": "add", "from": name}


@dataclass(frozen=True)
class Case:
    layers: list
    image: tuple = (3, 8, 8)  # channels, height, width
    samples: int = 230
    shards: int = 3
    batch: int = 48
    classes: int = 4
    rate: float = 0.05  # train.learning_rate
    settings: dict = field(default_factory=dict)  # of [train], [model] and [data], by their whole names


CASES = {
    "plain": Case([conv(6, 3), RELU, max_pool(2), conv(8, 3), RELU, GLOBAL, DENSE],
                  settings={"train.momentum": 0.9}),
    "no_padding_and_odd_images": Case([conv(5, 3, padding="valid"), TANH, conv(4, 2, padding="valid"), ELU, DENSE], image=(2, 5, 7),
                                      settings={"model.elu_alpha": 0.7}),
    "even_filters_with_same_padding": Case([conv(5, 2), TANH, conv(6, 4), SIGMOID, conv(4, 2, bias=False), DENSE], image=(1, 6, 5),
                                           shards=1, batch=50, rate=0.2,
                                           settings={"data.normalize": "mean", "train.momentum": 0.9}),
    "padding_and_strides": Case([conv(6, 3, stride=2, padding=1), LEAKY, conv(5, 3, stride=3, padding=2, bias=False), ELU,
                                 conv(4, 2, padding=1), DENSE], image=(3, 9, 10), shards=5, batch=35,
                                settings={"train.momentum": 0.8, "train.nesterov": True, "model.leaky_slope": 0.2}),
    "batch_norm": Case([conv(6, 3, bias=False), norm(), RELU, max_pool(3, stride=2), conv(7, 3), norm(momentum=0.3), RELU, GLOBAL,
                        DENSE], settings={"train.momentum": 0.9, "train.l2": 1e-3}),
    "batch_norm_in_one_shard": Case([norm(momentum=0.3), conv(6, 3, padding="valid"), norm(epsilon=0.01), TANH, average_pool(2),
                                     FLATTEN, dense(9), norm(momentum=1.0), RELU, DENSE], shards=1, batch=60,
                                    image=(2, 7, 6)),
    "batch_norm_without_scale_or_shift": Case([conv(5, 3), norm(scale=False), RELU, conv(6, 3), norm(shift=False, momentum=0.3),
                                               SIGMOID, conv(4, 1), norm(scale=False, shift=False), TANH, DENSE],
                                              image=(2, 5, 7), shards=5, batch=55, settings={"data.normalize": "mean_std"}),
    "pools_that_overlap": Case([conv(5, 3), max_pool(3, stride=1), TANH, average_pool(3, stride=2), conv(4, 2, padding="valid"),
                                max_pool(2, stride=1), ELU, DENSE], image=(2, 11, 12), rate=0.2),
    "pools_at_first_and_left_over_pixels": Case([max_pool(2), norm(), average_pool(2, stride=1), LEAKY, conv(5, 2, padding="valid"),
                                                 TANH, DENSE], image=(3, 9, 7), shards=5, batch=45),
    "dense_with_images": Case([dense(20), norm(momentum=0.3), RELU, dense(10, bias=False), norm(), TANH, DENSE], shards=3,
                              settings={"train.l2": 1e-3, "train.momentum": 0.9}),
    "frozen_and_factors": Case([conv(5, 3, frozen=True), norm(frozen=True, momentum=0.3), RELU,
                                conv(6, 3, learning_rate_factor=0.3, weight_decay_factor=5.0), norm(learning_rate_factor=3.0), RELU,
                                max_pool(2), conv(5, 2, weight_decay_factor=0.0), TANH, dense(8, frozen=True), ELU,
                                dense(0, learning_rate_factor=0.5)],
                               settings={"train.l2": 0.01, "train.momentum": 0.9}),
    "squared_error": Case([conv(4, 3), TANH, average_pool(2), conv(4, 3, padding="valid"), norm(momentum=0.3), RELU, DENSE, SIGMOID],
                          settings={"model.loss": "mse", "train.momentum": 0.5, "train.l2": 1e-3}),
    "half_squared_error_and_a_ragged_batch": Case([conv(4, 3), norm(), RELU, GLOBAL, DENSE], samples=157, shards=5, batch=50,
                                                  image=(2, 5, 7), settings={"model.loss": "half_mse"}),
    "schedule_with_warm_up": Case([conv(6, 5, padding=1), RELU, {"type": "dropout", "rate": 0.0}, max_pool(2), dense(12), LEAKY,
                                   DENSE],
                                  settings={"train.schedule": "cosine", "train.warmup_epochs": 2, "train.momentum": 0.9,
                                            "train.final_learning_rate": 1e-3, "train.nesterov": True, "train.l2": 1e-3}),
    "no_layer_but_the_image": Case([conv(6, 3), norm(momentum=0.3), RELU, conv(4, 3), GLOBAL], image=(2, 6, 6), shards=1,
                                   batch=40, settings={"train.schedule": "step", "train.step_epochs": 3,
                                                       "train.step_factor": 0.5}),
    "cifar10": Case([conv(4, 3, stride=2, padding=1, bias=False), norm(), RELU, max_pool(4), conv(6, 3), ELU, DENSE],
                    image=(3, 32, 32), samples=150, shards=5, batch=30, classes=10, rate=0.02,
                    settings={"data.normalize": "mean_std", "train.momentum": 0.9, "train.l2": 1e-3}),
    "full_batch": Case([conv(4, 3), norm(), TANH, GLOBAL, DENSE], image=(2, 6, 5), samples=90, batch=100, shards=5, rate=0.2,
                       settings={"train.momentum": 0.9, "data.normalize": "mean_std"}),
    "micro_batches_that_are_empty": Case([conv(4, 3), norm(momentum=0.3), RELU, max_pool(2), DENSE], image=(2, 6, 5), samples=103,
                                         batch=50, shards=5, settings={"train.momentum": 0.5}),
    "float_sums": Case([conv(6, 3), norm(), RELU, max_pool(2), conv(6, 3), norm(momentum=0.3), RELU, average_pool(2), DENSE],
                       shards=5, batch=45, rate=0.02, settings={"reduce.mode": "float", "train.momentum": 0.9}),
    "residual": Case([conv(5, 3, bias=False), norm(), {**GELU, "name": "stem"}, conv(5, 3, bias=False), norm(), GELU,
                      conv(5, 3, name="branch"), add("stem"), norm(), RELU, max_pool(2), {**conv(6, 1), "name": "narrow"},
                      add("narrow"), GELU, GLOBAL, DENSE, {"type": "multiply", "factor": 0.5}], shards=5, batch=45,
                     settings={"train.momentum": 0.9, "train.nesterov": True, "train.label_smoothing": 0.1,
                               "train.weight_decay": 0.01, "train.schedule": "triangular", "train.warmup_epochs": 3,
                               "train.initial_learning_rate": 0.002, "train.final_learning_rate": 0.001}),
    "whitened": Case([{"type": "whiten", "size": 2}, GELU, conv(6, 3, init="dirac"), norm(momentum=0.3, weight_decay_factor=0.5),
                      GELU, average_pool(2), dense(8, weight_decay_factor=3.0), TANH, DENSE], image=(2, 7, 6), rate=0.02,
                     settings={"train.momentum": 0.9, "train.l2": 0.01, "train.weight_decay": 0.02,
                               "data.normalize": "mean_std"}),
    "sum_across_a_pool_that_leaves_pixels_out": Case([conv(4, 3, name="whole"), max_pool(2), TANH, conv(4, 2, padding=3),
                                                      add("whole"), RELU, DENSE], image=(2, 9, 9), shards=1, batch=46),
    "sum_of_rows": Case([dense(8, name="first"), TANH, dense(8), add("first"), {**ELU, "name": "second"}, add("first"),
                         add("second"), DENSE], settings={"train.momentum": 0.5}),
}
