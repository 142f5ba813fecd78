"""What can be wrong with IDX files, CIFAR-100, arrays of NumPy and folders of images."""

from pathlib import Path

from harness.datasets import image_arrays, npy, write_cifar100, write_idx, write_image_folder, write_npz
from harness.files import resize, write

from . import bad, setting


def spoilt(make, spoil, *keys):
    """Trains on what `make` writes and `spoil` changes."""

    def arrange():
        make()
        spoil()
        write("run.toml", "seed = 1\n")
        return setting(*keys)()

    return arrange


def digits(spoil, *keys):
    return spoilt(lambda: write_idx("digits", packed=True), spoil, "data.dataset=mnist", "data.dir=digits", *keys)


def photos(spoil, *keys):
    return spoilt(lambda: write_image_folder("photos"), spoil, "data.dataset=images", "data.dir=photos", *keys)


def arrays(change, *keys):
    """Trains on arrays of which `change` returns some anew."""

    def make():
        of_images = image_arrays()
        write_npz("data.npz", {**of_images, **change()})

    return spoilt(make, lambda: None, "data.dataset=numpy", "data.file=data.npz", *keys)


def nothing():
    return {}


def truncate(path):
    resize(path, Path(path).stat().st_size // 2)


MISTAKES = [
    # Data: exit code 3.
    bad("mnist_that_is_cut", 3, digits(lambda: truncate("digits/train-images-idx3-ubyte.gz")), "train-images-idx3-ubyte.gz: "),
    bad("mnist_without_labels", 3, digits(lambda: Path("digits/t10k-labels-idx1-ubyte.gz").unlink()),
        "digits/t10k-labels-idx1-ubyte: no such file, also not with .gz"),
    bad("missing_mnist", 3, setting("data.dataset=fashion_mnist"),
        "data/fashion-mnist: no such folder", "launch/get-data fashion-mnist downloads them", "data.dir"),
    bad("truncated_cifar100", 3, spoilt(lambda: write_cifar100("cifar", 1), lambda: resize("cifar/test.bin", 5),
                                        "data.dataset=cifar100", "data.dir=cifar"),
        "cifar/test.bin: has 5 bytes", "expected 30740000 (10000 CIFAR-100 records of 3074)"),
    bad("image_that_is_cut", 3, photos(lambda: truncate("photos/train/dog/001.png")),
        "photos/train/dog/001.png: is a PNG file that cannot be read", "expected a whole one", of_one_rank=True),
    bad("jpeg_among_the_images", 3, photos(lambda: write("photos/train/dog/x.jpg", "")),
        "photos/train/dog/x.jpg: is not a .png, .pgm or .ppm file"),
    bad("images_that_are_missing", 3, setting("data.dataset=images", "data.dir=nowhere"), "nowhere: no such folder",
        "expected folders of PNG"),
    bad("archive_of_arrays_that_is_cut", 3, spoilt(lambda: write_npz("data.npz", image_arrays()), lambda: truncate("data.npz"),
                                                   "data.dataset=numpy", "data.file=data.npz"), "data.npz: ", "expected an .npz"),
    bad("arrays_of_objects", 3, arrays(lambda: {"y_train": npy("|O", (96,), bytes(96))}), "data.npz: y_train holds Python objects"),
    bad("fewer_labels_than_images", 3, arrays(lambda: {"y_train": npy("|u1", (95,), bytes(95))}),
        "data.npz: y_train has 95 targets, expected 96 as x_train has samples"),
    bad("one_hot_labels", 3, arrays(lambda: {"y_train": npy("|u1", (96, 2), bytes(192))}), "data.npz: y_train has shape (96, 2)",
        "numpy.argmax"),
    # The data's configuration: exit code 2.
    bad("numpy_without_a_file", 2, setting("data.dataset=numpy"), "data.file is not set", "expected an .npz file"),
    bad("array_that_is_not_there", 2, arrays(nothing, "data.features=pictures", "data.target=y_train"),
        'data.features is "pictures"', "expected one of the arrays of data.npz", "x_train (96, 5, 6, 3)"),
    bad("image_of_another_size", 2, arrays(nothing, "data.image=[3,32,32]"), "data.image = [3, 32, 32]", "(96, 5, 6, 3)"),
    bad("images_without_a_folder", 2, setting("data.dataset=images"), "data.dir is not set", "expected a folder"),
    bad("two_test_sets_of_images", 2, photos(lambda: None, "data.test_fraction=0.5"), "data.test_fraction is 0.5",
        "photos/test is there", "expected one of them at most"),
    bad("coarse_digits", 2, setting("data.dataset=mnist", "data.label_mode=coarse"), "--set: data.label_mode has no effect",
        'expected data.dataset = "cifar100"'),
]
