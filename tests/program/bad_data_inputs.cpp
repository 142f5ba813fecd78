// What can be wrong with data sets other than CIFAR-10's.
#include "bad_inputs.h"
#include "files.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;

// Trains on points of the plane, with these settings.
auto planar(const Words& settings) {
  return [settings](const fs::path& folder) {
    write_planar_config(folder);
    Words more;
    for (const std::string& setting : settings) more.insert(more.end(), {"--set", setting});
    return quiet_training(more);
  };
}

// Trains on a CSV file with this text.
auto csv(const std::string& text, const Words& settings = {}) {
  return [=](const fs::path& folder) {
    write_text(folder / "data.csv", text);
    Words more = {"--set", "data.dataset=csv",        "--set", "data.file=data.csv",
                  "--set", "model.loss=cross_entropy"};
    for (const std::string& setting : settings) more.insert(more.end(), {"--set", setting});
    write_text(folder / "run.toml", "seed = 1\n");
    return quiet_training(more);
  };
}

}  // namespace

std::vector<BadInput> bad_data_inputs() {
  constexpr Seen kAll = Seen::kByAll;
  return {
      // CSV files: exit code 3.
      {"CsvWithATextCell",
       3,
       kAll,
       csv("1,2,0\n3,x,1\n"),
       {"data.csv:2: column 2 is \"x\"", "expected a finite number"}},
      {"CsvWithATextCellInANamedColumn",
       3,
       kAll,
       csv("a,\"b, c\",kind\n1,2,0\n\n3,x,1\n"),
       {"data.csv:4: column \"b, c\" is \"x\"", "expected a finite number"}},
      {"CsvWithAnEmptyCell",
       3,
       kAll,
       csv("1,2,0\n3,,1\n"),
       {"data.csv:2: column 2 is \"\"", "expected a finite number"}},
      {"CsvWithInfinity",
       3,
       kAll,
       csv("1,inf,0\n3,1,1\n"),
       {"data.csv:1: column 2 is \"inf\"", "expected a finite number"}},
      {"CsvWithARaggedRow", 3, kAll, csv("1,2,0\n3,1\n"), {"data.csv:2: has 2 cells", "expected 3"}},
      {"CsvThatIsEmpty", 3, kAll, csv(""), {"data.csv: is empty", "expected rows of numbers"}},
      {"CsvOfAHeaderAlone", 3, kAll, csv("a,b,kind\n"), {"data.csv: has a header and no rows"}},
      {"CsvOfASingleColumn", 3, kAll, csv("1\n2\n"), {"data.csv: has a single column", "expected"}},
      {"CsvOfOneClass",
       3,
       kAll,
       csv("1,2,7\n3,4,7\n"),
       {"data.csv: column 3 has 1 class", "expected 2 to 1000"}},
      {"CsvOfClassesThatAreNotWhole",
       3,
       kAll,
       csv("1,2,0.5\n3,4,1\n"),
       {"data.csv:1: column 3 is \"0.5\"", "expected a class", "data.task = \"regression\""}},
      {"CsvOfNamesAndNumbersForClasses",
       3,
       kAll,
       csv("1,2,oak\n3,4,1\n"),
       {"data.csv:2: column 3 is \"1\"", "expected a name"}},
      {"CsvWithALoneQuotationMark",
       3,
       kAll,
       csv("1,2,0\n3,\"4,1\n"),
       {"data.csv:2: not CSV", "quotation mark"}},
      {"CsvOfRegressionWithATextTarget",
       3,
       kAll,
       csv("1,2,3\n3,4,oak\n", {"data.task=regression", "model.loss=mse"}),
       {"data.csv:2: column 3 is \"oak\"", "expected a finite number"}},
      // Training that cannot go on: the exit code of its configuration.
      {"CsvOfRegressionWithTargetsOfBillions",
       2,
       kAll,
       csv("1,2e9\n2,1e9\n3,-3e9\n4,0\n",
           {"data.task=regression", "model.loss=mse", "data.shards=4", "train.batch_size=4"}),
       {"training cannot begin: a sample's loss is too large to be summed", "expected losses below 1.1e+12",
        "targets reach 3e+09, expected of order 1: scale them"}},
      {"CsvOfRegressionWithTargetsOfThousands",
       2,
       kAll,
       csv("1,2e3\n2,1e3\n3,-3e3\n4,0\n",
           {"data.task=regression", "model.loss=mse", "data.shards=4", "train.batch_size=4",
            "model.activation=relu", "train.learning_rate=1"}),
       {"training diverged at step 2 ", "expected finite numbers; targets reach 3e+03, expected of order 1"}},
      {"CsvOfRegressionWithFeaturesOfBillions",
       2,
       kAll,
       csv("1e12,2\n2e12,1\n-3e12,3\n4e12,0\n", {"data.task=regression", "model.loss=mse", "data.shards=4",
                                                 "train.batch_size=4", "model.activation=relu"}),
       {"training cannot begin: a sample's loss is too large to be summed", "with outputs up to",
        "scale the features (data.normalize) or the initial weights (model.init)"}},
      {"CsvWithAHeaderOfYears",
       3,
       kAll,
       csv("2019,2020,label\n1,2,yes\n3,4,no\n5,6,yes\n"),
       {"data.csv:1: the first row is \"2019,2020,label\", and no other is like it", "data.header = \"yes\"",
        "data.header = \"no\""}},
      {"CsvWithAMissingCell",
       3,
       kAll,
       csv("a,b,kind\n1,2,0\n3,NA,1\n"),
       {"data.csv:3: column \"b\" is \"NA\"", "data.missing = \"mean\" or \"drop\""}},
      {"CsvWithACategoryToTestOnAlone",
       3,
       kAll,
       [](const fs::path& folder) {
         write_text(folder / "test.csv", "a,kind\nred,0\ngreen,1\n");
         return csv("a,kind\nred,0\nblue,1\nred,1\n", {"data.test_file=test.csv"})(folder);
       },
       {"test.csv:3: column \"a\" is \"green\"", "expected a category of the training samples: blue, red"}},
      {"CsvWithoutAColumnToIgnore",
       2,
       kAll,
       csv("a,b,kind\n1,2,0\n3,4,1\n", {"data.ignore=id"}),
       {"data.ignore has \"id\"", "expected columns of data.csv: a, b, kind, or 1 to 3"}},
      {"CsvOfClassesWithAScaleOfValues",
       2,
       kAll,
       csv("a,kind\n1,0\n3,1\n", {"data.target_scale=mean_std"}),
       {"data.target_scale is set", "expected data.task = \"regression\""}},
      {"StratifiedWithoutATestSet",
       2,
       kAll,
       csv("a,kind\n1,0\n3,1\n", {"data.stratify=true"}),
       {"data.stratify is true", "expected data.test_fraction or data.folds with it"}},
      {"CsvThatIsMissing",
       3,
       kAll,
       csv("", {"data.file=nowhere.csv"}),
       {"nowhere.csv: cannot be read", "No such file"}},
      {"CsvThatIsAFolder", 3, kAll, csv("", {"data.file=."}), {".: cannot be read", "directory"}},
      {"CsvTestFileWithAClassOfItsOwn",
       3,
       kAll,
       [](const fs::path& folder) {
         write_text(folder / "test.csv", "1,2,0\n1,2,5\n");
         return csv("1,2,0\n3,4,1\n", {"data.test_file=test.csv"})(folder);
       },
       {"test.csv:2: column 3 is \"5\"", "expected one of the classes 0, 1"}},
      {"CsvTestFileOfOtherColumns",
       3,
       kAll,
       [](const fs::path& folder) {
         write_text(folder / "test.csv", "1,0\n");
         return csv("1,2,0\n3,4,1\n", {"data.test_file=test.csv"})(folder);
       },
       {"test.csv: has 2 columns", "expected 3 as in data.csv"}},
      // The data's configuration: exit code 2.
      {"CsvWithoutAFile", 2, kAll, csv("", {"data.file="}), {"data.file is not set", "expected a CSV file"}},
      {"CsvWithoutTheTargetColumn",
       2,
       kAll,
       csv("a,b\n1,0\n2,1\n", {"data.target=colour"}),
       {"data.target is \"colour\"", "expected a column of data.csv: a, b, or 1 to 2"}},
      {"CsvOfTwoTestSets",
       2,
       kAll,
       csv("1,2,0\n3,4,1\n", {"data.test_file=data.csv", "data.test_fraction=0.5"}),
       {"data.test_file and data.test_fraction are both set", "expected one"}},
      {"CsvWithAKeyOfAnotherDataSet",
       2,
       kAll,
       csv("1,2,0\n", {"data.noise=0.1"}),
       {"--set: data.noise has no effect where data.dataset is \"csv\"", "expected data.dataset"}},
      {"MisspeltDataSet",
       2,
       kAll,
       planar({"data.dataset=cirle"}),
       {"--set: data.dataset is 'cirle'", "expected one of cifar10, synthetic, csv, circle", "function"}},
      {"MisspeltFunction",
       2,
       kAll,
       planar({"data.dataset=function", "data.function=cosine"}),
       {"--set: data.function is 'cosine'", "expected one of sine, kink"}},
      {"OnePoint",
       2,
       kAll,
       planar({"data.n=1"}),
       {"--set: data.n is 1", "expected an integer of at least 2"}},
      {"AllSamplesForTesting",
       2,
       kAll,
       planar({"data.test_fraction=1"}),
       {"--set: data.test_fraction is 1", "expected a number from 0 up to, not including, 1"}},
      {"NearlyAllSamplesForTesting",
       2,
       kAll,
       planar({"data.test_fraction=0.999"}),
       {"data.test_fraction is 0.999", "expected it to leave some of 60 samples to train on"}},
      {"MoreFoldsThanSamples",
       2,
       kAll,
       planar({"data.folds=37"}),
       {"data.folds is 37", "expected 2 to 36, the number of training samples"}},
      {"OneFold", 2, kAll, planar({"data.folds=1"}), {"data.folds is 1", "expected 2 to 36"}},
      {"FoldBeyondTheLast",
       2,
       kAll,
       planar({"data.folds=3", "data.fold=3"}),
       {"data.fold is 3", "expected 0 to 2 with data.folds = 3"}},
      {"RegressionWithALossOfClasses",
       2,
       kAll,
       planar({"data.dataset=function"}),
       {"model.loss is \"cross_entropy\"", "expected \"mse\" or \"half_mse\" for targets that are values"}},
      {"RegressionWithTwoOutputs",
       2,
       kAll,
       planar({"data.dataset=function", "model.loss=mse", "model.outputs=2"}),
       {"model.outputs is 2", "expected 1"}},
  };
}

}  // namespace lockstep::program
