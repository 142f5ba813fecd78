// What can be wrong with a sweep, and with the options of gradcheck and eval.
#include "bad_inputs.h"
#include "files.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;

// Sweeps over run.toml, points of the plane; the text begins on line 2.
auto sweep(const std::string& text, const Words& more = {}) {
  return [=](const fs::path& folder) {
    write_planar_config(folder);
    write_text(folder / "sweep.toml", "config = \"run.toml\"\n" + text);
    Words words = {"sweep", "sweep.toml", "--out", "out"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
}

// With a file sweep.toml of this text.
auto sweep_file(const std::string& text) {
  return [text](const fs::path& folder) {
    write_text(folder / "sweep.toml", text);
    return Words{"sweep", "sweep.toml", "--out", "out"};
  };
}

auto words(const Words& all) {
  return [all](const fs::path&) { return all; };
}

const std::string kParameters = "[parameters]\n\"train.l2\" = [0.1]\n";

}  // namespace

std::vector<BadInput> bad_sweep_inputs() {
  constexpr Seen kAll = Seen::kByAll;
  return {
      {"SweepThatIsMissing",
       2,
       kAll,
       words({"sweep", "nowhere.toml"}),
       {"nowhere.toml: cannot be read", "No such file"}},
      {"SweepThatIsNoToml", 2, kAll, sweep_file("config = \"run.toml\"\n[set\n"), {"sweep.toml:2: not TOML"}},
      {"SweepWithoutAConfiguration",
       2,
       kAll,
       sweep_file(kParameters),
       {"sweep.toml: config is not set", "expected a configuration's file"}},
      {"SweepOfAConfigurationThatIsMissing",
       2,
       kAll,
       sweep_file("config = \"gone/run.toml\"\n" + kParameters),
       {"gone/run.toml: cannot be read", "No such file"}},
      {"SweepOfAConfigurationThatIsWrong",
       2,
       kAll,
       [](const fs::path& folder) {
         write_text(folder / "wrong.toml", "seed = 1\n[train]\nepochs = 0\n");
         return sweep_file("config = \"wrong.toml\"\n" + kParameters)(folder);
       },
       {"sweep.toml: no trial can run: wrong.toml:3: train.epochs is 0",
        "expected an integer of at least 1"}},
      {"SweepWithAnUnknownKey",
       2,
       kAll,
       sweep("scores = \"test_loss\"\n" + kParameters),
       {"sweep.toml:2: unknown key scores", "did you mean score?"}},
      {"SweepWithAnUnknownSection",
       2,
       kAll,
       sweep(kParameters + "[fixed]\n\"train.epochs\" = 3\n"),
       {"sweep.toml:5: unknown key fixed.train.epochs", "expected one of config, search, score"}},
      {"SweepOfAnUnknownSearch",
       2,
       kAll,
       sweep("search = \"bayes\"\n" + kParameters),
       {"sweep.toml:2: search is 'bayes'", "expected one of grid, random"}},
      {"SweepForAnUnknownScore",
       2,
       kAll,
       sweep("score = \"accuracy\"\n" + kParameters),
       {"sweep.toml:2: score is 'accuracy'", "expected one of test_accuracy, test_loss"}},
      {"SweepOfAnUnknownSetting",
       2,
       kAll,
       sweep("[parameters]\n\"train.l3\" = [0.1]\n"),
       {"sweep.toml: no trial can run: sweep.toml:3: unknown key train.l3", "did you mean train.l2?"}},
      {"SweepThatSetsAnUnknownSetting",
       2,
       kAll,
       sweep("[set]\n\"train.l3\" = 1\n" + kParameters),
       {"sweep.toml: no trial can run: sweep.toml:3: unknown key train.l3", "did you mean train.l2?"}},
      {"SweepOfValuesThatAreAllRefused",
       2,
       kAll,
       sweep("[parameters]\n\"train.momentum\" = [1.0, 2.0]\n"),
       {"sweep.toml: no trial can run: sweep.toml:3: train.momentum is 1", "expected a number from 0"}},
      {"SweepOfALayersValuesThatAreAllRefused",
       2,
       kAll,
       [](const fs::path& folder) {
         const Words words = sweep("[parameters]\n\"model.layers.0.units\" = [-1]\n")(folder);
         write_planar_config(folder, "[[model.layers]]\ntype = \"dense\"\n");
         return words;
       },
       {"sweep.toml: no trial can run: sweep.toml:3: model.layers[0].units is -1", "expected an integer"}},
      {"SweepOfDataThatAreMissing",
       3,
       kAll,
       [](const fs::path& folder) {
         write_text(folder / "csv.toml", "[data]\ndataset = \"csv\"\n");
         return sweep_file("config = \"csv.toml\"\n[parameters]\n\"data.file\" = [\"gone.csv\"]\n")(folder);
       },
       {"sweep.toml: no trial can run: gone.csv: cannot be read", "No such file"}},
      {"SweepWithASeedTwice",
       2,
       kAll,
       sweep("seeds = [0, 3, 0]\n" + kParameters),
       {"sweep.toml:2: seeds has 0 twice", "expected different ones"}},
      {"SweepWithANegativeSeed",
       2,
       kAll,
       sweep("seeds = [-1]\n" + kParameters),
       {"sweep.toml:2: seeds is [ -1 ]", "expected a list of integers of at least 0"}},
      {"SweepOfNothing",
       2,
       kAll,
       sweep("[parameters]\n"),
       {"sweep.toml: [parameters] is empty", "expected keys to vary"}},
      {"SweepOfAnEmptyList",
       2,
       kAll,
       sweep("[parameters]\n\"train.l2\" = []\n"),
       {"sweep.toml:3: parameters.train.l2 is []", "expected a list of values"}},
      {"SweepOfASingleValue",
       2,
       kAll,
       sweep("[parameters]\n\"train.l2\" = 0.1\n"),
       {"sweep.toml:3: parameters.train.l2 is 0.1", "expected a list of values"}},
      {"SweepOfARangeInAGrid",
       2,
       kAll,
       sweep("[parameters]\n\"train.l2\" = { uniform = [0.0, 0.1] }\n"),
       {"sweep.toml:3: parameters.train.l2 is a range", "expected a list of values in a grid search"}},
      {"SweepOfARangeThatIsBackToFront",
       2,
       kAll,
       sweep("search = \"random\"\n[parameters]\n\"train.l2\" = { uniform = [0.2, 0.1] }\n"),
       {"sweep.toml:4: parameters.train.l2 is { uniform = [0.2, 0.1] }", "expected LOW below HIGH"}},
      {"SweepOfARangeOfThree",
       2,
       kAll,
       sweep("search = \"random\"\n[parameters]\n\"train.l2\" = { uniform = [0.2, 0.1, 0.3] }\n"),
       {"sweep.toml:4: parameters.train.l2 is { uniform", "expected a pair of numbers [LOW, HIGH]"}},
      {"SweepOfALogarithmicRangeFromZero",
       2,
       kAll,
       sweep("search = \"random\"\n[parameters]\n\"train.l2\" = { log_uniform = [0, 0.1] }\n"),
       {"sweep.toml:4: parameters.train.l2 is { log_uniform = [0, 0.1] }", "expected LOW above 0"}},
      {"SweepOfAnIntegerRangeOfFractions",
       2,
       kAll,
       sweep("search = \"random\"\n[parameters]\n\"train.epochs\" = { integer = [1.5, 3] }\n"),
       {"sweep.toml:4: parameters.train.epochs is { integer = [1.5, 3] }", "expected integers"}},
      {"SweepOfNoTrials",
       2,
       kAll,
       sweep("search = \"random\"\ntrials = 0\n" + kParameters),
       {"sweep.toml:3: trials is 0", "expected an integer of at least 1"}},
      {"SweepOfTooManyTrials",
       2,
       kAll,
       sweep("search = \"random\"\ntrials = 100001\n" + kParameters),
       {"sweep.toml: there are 100001 trials", "expected at most 100000"}},
      {"SweepOfThreads",
       2,
       kAll,
       sweep("[parameters]\n\"compute.threads\" = [1, 2]\n"),
       {"sweep.toml:3: parameters.compute.threads cannot be searched",
        "expected a key that is part of the experiment"}},
      {"SweepThatSetsThreads",
       2,
       kAll,
       sweep("[set]\n\"compute.threads\" = 1\n" + kParameters),
       {"sweep.toml:3: set.compute.threads cannot be searched"}},
      {"SweepOfFoldsByHand",
       2,
       kAll,
       sweep("[parameters]\n\"data.fold\" = [0, 1]\n"),
       {"sweep.toml:3: parameters.data.fold cannot be searched", "folds = K cross-validates"}},
      {"SweepOfOneFold",
       2,
       kAll,
       sweep("folds = 1\n" + kParameters),
       {"sweep.toml:2: folds is 1", "expected at least 2"}},
      {"SweepWithMoreRanksPerTrialThanRanks",
       2,
       kAll,
       sweep(kParameters, {"--ranks-per-trial", "4"}),
       {"--ranks-per-trial is 4", "expected at most", "the number of ranks"}},
      {"SweepWithNoRanksPerTrial",
       2,
       kAll,
       sweep(kParameters, {"--ranks-per-trial", "0"}),
       {"--ranks-per-trial", "0", "--help"}},
      {"SweepWithASetting", 2, kAll, sweep(kParameters, {"--set", "train.epochs=2"}), {"--set", "--help"}},
      {"GradientCheckOfNoSamples",
       2,
       kAll,
       words({"gradcheck", "run.toml", "--samples", "0"}),
       {"--samples", "0", "--help"}},
      {"GradientCheckWithANegativeTolerance",
       2,
       kAll,
       words({"gradcheck", "run.toml", "--tolerance", "-1"}),
       {"--tolerance", "-1", "--help"}},
      {"GradientCheckOfAConfigurationThatIsMissing",
       2,
       kAll,
       words({"gradcheck", "nowhere.toml"}),
       {"nowhere.toml: cannot be read", "No such file"}},
      {"EvaluationWithNothingToWrite",
       2,
       kAll,
       words({"eval", "run.toml", "--out", "tables"}),
       {"--out tables: there is nothing to write",
        "expected --grid, --confusion, --predictions, --predictions-of or --weights"}},
      {"EvaluationOfARunThatIsMissing",
       2,
       kAll,
       words({"eval", "nowhere", "--grid"}),
       {"nowhere: cannot be read", "No such file"}},
  };
}

}  // namespace lockstep::program
