// Weights know the data that they were trained on: they are used with other files, without the training data,
// from a checkpoint, from another folder; and other data, or other bytes, are noticed.
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// Rows of three classes that lie apart along x: class c around x = 5 c + offset.
std::string rows_of(const std::string& classes, double offset = 0.0, int rows = 60) {
  std::string text = "x,y,label\n";
  for (int i = 0; i < rows; ++i) {
    const char label = classes[static_cast<std::size_t>(i) % classes.size()];
    const double x = 5.0 * (label - 'a') + offset + 0.01 * (i * 37 % 100), y = 0.02 * (i * 53 % 100);
    text += std::to_string(x) + "," + std::to_string(y) + "," + label + "\n";
  }
  return text;
}

class SavedNetwork : public testing::TestWithParam<int> {
 protected:
  SavedNetwork() {
    write_text(folder_ / "train.csv", rows_of("abc"));
    write_text(folder_ / "run.toml",
               "[data]\ndataset = \"csv\"\nfile = \"train.csv\"\nnormalize = \"mean_std\"\nshards = 4\n"
               "[model]\nhidden = [8]\nactivation = \"tanh\"\n"
               "[train]\nepochs = 30\nbatch_size = 12\nlearning_rate = 0.3\n[compute]\nthreads = 1\n");
  }

  Outcome run_words(const Words& words, const std::string& where = "") const {
    return run(words, GetParam(), in(folder_ / where, 60));
  }
  void train(const Words& more = {}, const std::string& out = "out") const {
    Words words = {"train", "run.toml", "--out", out, "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run_words(words);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  // The accuracy that eval prints of a split.
  static double accuracy(const Outcome& outcome, const std::string& split) {
    std::smatch parts;
    const std::regex form(split + " +loss \\S+ +accuracy (\\S+) ");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return std::regex_search(outcome.out, parts, form) ? std::stod(parts[1]) : std::nan("");
  }
  static void expect_refused(const Outcome& outcome, int code, const Words& parts) {
    EXPECT_EQ(outcome.code, code) << outcome.out << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("lockstep: ")) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
    for (const std::string& part : parts)
      EXPECT_NE(outcome.err.find(part), std::string::npos) << "no \"" << part << "\" in " << outcome.err;
  }
  static void expect_said(const Outcome& outcome, const std::string& part) {
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find(part), std::string::npos) << "no \"" << part << "\" in " << outcome.out;
  }

  TemporaryFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(OneProcess, SavedNetwork, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, SavedNetwork, testing::Values(3));

// Two of the classes, whose mean is not that of the three, and whose places are not theirs.
TEST_P(SavedNetwork, TakesClassesAndStatisticsFromItsTrainingNotFromTheFileThatIsEvaluated) {
  ASSERT_NO_FATAL_FAILURE(train());
  write_text(folder_ / "other.csv", rows_of("bc"));
  const Outcome other = run_words({"eval", "out", "--set", "data.file=other.csv"});
  EXPECT_EQ(accuracy(other, "train"), 1.0) << other.out;
  expect_said(other, "other.csv: not the data that the network was trained on, train.csv");
  EXPECT_EQ(accuracy(run_words({"eval", "out", "--set", "data.test_file=other.csv"}), "test"), 1.0);
}

TEST_P(SavedNetwork, RefusesOtherColumnsAndClassesByName) {
  ASSERT_NO_FATAL_FAILURE(train());
  write_text(folder_ / "classes.csv", rows_of("abd"));
  write_text(folder_ / "columns.csv", "x,z,label\n1,2,a\n2,3,b\n");
  for (const Words& way :
       {Words{"eval", "out", "--set"}, Words{"train", "run.toml", "--out", "more", "--quiet", "--set",
                                             "train.init_from=out/model.safetensors", "--set"}}) {
    const auto with = [&](const std::string& file) {
      Words words = way;
      words.push_back("data.file=" + file);
      return run_words(words);
    };
    expect_refused(with("classes.csv"), 3, {"classes.csv:4: ", "is \"d\"", "one of the classes a, b, c"});
    expect_refused(with("columns.csv"), 3, {"columns.csv:1: has no column \"y\"", "expected the columns of"});
  }
}

TEST_P(SavedNetwork, IsUsedWithoutTheTrainingData) {
  ASSERT_NO_FATAL_FAILURE(train());
  fs::remove(folder_ / "train.csv");
  write_text(folder_ / "other.csv", rows_of("ac"));
  EXPECT_EQ(accuracy(run_words({"eval", "out", "--set", "data.file=other.csv"}), "train"), 1.0);
  const Outcome tested = run_words({"eval", "out", "--set", "data.test_file=other.csv"});
  EXPECT_EQ(accuracy(tested, "test"), 1.0);
  EXPECT_EQ(tested.out.find("train "), std::string::npos) << tested.out;
  expect_said(tested, "train.csv is not there: only other.csv is evaluated");
}

// The features' mean and scale are those that the weights were made for, also where all lies elsewhere.
TEST_P(SavedNetwork, IsTrainedFurtherWithItsOwnStatistics) {
  ASSERT_NO_FATAL_FAILURE(train());
  write_text(folder_ / "moved.csv", rows_of("cb", 3.0));
  ASSERT_NO_FATAL_FAILURE(
      train({"--set", "data.file=moved.csv", "--set", "train.epochs=1", "--set", "train.learning_rate=1e-9",
             "--set", "train.init_from=out/model.safetensors"},
            "more"));
  const double before = accuracy(run_words({"eval", "out", "--set", "data.file=moved.csv"}), "train");
  EXPECT_NEAR(read_json(folder_ / "more/summary.json").at("train_accuracy").get<double>(), before, 1e-6);
  EXPECT_LT(before, 1.0);
  expect_refused(run_words({"train", "run.toml", "--out", "other", "--quiet", "--set", "data.normalize=none",
                            "--set", "train.init_from=out/model.safetensors"}),
                 2, {"data.normalize is \"none\", expected \"mean_std\"", "out/model.safetensors"});
}

TEST_P(SavedNetwork, IsAnyCheckpointOfARun) {
  ASSERT_NO_FATAL_FAILURE(train({"--set", "train.epochs=3"}));
  const std::string model = run_words({"eval", "out"}).out;
  const std::string newest = "out/checkpoints/step-000000015.safetensors";
  EXPECT_EQ(run_words({"eval", "out", "--model", "latest"}).out, model);
  EXPECT_EQ(run_words({"eval", "out", "--model", newest}).out, model);
  EXPECT_EQ(run_words({"eval", "out", "--model", "out/checkpoints/best.safetensors"}).out,
            run_words({"eval", "out", "--model", "best"}).out);
  for (const std::string& start : {newest, std::string("out")}) {
    ASSERT_NO_FATAL_FAILURE(train({"--set", "train.epochs=1", "--set", "train.learning_rate=1e-30", "--set",
                                   "train.init_from=" + start, "--overwrite"},
                                  "more"));
    EXPECT_EQ(weights_hash(folder_ / "more"), weights_hash(folder_ / "out"));
  }
  expect_refused(run_words({"eval", "out", "--model", "out/checkpoints/none.safetensors"}), 4,
                 {"none.safetensors", "cannot be read"});
}

TEST_P(SavedNetwork, OfARunThatIsNotFinishedIsItsNewestCheckpoint) {
  ASSERT_NO_FATAL_FAILURE(train({"--set", "train.epochs=3"}));
  const std::string finished = run_words({"eval", "out"}).out;
  fs::remove(folder_ / "out/model.safetensors");
  fs::remove(folder_ / "out/summary.json");
  const Outcome outcome = run_words({"eval", "out", "--predictions"});
  expect_said(outcome, "no model.safetensors yet: these are the weights of out/checkpoints/step-000000015");
  expect_said(outcome, finished);
  fs::remove_all(folder_ / "out/checkpoints");
  expect_refused(run_words({"eval", "out"}), 4, {"out/checkpoints", "no checkpoint"});
}

TEST_P(SavedNetwork, IsRefusedWhereABitIsWrong) {
  ASSERT_NO_FATAL_FAILURE(train({"--set", "train.epochs=1"}));
  const fs::path file = folder_ / "out/model.safetensors";
  std::string content = read_text(file);
  content[content.size() - 9] ^= 4;
  write_text(file, content);
  const Words parts = {"out/model.safetensors: its bytes have the checksum", "expected"};
  expect_refused(run_words({"eval", "out"}), 4, parts);
  expect_refused(run_words({"inspect", "out/model.safetensors"}), 4, parts);
  expect_refused(run_words({"train", "run.toml", "--out", "more", "--quiet", "--set",
                            "train.init_from=out/model.safetensors"}),
                 4, parts);
  expect_said(run_words({"inspect", "out"}), "model            broken: out/model.safetensors");
}

TEST_P(SavedNetwork, OfAnotherProgramIsPreparedByTheTrainingData) {
  ASSERT_NO_FATAL_FAILURE(train());
  const std::string own = run_words({"eval", "out"}).out;
  Tensors tensors = read_safetensors(folder_ / "out/model.safetensors");
  tensors.header.erase("__metadata__");
  write_safetensors(folder_ / "plain.safetensors", tensors);
  const Outcome outcome = run_words({"eval", "run.toml", "--model", "plain.safetensors"});
  expect_said(outcome, "plain.safetensors does not say what it was trained on");
  expect_said(outcome, own);
}

TEST_P(SavedNetwork, IsFoundFromAnyFolderWithItsData) {
  ASSERT_NO_FATAL_FAILURE(train());
  fs::create_directory(folder_ / "elsewhere");
  EXPECT_EQ(run_words({"eval", "../out"}, "elsewhere").out, run_words({"eval", "out"}).out);
  const Outcome again = run_words({"train", "../out/config.toml", "--out", "again", "--quiet"}, "elsewhere");
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(weights_hash(folder_ / "elsewhere/again"), weights_hash(folder_ / "out"));
}

// Of the same shape, so that nothing else would notice.
TEST_P(SavedNetwork, DoesNotGoOnWithOtherData) {
  write_text(folder_ / "test.csv", rows_of("abc", 0.0, 9));
  const Words tested = {"--set", "train.epochs=2", "--set", "data.test_file=test.csv"};
  ASSERT_NO_FATAL_FAILURE(train(tested));
  const auto go_on = [&](const Words& more) {
    Words words = {"train", "run.toml", "--out", "out", "--quiet", "--resume", "latest"};
    words.insert(words.end(), more.begin(), more.end());
    return run_words(words);
  };
  const Words longer = {"--set", "train.epochs=3", "--set", "data.test_file=test.csv"};
  const auto data = read_json(folder_ / "out/summary.json").at("data");
  write_text(folder_ / "train.csv", rows_of("abc", 0.125));
  expect_refused(go_on(longer), 3,
                 {"train.csv: its training samples have the fingerprint ",
                  "expected " + data.at("train").get<std::string>(), "out/checkpoints/step-000000010"});
  write_text(folder_ / "train.csv", rows_of("abc"));
  write_text(folder_ / "test.csv", rows_of("acb", 0.0, 9));
  expect_refused(go_on(longer), 3, {"test.csv: its test samples have the fingerprint "});
  write_text(folder_ / "test.csv", rows_of("abc", 0.0, 9));
  fs::rename(folder_ / "test.csv", folder_ / "moved.csv");  // where a file is does not matter
  const Outcome outcome = go_on({"--set", "train.epochs=3", "--set", "data.test_file=moved.csv"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

// The network that it began with is told neither again, nor is it there any more: the checkpoint knows.
TEST_P(SavedNetwork, GoesOnWithTheStatisticsThatItBeganWith) {
  ASSERT_NO_FATAL_FAILURE(train({"--set", "train.epochs=2"}, "first"));
  write_text(folder_ / "moved.csv", rows_of("cb", 3.0));
  const Words moved = {"--set", "data.file=moved.csv"}, from = {"--set", "train.init_from=first"};
  const auto with = [](Words words, std::initializer_list<Words> more) {
    for (const Words& other : more) words.insert(words.end(), other.begin(), other.end());
    return words;
  };
  ASSERT_NO_FATAL_FAILURE(train(with(moved, {from, {"--set", "train.epochs=4"}}), "whole"));
  const Words half = with(moved, {from, {"--set", "train.epochs=2"}});
  const Words go_on = with(moved, {{"--resume", "latest", "--set", "train.epochs=4"}});
  ASSERT_NO_FATAL_FAILURE(train(half, "unnamed"));
  ASSERT_NO_FATAL_FAILURE(train(half, "gone"));
  ASSERT_NO_FATAL_FAILURE(train(go_on, "unnamed"));
  fs::remove_all(folder_ / "first");
  ASSERT_NO_FATAL_FAILURE(train(with(go_on, {from}), "gone"));
  for (const char* out : {"unnamed", "gone"}) {
    EXPECT_EQ(weights_hash(folder_ / out), weights_hash(folder_ / "whole"));
    EXPECT_EQ(read_text(folder_ / (out + std::string("/model.safetensors"))),
              read_text(folder_ / "whole/model.safetensors"));
  }
}

TEST_P(SavedNetwork, BeginsAnewWithItsOwnStatisticsAndClasses) {
  ASSERT_NO_FATAL_FAILURE(train({"--set", "train.epochs=2"}));
  const Words begin = {"--resume-from",  "out",   "--set",
                       "train.epochs=1", "--set", "train.learning_rate=1e-9"};
  const auto with = [&](const std::string& file) {
    Words words = begin;
    words.insert(words.end(), {"--set", "data.file=" + file});
    return words;
  };
  write_text(folder_ / "moved.csv", rows_of("cb", 3.0));
  ASSERT_NO_FATAL_FAILURE(train(with("moved.csv"), "more"));
  EXPECT_NEAR(read_json(folder_ / "more/summary.json").at("train_accuracy").get<double>(),
              accuracy(run_words({"eval", "out", "--set", "data.file=moved.csv"}), "train"), 1e-6);
  write_text(folder_ / "classes.csv", rows_of("bcd"));
  Words words = {"train", "run.toml", "--out", "other", "--quiet"};
  for (const std::string& word : with("classes.csv")) words.push_back(word);
  expect_refused(run_words(words), 3, {"classes.csv:4: ", "is \"d\"", "one of the classes a, b, c"});
  EXPECT_FALSE(fs::exists(folder_ / "other"));
}

TEST_P(SavedNetwork, SeesDifferencesOfColumnsThatAreFarFromZero) {
  std::string times = "unix_time,late\n", offsets = times;
  for (int i = 0; i < 120; ++i) {
    const std::string label = i * 7 % 120 < 60 ? ",no\n" : ",yes\n";
    times += std::to_string(1700000000 + i * 7 % 120) + label;
    offsets += std::to_string(i * 7 % 120) + label;
  }
  write_text(folder_ / "times.csv", times);
  write_text(folder_ / "offsets.csv", offsets);
  for (const char* file : {"times.csv", "offsets.csv"}) {
    ASSERT_NO_FATAL_FAILURE(train({"--set", std::string("data.file=") + file}, file + std::string(".run")));
    EXPECT_GE(read_json(folder_ / (file + std::string(".run")) / "summary.json").at("train_accuracy"), 0.95);
  }
}

// Each in a folder of its own, as hosts have their own copies.
TEST(TwoRanksOfDifferentData, AreRefusedByFileRankAndHost) {
  const TemporaryFolder folder;
  write_text(folder / "run.toml",
             "[data]\ndataset = \"csv\"\nfile = \"d.csv\"\n[train]\nepochs = 1\nbatch_size = 8\n");
  write_text(folder / "start", "cd rank$OMPI_COMM_WORLD_RANK && exec " + program() + " \"$@\"\n");
  const auto outcome = [&](const std::string& command, const std::string& of_second) {
    for (const char* rank : {"rank0", "rank1"}) {
      fs::create_directories(folder / rank);
      write_text(folder / rank / std::string("d.csv"),
                 rank == std::string("rank0") ? rows_of("abc") : of_second);
    }
    Words words = mpirun();
    words.insert(words.end(), {"-np", "2", "sh", "start", command, (folder / "run.toml").string()});
    if (command == "train")
      words.insert(words.end(), {"--quiet", "--overwrite", "--out", (folder / "out").string()});
    return execute(words, in(folder.path(), 60));
  };
  for (const char* command : {"train", "verify", "gradcheck"}) {
    const Outcome same = outcome(command, rows_of("abc"));
    EXPECT_EQ(same.code, 0) << same.err;
    const Outcome other = outcome(command, rows_of("acb"));
    EXPECT_EQ(other.code, 3) << other.out;
    const std::regex form(
        "lockstep: d.csv: the ranks read different files, expected the same on every host: rank 0 on \\S+ "
        "has "
        "the fingerprint [0-9a-f]{16}, but rank 1 on \\S+ \\([0-9a-f]{16}\\)\n");
    EXPECT_TRUE(std::regex_match(other.err, form)) << other.err;
  }
}

}  // namespace
}  // namespace lockstep::program
