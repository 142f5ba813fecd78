"""What can be wrong with data sets other than CIFAR-10's."""

from harness.files import write

from . import bad, planar, setting

REGRESSION = ("data.task=regression", "model.loss=mse")
IN_FOURS = ("data.shards=4", "train.batch_size=4")


def csv(text, *keys, test=None):
    """Trains on a CSV file of this text, with these settings; `test` is the text of test.csv."""

    def arrange():
        write("data.csv", text)
        write("run.toml", "seed = 1\n")
        if test is not None:
            write("test.csv", test)
        return setting("data.dataset=csv", "data.file=data.csv", "model.loss=cross_entropy", *keys)()

    return arrange


IMAGES = ("data.dataset=synthetic", "data.train_samples=64", "data.test_samples=8")

MISTAKES = [
    # Training images that are changed: exit code 2.
    bad("augmentation_of_points", 2, planar("data.augment.flip=random"), "--set: data.augment.flip has no effect here",
        "expected images", "data.image"),
    bad("augmentation_of_a_table", 2, csv("1,2,0\n3,4,1\n", "data.augment.cutout=1"),
        "--set: data.augment.cutout has no effect here", "data.image"),
    bad("padding_of_no_shift", 2, setting(*IMAGES, "data.augment.shift_padding=zero"),
        "data.augment.shift_padding has no effect here", "expected data.augment.shift above 0"),
    bad("shift_of_a_whole_image", 2, setting(*IMAGES, "data.augment.shift=32"), "data.augment.shift is 32",
        "expected at most 31 pixels with images of 32 x 32"),
    bad("shift_of_a_whole_image_of_a_table", 2,
        csv("1,2,3,4,5,6,0\n3,4,3,4,7,8,1\n", "data.image=[1,2,3]", "data.augment.shift=2"), "data.augment.shift is 2",
        "expected at most 1 pixels with images of 2 x 3"),
    bad("shift_of_billions", 2, setting(*IMAGES, "data.augment.shift=9223372036854775807"),
        "data.augment.shift is 9223372036854775807", "expected at most 31"),
    bad("cutout_larger_than_the_image", 2, setting(*IMAGES, "data.augment.cutout=33"), "data.augment.cutout is 33",
        "expected at most 32 pixels"),
    bad("flip_of_another_kind", 2, setting(*IMAGES, "data.augment.flip=vertical"), "data.augment.flip is 'vertical'",
        "expected one of none, random, alternate"),
    # Evaluation: exit code 2.
    bad("views_of_points", 2, planar("eval.views=flip"), "--set: eval.views has no effect here", "expected images"),
    bad("views_of_another_kind", 2, setting(*IMAGES, "eval.views=both"), "eval.views is 'both'",
        "expected one of one, flip, shifts"),
    bad("shifts_of_a_single_row", 2,
        csv("1,2,3,4,5,6,0\n3,4,3,4,7,8,1\n", "data.image=[2,1,3]", "eval.views=shifts"), 'eval.views is "shifts"',
        "expected images of at least 2 x 2 pixels"),
    bad("evaluation_after_no_epoch", 2, setting(*IMAGES, "eval.every_epochs=0"), "eval.every_epochs is 0",
        "expected an integer of at least 1"),
    # CSV files: exit code 3.
    bad("csv_with_a_text_cell", 3, csv("1,2,0\n3,x,1\n"), 'data.csv:2: column 2 is "x"', "expected a finite number"),
    bad("csv_with_a_text_cell_in_a_named_column", 3, csv('a,"b, c",kind\n1,2,0\n\n3,x,1\n'), 'data.csv:4: column "b, c" is "x"',
        "expected a finite number"),
    bad("csv_with_an_empty_cell", 3, csv("1,2,0\n3,,1\n"), 'data.csv:2: column 2 is ""', "expected a finite number"),
    bad("csv_with_infinity", 3, csv("1,inf,0\n3,1,1\n"), 'data.csv:1: column 2 is "inf"', "expected a finite number"),
    bad("csv_with_a_ragged_row", 3, csv("1,2,0\n3,1\n"), "data.csv:2: has 2 cells", "expected 3"),
    bad("csv_that_is_empty", 3, csv(""), "data.csv: is empty", "expected rows of numbers"),
    bad("csv_of_a_header_alone", 3, csv("a,b,kind\n"), "data.csv: has a header and no rows"),
    bad("csv_of_a_single_column", 3, csv("1\n2\n"), "data.csv: has a single column", "expected"),
    bad("csv_of_one_class", 3, csv("1,2,7\n3,4,7\n"), "data.csv: column 3 has 1 class", "expected 2 to 1000"),
    bad("csv_of_classes_that_are_not_whole", 3, csv("1,2,0.5\n3,4,1\n"), 'data.csv:1: column 3 is "0.5"', "expected a class",
        'data.task = "regression"'),
    bad("csv_of_names_and_numbers_for_classes", 3, csv("1,2,oak\n3,4,1\n"), 'data.csv:2: column 3 is "1"', "expected a name"),
    bad("csv_with_a_lone_quotation_mark", 3, csv('1,2,0\n3,"4,1\n'), "data.csv:2: not CSV", "quotation mark"),
    bad("csv_of_regression_with_a_text_target", 3, csv("1,2,3\n3,4,oak\n", *REGRESSION), 'data.csv:2: column 3 is "oak"',
        "expected a finite number"),
    # Training that cannot go on: the exit code of its configuration.
    bad("csv_of_regression_with_targets_of_billions", 2, csv("1,2e9\n2,1e9\n3,-3e9\n4,0\n", *REGRESSION, *IN_FOURS),
        "training cannot begin: a sample's loss is too large to be summed", "expected losses below 1.1e+12",
        "targets reach 3e+09, expected of order 1: scale them"),
    bad("csv_of_regression_with_targets_of_thousands", 2,
        csv("1,2e3\n2,1e3\n3,-3e3\n4,0\n", *REGRESSION, *IN_FOURS, "model.activation=relu", "train.learning_rate=1"),
        "training diverged at step 2 ", "expected finite numbers; targets reach 3e+03, expected of order 1"),
    bad("csv_of_regression_with_features_of_billions", 2,
        csv("1e12,2\n2e12,1\n-3e12,3\n4e12,0\n", *REGRESSION, *IN_FOURS, "model.activation=relu"),
        "training cannot begin: a sample's loss is too large to be summed", "with outputs up to",
        "scale the features (data.normalize) or the initial weights (model.init)"),
    bad("csv_with_a_header_of_years", 3, csv("2019,2020,label\n1,2,yes\n3,4,no\n5,6,yes\n"),
        'data.csv:1: the first row is "2019,2020,label", and no other is like it', 'data.header = "yes"', 'data.header = "no"'),
    bad("csv_with_a_missing_cell", 3, csv("a,b,kind\n1,2,0\n3,NA,1\n"), 'data.csv:3: column "b" is "NA"',
        'data.missing = "mean" or "drop"'),
    bad("csv_with_a_category_to_test_on_alone", 3,
        csv("a,kind\nred,0\nblue,1\nred,1\n", "data.test_file=test.csv", test="a,kind\nred,0\ngreen,1\n"),
        'test.csv:3: column "a" is "green"', "expected a category of the training samples: blue, red"),
    bad("csv_without_a_column_to_ignore", 2, csv("a,b,kind\n1,2,0\n3,4,1\n", "data.ignore=id"), 'data.ignore has "id"',
        "expected columns of data.csv: a, b, kind, or 1 to 3"),
    bad("csv_of_classes_with_a_scale_of_values", 2, csv("a,kind\n1,0\n3,1\n", "data.target_scale=mean_std"),
        "data.target_scale is set", 'expected data.task = "regression"'),
    bad("stratified_without_a_test_set", 2, csv("a,kind\n1,0\n3,1\n", "data.stratify=true"), "data.stratify is true",
        "expected data.test_fraction or data.folds with it"),
    bad("csv_that_is_missing", 3, csv("", "data.file=nowhere.csv"), "nowhere.csv: cannot be read", "No such file"),
    bad("csv_that_is_a_folder", 3, csv("", "data.file=."), ".: cannot be read", "directory"),
    bad("csv_test_file_with_a_class_of_its_own", 3, csv("1,2,0\n3,4,1\n", "data.test_file=test.csv", test="1,2,0\n1,2,5\n"),
        'test.csv:2: column 3 is "5"', "expected one of the classes 0, 1"),
    bad("csv_test_file_of_other_columns", 3, csv("1,2,0\n3,4,1\n", "data.test_file=test.csv", test="1,0\n"),
        "test.csv: has 2 columns", "expected 3 as in data.csv"),
    # The data's configuration: exit code 2.
    bad("csv_without_a_file", 2, csv("", "data.file="), "data.file is not set", "expected a CSV file"),
    bad("csv_without_the_target_column", 2, csv("a,b\n1,0\n2,1\n", "data.target=colour"), 'data.target is "colour"',
        "expected a column of data.csv: a, b, or 1 to 2"),
    bad("csv_of_two_test_sets", 2, csv("1,2,0\n3,4,1\n", "data.test_file=data.csv", "data.test_fraction=0.5"),
        "data.test_file and data.test_fraction are both set", "expected one", "data.test_fraction = 0 leaves the test file"),
    bad("csv_with_a_key_of_another_data_set", 2, csv("1,2,0\n", "data.noise=0.1"),
        '--set: data.noise has no effect where data.dataset is "csv"', "expected data.dataset"),
    bad("misspelt_data_set", 2, planar("data.dataset=cirle"), "--set: data.dataset is 'cirle'",
        "expected one of cifar10, synthetic, csv, circle", "function"),
    bad("misspelt_function", 2, planar("data.dataset=function", "data.function=cosine"), "--set: data.function is 'cosine'",
        "expected one of sine, kink"),
    bad("one_point", 2, planar("data.n=1"), "--set: data.n is 1", "expected an integer of at least 2"),
    bad("all_samples_for_testing", 2, planar("data.test_fraction=1"), "--set: data.test_fraction is 1",
        "expected a number from 0 up to, not including, 1"),
    bad("nearly_all_samples_for_testing", 2, planar("data.test_fraction=0.999"), "data.test_fraction is 0.999",
        "expected it to leave some of 60 samples to train on"),
    bad("more_folds_than_samples", 2, planar("data.folds=37"), "data.folds is 37",
        "expected 2 to 36, the number of training samples"),
    bad("one_fold", 2, planar("data.folds=1"), "data.folds is 1", "expected 2 to 36"),
    bad("fold_beyond_the_last", 2, planar("data.folds=3", "data.fold=3"), "data.fold is 3",
        "expected 0 to 2 with data.folds = 3"),
    bad("regression_with_a_loss_of_classes", 2, planar("data.dataset=function"), 'model.loss is "cross_entropy"',
        'expected "mse" or "half_mse" for targets that are values'),
    bad("regression_with_two_outputs", 2, planar("data.dataset=function", "model.loss=mse", "model.outputs=2"),
        "model.outputs is 2", "expected 1"),
]
