// lockstep sweep: which trials there are, and what their scores are.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sweeps.h"

namespace lockstep::program {
namespace {

class Search : public SweepTest {
 protected:
  // Ten random trials with this seed, in the order of their numbers.
  Table draw(int seed, const std::string& out) {
    write_sweep("search = \"random\"\ntrials = 10\nseed = " + std::to_string(seed) + R"(
[set]
"train.epochs" = 1
[parameters]
"train.l2" = { log_uniform = [1e-5, 1e-1] }
"train.learning_rate" = { uniform = [0.01, 0.2] }
"data.seed" = { integer = [3, 6] }
"model.activation" = ["tanh", "relu"]
)");
    return by_number(trials_of(kOneProcess, out));
  }
};

TEST_F(Search, OfAGridTriesEveryCombinationTheLastKeyChangingFastest) {
  write_sweep(R"([parameters]
"model.hidden" = [[4], [3, 3]]
"train.learning_rate" = [0.1, 0.05, 0.2]
)");
  const Table trials = by_number(trials_of(kOneProcess));
  EXPECT_EQ(trials.header,
            "trial,status,score_name,score,score_std,runs,model.hidden,train.learning_rate,seconds,error");
  ASSERT_EQ(trials.rows.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    const auto& row = trials.rows[i];
    EXPECT_EQ(row.at("trial"), std::to_string(i + 1));
    EXPECT_EQ(row.at("model.hidden"), i < 3 ? "[4]" : "[3, 3]");
    EXPECT_EQ(row.at("train.learning_rate"), (std::vector{"0.1", "0.05", "0.2"}[i % 3]));
    EXPECT_EQ(row.at("status"), "ok");
    EXPECT_EQ(row.at("runs"), "1");
    EXPECT_EQ(row.at("score_name"), "test_accuracy");
    EXPECT_EQ(row.at("score_std"), "0");
    EXPECT_NEAR(trials.number(i, "score"),
                trained("test_accuracy", {"model.hidden=" + row.at("model.hidden"),
                                          "train.learning_rate=" + row.at("train.learning_rate")}),
                1e-8);
  }
}

TEST_F(Search, SortsTheBestScoreToTheTop) {
  const std::string parameters = "[parameters]\n\"train.epochs\" = [1, 2, 30, 3]\n";
  for (const std::string score : {"test_accuracy", "train_loss"}) {
    write_sweep("score = \"" + score + "\"\n" + parameters);
    const Table trials = trials_of(kOneProcess, score);
    for (std::size_t i = 1; i < trials.rows.size(); ++i) {
      const double before = trials.number(i - 1, "score"), here = trials.number(i, "score");
      EXPECT_TRUE(score == "train_loss" ? before < here : before >= here) << score;
    }
    EXPECT_NE(trials.rows[0].at("trial"), "1");
  }
}

TEST_F(Search, AtRandomDrawsTheSameTrialsForASeed) {
  const Table first = draw(1, "first"), again = draw(1, "again"), other = draw(2, "other");
  ASSERT_EQ(first.rows.size(), 10U);
  EXPECT_EQ(timeless(first), timeless(again));
  std::set<std::string> rates;
  for (const Table& table : {first, other})
    for (const auto& row : table.rows) rates.insert(row.at("train.learning_rate"));
  EXPECT_EQ(rates.size(), 20U);  // no trial of one is in the other
}

TEST_F(Search, AtRandomStaysWithinRangesAndUsesThemWhole) {
  const Table trials = draw(5, "out");
  std::set<std::string> integers, names;
  int small = 0, large = 0;
  for (std::size_t i = 0; i < trials.rows.size(); ++i) {
    const double rate = trials.number(i, "train.learning_rate"), l2 = trials.number(i, "train.l2");
    EXPECT_GE(rate, 0.01);
    EXPECT_LE(rate, 0.2);
    EXPECT_GE(l2, 1e-5);
    EXPECT_LE(l2, 1e-1);
    (l2 < 1e-3 ? small : large) += 1;  // the middle of the exponents
    integers.insert(trials.rows[i].at("data.seed"));
    names.insert(trials.rows[i].at("model.activation"));
  }
  EXPECT_GE(small, 2);
  EXPECT_GE(large, 2);
  EXPECT_GE(integers.size(), 3U);
  for (const std::string& integer : integers) EXPECT_TRUE(integer >= "3" && integer <= "6") << integer;
  EXPECT_EQ(names, (std::set<std::string>{"relu", "tanh"}));
}

TEST_F(Search, ScoresTheMeanOverFoldsOfWhatTrainingGives) {
  write_sweep("folds = 3\nscore = \"test_loss\"\n[parameters]\n\"train.l2\" = [0.0, 0.1]\n");
  const Table trials = by_number(trials_of(kOneProcess));
  ASSERT_EQ(trials.rows.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    double sum = 0.0, squares = 0.0;
    for (const std::string fold : {"0", "1", "2"}) {
      const double loss = trained(
          "test_loss", {"train.l2=" + trials.rows[i].at("train.l2"), "data.folds=3", "data.fold=" + fold});
      sum += loss;
      squares += loss * loss;
    }
    EXPECT_EQ(trials.rows[i].at("runs"), "3");
    EXPECT_NEAR(trials.number(i, "score"), sum / 3, 1e-7);
    EXPECT_NEAR(trials.number(i, "score_std"), std::sqrt((squares - sum * sum / 3) / 2), 1e-5);
  }
}

TEST_F(Search, ScoresTheMeanOverSeeds) {
  write_sweep("seeds = [4, 9]\nscore = \"train_loss\"\n[parameters]\n\"train.l2\" = [0.0, 0.1]\n");
  const Table trials = by_number(trials_of(kOneProcess));
  ASSERT_EQ(trials.rows.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string l2 = "train.l2=" + trials.rows[i].at("train.l2");
    const double four = trained("train_loss", {l2, "seed=4"}), nine = trained("train_loss", {l2, "seed=9"});
    EXPECT_NE(four, nine);
    EXPECT_EQ(trials.rows[i].at("runs"), "2");
    EXPECT_NEAR(trials.number(i, "score"), (four + nine) / 2, 1e-7);
  }
}

TEST_F(Search, SetsValuesForAllTrialsAndNamesTheBestAsACommand) {
  write_sweep("[set]\n\"train.epochs\" = 2\n[parameters]\n\"train.learning_rate\" = [0.1]\n");
  const Outcome outcome = sweep(kOneProcess);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find(
                "best: " + program() +
                " train run.toml --set 'train.epochs=2' --set 'train.learning_rate=0.1' --out out/best\n"),
            std::string::npos)
      << outcome.out;
  EXPECT_NEAR(read_csv(folder_ / "out/trials.csv").number(0, "score"),
              trained("test_accuracy", {"train.epochs=2", "train.learning_rate=0.1"}), 1e-8);
}

// A file name with a space and an apostrophe, and column names that TOML takes for a number.
TEST_F(Search, NamesTheBestAsACommandThatAShellCanRun) {
  write_text(folder_ / "it's mine.csv", "7,b,3\n1,5,0\n2,6,1\n3,7,0\n4,8,1\n");
  write_text(
      folder_ / "run.toml",
      "[data]\ndataset = \"csv\"\nshards = 2\n[train]\nbatch_size = 4\nepochs = 1\n[compute]\nthreads = 1\n");
  write_sweep(R"(score = "train_loss"
[set]
"data.file" = "it's mine.csv"
"data.header" = "yes"
[parameters]
"data.target" = ["3"]
"model.activation" = ["relu"]
"model.hidden" = [[3]]
)");
  const Outcome outcome = sweep(kOneProcess);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string best = outcome.out.substr(outcome.out.find("best: ") + 6);
  EXPECT_NE(best.find("'model.activation=relu'"), std::string::npos) << best;
  const Outcome again =
      execute({"sh", "-c", best.substr(0, best.find('\n')) + " --quiet"}, in(folder_.path()));
  ASSERT_EQ(again.code, 0) << best << again.err;
  EXPECT_NEAR(read_csv(folder_ / "out/best/metrics.csv").number(0, "train_loss"),
              read_csv(folder_ / "out/trials.csv").number(0, "score"), 1e-7);
}

TEST_F(Search, TakesTheSeedZero) {
  write_sweep("seeds = [0]\nscore = \"train_loss\"\n[parameters]\n\"train.l2\" = [0.0]\n");
  EXPECT_NEAR(trials_of(kOneProcess).number(0, "score"), trained("train_loss", {"train.l2=0", "seed=0"}),
              1e-7);
}

TEST_F(Search, VariesTheLayersOfAList) {
  write_planar_config(folder_.path(),
                      "[[model.layers]]\nunits = 9\n[[model.layers]]\ntype = \"tanh\"\n"
                      "[[model.layers]]\ntype = \"dense\"\n");
  write_sweep(
      "score = \"train_loss\"\n[parameters]\n\"model.layers.0.units\" = [2, 7]\n"
      "\"model.layers.1.type\" = [\"relu\", \"elu\"]\n");
  const Table trials = by_number(trials_of(kOneProcess));
  ASSERT_EQ(trials.rows.size(), 4U);
  std::set<std::string> scores;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& row = trials.rows[i];
    EXPECT_NEAR(trials.number(i, "score"),
                trained("train_loss", {"model.layers.0.units=" + row.at("model.layers.0.units"),
                                       "model.layers.1.type=" + row.at("model.layers.1.type")}),
                1e-7);
    scores.insert(row.at("score"));
  }
  EXPECT_EQ(scores.size(), 4U);
}

}  // namespace
}  // namespace lockstep::program
