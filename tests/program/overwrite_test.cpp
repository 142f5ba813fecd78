// A run folder that holds a run: refused, replaced, gone on with, or begun from.
#include <signal.h>

#include <chrono>
#include <thread>

#include "points_run.h"
#include "processes.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;
using Files = std::map<std::string, std::string>;  // paths within a folder, and contents

Files files_of(const fs::path& folder) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().filename() != ".lock")
      files[fs::relative(entry.path(), folder).string()] = read_text(entry.path());
  return files;
}

struct Overwrite : PointsRun {
  // Refused with code 2 and one line that has these parts.
  static void expect_refused(const Outcome& outcome, const Words& parts) {
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("lockstep: ")) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
    for (const std::string& part : parts)
      EXPECT_NE(outcome.err.find(part), std::string::npos) << "no \"" << part << "\" in " << outcome.err;
  }

  // Ends a run by force that replaces the one in "out", after an epoch, before it has a checkpoint.
  void kill_a_replacement(const Layout& layout) const {
    fs::remove_all(folder_ / "out/.next");
    Running job(words("out",
                      {"--overwrite", "train.epochs=1000000", "seed=5", "checkpoint.every_steps=0",
                       "checkpoint.every_epochs=1000000", "log.gradients=false"},
                      layout),
                in(folder_.path(), 60));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    std::error_code none;
    while (fs::file_size(folder_ / "out/.next/metrics.csv", none) < 300 || none) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "no second row of metrics.csv after 30 s";
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    for (const pid_t rank : ranks_below(job.id())) ::kill(rank, SIGKILL);
    EXPECT_NE(job.wait().code, 0);
  }
};
struct ThreeRanksOverwrite : Overwrite {};

TEST_F(ThreeRanksOverwrite, AndOneRefuseAFolderThatHoldsARun) {
  finish("out", {"train.epochs=2"});
  const Files before = files_of(folder_ / "out");
  for (const Layout& layout : {Layout{kOneProcess, 1}, Layout{3, 1}})
    for (const Words& more : {Words{}, Words{"train.learning_rate=0.1"}, Words{"train.epochs=2"}}) {
      expect_refused(train("out", more, layout),
                     {"out: holds a run", "--resume latest", "another --out", "--overwrite"});
      EXPECT_EQ(files_of(folder_ / "out"), before);
    }
  const Words in_place = {program(), "train", "../points.toml", "--out", "."};
  expect_refused(execute(in_place, in(folder_ / "out")), {".: holds a run"});
  EXPECT_EQ(files_of(folder_ / "out"), before);
}

TEST_F(ThreeRanksOverwrite, AndOneLeaveTheRunAsItWouldBeInAFolderOfItsOwn) {
  finish("whole");
  for (const Layout& layout : {Layout{kOneProcess, 1}, Layout{3, 1}}) {
    fs::remove_all(folder_ / "out");
    finish("out", {"train.epochs=3", "seed=5"});
    write_text(folder_ / "out/notes.txt", "mine");
    write_text(folder_ / "out/predictions.csv", "of the old run");
    finish("out", {"--overwrite"}, layout);
    expect_same_run("whole", "out");
    EXPECT_EQ(newest_step("out"), kEpochs * kStepsPerEpoch);
    EXPECT_EQ(read_text(folder_ / "out/notes.txt"), "mine");
    EXPECT_FALSE(fs::exists(folder_ / "out/predictions.csv"));
    EXPECT_FALSE(fs::exists(folder_ / "out/.next"));
  }
}

TEST_F(Overwrite, WithoutCheckpointsTakesThePlaceAtTheEnd) {
  const Words settings = {"checkpoint.every_steps=0", "checkpoint.every_epochs=0", "train.epochs=3"};
  finish("whole", settings);
  finish("out", {"train.epochs=2", "seed=5"});
  Words more = settings;
  more.push_back("--overwrite");
  finish("out", more);
  expect_same_run("whole", "out");
  EXPECT_EQ(newest_step("out"), 0U);
}

TEST_F(ThreeRanksOverwrite, AndOneThatAreKilledBeforeACheckpointLeaveTheOldRunWhole) {
  finish("whole");
  finish("out", {"train.epochs=4"});
  Files before = files_of(folder_ / "out");
  for (const Layout& layout : {Layout{kOneProcess, 1}, Layout{3, 1}}) {
    ASSERT_NO_FATAL_FAILURE(kill_a_replacement(layout));
    const Files after = files_of(folder_ / "out");
    for (const auto& [name, content] : before) EXPECT_EQ(after.at(name), content) << name;
  }
  finish("out", {"--resume", "latest"});  // the old run goes on
  expect_same_run("whole", "out");
  EXPECT_FALSE(fs::exists(folder_ / "out/.next"));
}

// As launch/run --retries does it.
TEST_F(Overwrite, AnAttemptAfterOneThatWasKilledReplacesToo) {
  finish("whole", {"seed=5"});
  finish("out", {"train.epochs=4"});
  ASSERT_NO_FATAL_FAILURE(kill_a_replacement({}));
  finish("out", {"seed=5", "--overwrite", "--resume", "auto"});
  expect_same_run("whole", "out");
}

TEST_F(Overwrite, AutoBeginsAndThenGoesOn) {
  finish("whole");
  finish("out", {"train.epochs=4", "--resume", "auto"});
  finish("out", {"--resume", "auto"});
  expect_same_run("whole", "out");
}

TEST_F(Overwrite, GoesOnInTheFolderOfItsOwnConfiguration) {
  finish("whole");
  finish("out", {"train.epochs=4"});
  const Outcome outcome =
      execute({program(), "train", "out/config.toml", "--resume", "latest", "--set", "train.epochs=20"},
              in(folder_.path()));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  expect_same_run("whole", "out");
  EXPECT_FALSE(fs::exists(folder_ / "runs"));
}

TEST_F(Overwrite, AResumeThatHasNothingToDoSaysSo) {
  finish("out", {"train.epochs=3"});
  const Words again = {program(), "train", "points.toml", "--out", "out", "--resume", "latest", "--set"};
  Words words = again;
  words.push_back("train.epochs=3");
  const Outcome done = execute(words, in(folder_.path()));
  EXPECT_EQ(done.code, 0);
  EXPECT_NE(done.out.find("nothing left to do: all 3 epochs of train.epochs are done\n"), std::string::npos)
      << done.out;
  const Files before = files_of(folder_ / "out");
  expect_refused(train("out", {"train.epochs=2", "--resume", "latest"}),
                 {"has 3 epochs done, and train.epochs is 2", "expected at least 3"});
  EXPECT_EQ(files_of(folder_ / "out"), before);
}

TEST_F(Overwrite, OtherSettingsAreANewRunWithItsWeightsAndMomentum) {
  finish("first", {"train.epochs=3"});
  expect_refused(
      train("first", {"train.learning_rate=0.1", "--resume", "latest"}),
      {"train.learning_rate", "--resume-from first/checkpoints/step-000000021.safetensors", "--out"});
  finish("from_model", {"train.init_from=first/model.safetensors", "train.momentum=0", "train.epochs=2"});
  finish("from_run", {"--resume-from", "first", "train.momentum=0", "train.epochs=2"});
  expect_same_run("from_model", "from_run");
  finish("with_momentum",
         {"--resume-from", "first/checkpoints/step-000000021.safetensors", "train.epochs=2"});
  finish("without", {"train.init_from=first/model.safetensors", "train.epochs=2"});
  EXPECT_NE(weights_hash(folder_ / "with_momentum"), weights_hash(folder_ / "without"));
  EXPECT_EQ(read_json(folder_ / "with_momentum/summary.json").at("steps"), 2 * kStepsPerEpoch);
  const std::string from = "first/checkpoints/step-000000021.safetensors (step 21, weights " +
                           weights_hash(folder_ / "first") + ")";
  EXPECT_EQ(read_json(folder_ / "with_momentum/summary.json").at("began_from"), from);
  finish("with_momentum", {"--resume", "latest", "train.epochs=3"});
  EXPECT_EQ(read_json(folder_ / "with_momentum/summary.json").at("began_from"), from);
  expect_refused(train("out", {"--resume-from", "first", "train.init_from=first/model.safetensors"}),
                 {"--resume-from first", "train.init_from", "expected one of them"});
  expect_refused(train("out", {"--resume", "latest", "--resume-from", "first"}),
                 {"--resume latest", "--resume-from first", "expected one of them"});
  const Outcome weights_alone = train("out", {"--resume-from", "first/model.safetensors"});
  EXPECT_EQ(weights_alone.code, 4);
  EXPECT_NE(weights_alone.err.find("no checkpoint"), std::string::npos) << weights_alone.err;
}

TEST_F(Overwrite, TablesOfOthersAreInTheWayOfEvalAndSweep) {
  finish("out", {"train.epochs=1"});
  const auto eval = [&](const std::string& to) {
    return execute({program(), "eval", "out", "--predictions", "--out", to}, in(folder_.path()));
  };
  EXPECT_EQ(eval("tables").code, 0);
  EXPECT_EQ(eval("tables").code, 0);  // its own
  write_text(folder_ / "tables/predictions.csv", "x,y\n1,2\n");
  const Outcome refused = eval("tables");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("tables/predictions.csv: is in the way"), std::string::npos) << refused.err;
  EXPECT_EQ(read_text(folder_ / "tables/predictions.csv"), "x,y\n1,2\n");
  write_text(folder_ / "sweep.toml",
             "config = \"points.toml\"\n[set]\n\"train.epochs\" = 1\n[parameters]\n\"train.l2\" = [0.0]\n");
  fs::create_directory(folder_ / "sweep");
  write_text(folder_ / "sweep/trials.csv", "mine\n");
  const Outcome sweep = execute({program(), "sweep", "sweep.toml", "--out", "sweep"}, in(folder_.path()));
  EXPECT_EQ(sweep.code, 2);
  EXPECT_NE(sweep.err.find("sweep/trials.csv: is in the way"), std::string::npos) << sweep.err;
  EXPECT_EQ(read_text(folder_ / "sweep/trials.csv"), "mine\n");
}

}  // namespace
}  // namespace lockstep::program
