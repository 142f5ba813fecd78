// lockstep sweep: how runs end, what an interrupted sweep leaves to the next, and who does the work.
#include <gtest/gtest.h>

#include <fstream>

#include "sweeps.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;

const std::string kFourTrials = "[parameters]\n\"train.l2\" = [0.0, 0.1]\n\"train.epochs\" = [2, 3]\n";

class SweepRuns : public SweepTest {
 protected:
  // The runs that this output says were done before.
  static Words done_before(const Outcome& outcome) {
    Words names;
    std::istringstream text(outcome.out);
    for (std::string line; std::getline(text, line);)
      if (line.ends_with(": done before")) names.push_back(line.substr(0, line.find(':')));
    std::sort(names.begin(), names.end());
    return names;
  }
};
using ThreeRanksSweep = SweepRuns;

TEST_F(ThreeRanksSweep, AndOneAndTwoInGroupsOfAnySizeHaveTheSameTrials) {
  write_sweep("seeds = [1, 2]\n" + kFourTrials);
  const Table expected = trials_of(kOneProcess, "alone");
  ASSERT_EQ(expected.rows.size(), 4U);
  for (const auto& [ranks, group] : {std::pair(1, "1"), {2, "1"}, {2, "2"}, {3, "1"}, {3, "2"}, {3, "3"}}) {
    const std::string out = std::to_string(ranks) + "by" + group;
    EXPECT_EQ(timeless(trials_of(ranks, out, {"--ranks-per-trial", group})), timeless(expected)) << out;
  }
}

// One that diverges, one whose batch the 4 shards do not divide.
TEST_F(ThreeRanksSweep, ReportsTrialsThatFailAndGoesOn) {
  write_sweep("[parameters]\n\"train.learning_rate\" = [1e29, 0.1]\n\"train.batch_size\" = [8, 30]\n");
  for (const int ranks : {kOneProcess, 3}) {
    const Table trials = trials_of(ranks, std::to_string(ranks));
    ASSERT_EQ(trials.rows.size(), 4U);
    const Words order = {"2", "1", "3", "4"}, status = {"ok", "failed", "failed", "failed"};
    const std::string indivisible = "train.batch_size is 30, expected a multiple of data.shards";
    const Words errors = {"", "training diverged at step", indivisible, indivisible};
    for (std::size_t i = 0; i < 4; ++i) {
      const auto& row = trials.rows[i];
      EXPECT_EQ(row.at("trial"), order[i]);  // failures come last
      EXPECT_EQ(row.at("status"), status[i]);
      EXPECT_EQ(row.at("score") == "nan", i > 0);
      EXPECT_NE(row.at("error").find(errors[i]), std::string::npos) << row.at("error");
      EXPECT_EQ(row.at("error").empty(), i == 0);
    }
  }
}

TEST_F(ThreeRanksSweep, FailsWhereEveryTrialDoesAndKeepsTheTable) {
  write_sweep("[parameters]\n\"train.learning_rate\" = [1e28, 1e29]\n");
  for (const int ranks : {kOneProcess, 3}) {
    const std::string out = std::to_string(ranks);
    const Outcome outcome = sweep(ranks, out);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_TRUE(outcome.err.starts_with("lockstep: every trial failed, the first: training diverged"))
        << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
    EXPECT_EQ(read_csv(folder_ / (out + "/trials.csv")).rows.size(), 2U);
  }
}

// A sweep that would train everything in vain does not begin.
TEST_F(ThreeRanksSweep, DoesNotBeginWithoutHopeOfAScore) {
  const std::string parameters = "[parameters]\n\"train.l2\" = [0.0, 0.1]\n";
  const std::string values =
      "[set]\n\"data.dataset\" = \"function\"\n\"model.loss\" = \"mse\"\n" + parameters;
  for (const auto& [text, refusal] :
       {std::pair("folds = 37\n" + parameters,
                  "data.folds is 37, expected 2 to 36, the number of training samples"),
        {"[set]\n\"data.test_fraction\" = 0\n" + parameters,
         "score is \"test_accuracy\", which there will not be: circle has no test samples"},
        {"score = \"test_loss\"\n[set]\n\"data.test_fraction\" = 0\n" + parameters,
         "score is \"test_loss\", which there will not be: circle has no test samples"},
        {values,
         "score is \"test_accuracy\", which there will not be: the targets of function are values, not "
         "classes"},
        {"score = \"test_largest_error\"\n" + parameters,
         "score is \"test_largest_error\", which there will not be: the network has 2 outputs, not one"}}) {
    write_sweep(text);
    for (const int ranks : {kOneProcess, 3}) {
      const Outcome outcome = sweep(ranks);
      EXPECT_EQ(outcome.code, 2);
      EXPECT_EQ(outcome.err, std::string("lockstep: sweep.toml: no trial can run: ") + refusal + "\n");
      EXPECT_EQ(outcome.out, "");
      EXPECT_FALSE(fs::exists(folder_ / "out"));
    }
  }
}

TEST_F(SweepRuns, ThatCannotHaveTheScoreAreNotTrained) {
  write_sweep("score = \"test_loss\"\n[parameters]\n\"data.test_fraction\" = [0, 0.4]\n");
  const Outcome outcome = sweep(kOneProcess);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("0001: failed: score is \"test_loss\", which there will not be"),
            std::string::npos)
      << outcome.out;
  EXPECT_EQ(read_csv(folder_ / "out/trials.csv").rows.at(0).at("trial"), "2");
}

// The last trial is long: when two others are done, all ranks are killed.
TEST_F(ThreeRanksSweep, GoesOnWhereItWasKilled) {
  const std::string trials = "[parameters]\n\"train.epochs\" = [1, 2, 3, 6000]\n";
  write_sweep(trials);
  const Table expected = trials_of(kOneProcess, "expected");
  for (const int ranks : {kOneProcess, 3}) {
    const std::string out = std::to_string(ranks);
    write_text(folder_ / "rank", "#!/bin/sh\necho $$ >> pids\nexec \"$@\"\n");
    fs::permissions(folder_ / "rank", fs::perms::owner_all);
    fs::remove(folder_ / "pids");
    std::string command;
    if (ranks != kOneProcess) {
      for (const std::string& word : mpirun()) command += "'" + word + "' ";
      command += "-np " + std::to_string(ranks) + " ";
    }
    command += "./rank '" + program() + "' sweep sweep.toml --out " + out + " & ";
    command += "while ! [ -e " + out + "/runs/0001.json ] || ! [ -e " + out + "/runs/0002.json ] || ! [ -e " +
               out + "/trials.csv ]; do sleep 0.01; done; ";
    command += "kill -9 $(cat pids); wait";
    execute({"sh", "-c", command}, in(folder_.path(), 30));
    ASSERT_FALSE(fs::exists(folder_ / (out + "/runs/0004.json"))) << "killed too late to say anything";
    EXPECT_LT(read_csv(folder_ / (out + "/trials.csv")).rows.size(), 4U);
    Words done;
    for (const std::string name : {"0001", "0002", "0003"})
      if (fs::exists(folder_ / (out + "/runs/" + name + ".json"))) done.push_back(name);

    const Outcome outcome = sweep(ranks, out);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(done_before(outcome), done);
    EXPECT_EQ(timeless(read_csv(folder_ / (out + "/trials.csv"))), timeless(expected));
  }
}

TEST_F(SweepRuns, AreDoneOnce) {
  write_sweep("folds = 2\n" + kFourTrials);
  const Table first = trials_of(kOneProcess);
  const Outcome again = sweep(2);
  EXPECT_EQ(done_before(again).size(), 8U);
  EXPECT_EQ(read_csv(folder_ / "out/trials.csv").rows, first.rows);  // the times too
}

TEST_F(SweepRuns, ThatLostTheirFileOrHaveABrokenOneAreDoneAgainAndNoOthers) {
  write_sweep(kFourTrials);
  const Table first = trials_of(kOneProcess);
  fs::remove(folder_ / "out/runs/0003.json");
  const std::string whole = read_text(folder_ / "out/runs/0002.json");
  write_text(folder_ / "out/runs/0002.json", whole.substr(0, whole.size() / 2));
  const Outcome again = sweep(kOneProcess);
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(done_before(again), (Words{"0001", "0004"}));
  EXPECT_EQ(timeless(read_csv(folder_ / "out/trials.csv")), timeless(first));
}

// Valid JSON, and not what a sweep writes.
TEST_F(SweepRuns, WithFilesOfOtherKindsAreDoneAgain) {
  write_sweep(kFourTrials);
  const Table first = trials_of(kOneProcess);
  const fs::path file = folder_ / "out/runs/0002.json";
  const nlohmann::json good = read_json(file);
  std::vector<nlohmann::json> wrong = {nlohmann::json::array({1}), "ok", nlohmann::json::object()};
  for (const std::string key : {"status", "seconds", "test_accuracy", "config", "files", "program"})
    for (const nlohmann::json& value : {nlohmann::json(5), nlohmann::json("x"), nlohmann::json()}) {
      if (value == 5 && (key == "seconds" || key == "test_accuracy")) continue;  // which are numbers
      wrong.push_back(good);
      wrong.back()[key] = value;
    }
  for (const nlohmann::json& content : wrong) {
    write_text(file, content.dump());
    const Outcome again = sweep(kOneProcess);
    ASSERT_EQ(again.code, 0) << again.err << content.dump();
    EXPECT_EQ(done_before(again), (Words{"0001", "0003", "0004"})) << content.dump();
  }
  EXPECT_EQ(timeless(read_csv(folder_ / "out/trials.csv")), timeless(first));
}

TEST_F(SweepRuns, OfChangedFilesOrAnotherProgramAreDoneAgain) {
  const auto write_data = [&](const std::string& last) {
    write_text(folder_ / "data.csv", "1,5,0\n2,6,1\n3,7,0\n" + last);
  };
  write_data("4,8,1\n");
  write_sweep(
      "score = \"train_loss\"\n[set]\n\"data.dataset\" = \"csv\"\n\"data.file\" = \"data.csv\"\n"
      "\"data.test_fraction\" = 0\n\"train.init_from\" = \"start\"\n[parameters]\n\"train.l2\" "
      "= [0.0, 0.1]\n");
  write_planar_config(folder_.path(), "hidden = [5]\n");
  const auto write_start = [&](const std::string& seed) {
    const Outcome start = run({"train", "run.toml", "--quiet", "--overwrite", "--out", "start", "--set",
                               "train.epochs=1", "--set", "seed=" + seed},
                              kOneProcess, in(folder_.path()));
    ASSERT_EQ(start.code, 0) << start.err;
  };
  write_start("1");
  const std::string planar = read_text(folder_ / "run.toml");
  std::string text = planar;  // n and noise are of points alone
  for (const std::string line : {"n = 60\n", "noise = 0.1\n"}) text.erase(text.find(line), line.size());
  const auto once = [&] {
    write_text(folder_ / "run.toml", text);
    const Outcome outcome = sweep(kOneProcess);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    write_text(folder_ / "run.toml", planar);
    return done_before(outcome);
  };
  const Words all = {"0001", "0002"};
  EXPECT_EQ(once(), Words{});
  EXPECT_EQ(once(), all);
  write_data("4,9,1\n");
  EXPECT_EQ(once(), Words{});
  EXPECT_EQ(once(), all);
  write_start("2");
  EXPECT_EQ(once(), Words{});
  EXPECT_EQ(once(), all);
  nlohmann::json result = read_json(folder_ / "out/runs/0001.json");
  result["program"]["version"] = "0.0.0";
  write_text(folder_ / "out/runs/0001.json", result.dump());
  EXPECT_EQ(once(), Words{"0002"});
}

TEST_F(SweepRuns, OfAChangedConfigurationAreDoneAgain) {
  write_sweep(kFourTrials);
  const Table first = trials_of(kOneProcess);
  write_text(folder_ / "run.toml", read_text(folder_ / "run.toml") + "init = \"he\"\n");
  const Outcome again = sweep(kOneProcess);
  EXPECT_EQ(done_before(again), Words{});
  EXPECT_EQ(timeless(read_csv(folder_ / "out/trials.csv")), timeless(trials_of(kOneProcess, "anew")));
}

TEST_F(SweepRuns, OfAWiderGridAreNotTakenForOthers) {
  write_sweep("[parameters]\n\"train.l2\" = [0.0, 0.1]\n");
  trials_of(kOneProcess);
  write_sweep("[parameters]\n\"train.l2\" = [0.0, 0.01, 0.1]\n");
  const Outcome again = sweep(kOneProcess);
  EXPECT_EQ(done_before(again), Words{"0001"});
  EXPECT_EQ(timeless(read_csv(folder_ / "out/trials.csv")), timeless(trials_of(kOneProcess, "anew")));
}

TEST_F(SweepRuns, ThatFailedAreTriedAgain) {
  write_sweep("[parameters]\n\"train.learning_rate\" = [0.1, 1e29]\n");
  trials_of(kOneProcess);
  EXPECT_EQ(done_before(sweep(kOneProcess)), Words{"0001"});
}

}  // namespace
}  // namespace lockstep::program
