// What a run leaves behind: the files that scripts read.
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cctype>
#include <cmath>
#include <regex>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Words = std::vector<std::string>;

constexpr std::size_t kEpochs = 2, kSteps = 14, kSamples = 403;  // of run.toml

// Digits from the first that is not 0, as in "0.01230" (4) or "1.5e-3" (2).
std::size_t significant_digits(const std::string& number) {
  std::size_t digits = 0;
  for (const char c : number.substr(0, number.find('e')))
    if (std::isdigit(static_cast<unsigned char>(c)) && (digits > 0 || c != '0')) ++digits;
  return digits;
}

class RunFolder : public testing::TestWithParam<int> {
 protected:
  RunFolder() { write_small_config(folder_.path()); }

  void train(const Words& more = {}) {
    Words words = {"train", "run.toml", "--out", "out", "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run(words, GetParam(), in(folder_.path()));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }

  TemporaryFolder folder_;
  const fs::path out_ = folder_ / "out";
};
INSTANTIATE_TEST_SUITE_P(OneProcess, RunFolder, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, RunFolder, testing::Values(3));

TEST_P(RunFolder, MetricsHaveARowAnEpoch) {
  ASSERT_NO_FATAL_FAILURE(train());
  const Table metrics = read_csv(out_ / "metrics.csv");
  const std::string columns =
      "epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,samples_per_second";
  EXPECT_TRUE(metrics.header == columns || metrics.header.starts_with(columns + ",")) << metrics.header;
  ASSERT_EQ(metrics.rows.size(), kEpochs);
  for (std::size_t i = 0; i < kEpochs; ++i) {
    EXPECT_EQ(metrics.rows[i].at("epoch"), std::to_string(i + 1));
    for (const char* loss : {"train_loss", "test_loss"})
      EXPECT_GE(significant_digits(metrics.rows[i].at(loss)), 9U) << metrics.rows[i].at(loss);
    // Accuracies are fractions of 403 and 150 samples, so whole numbers of samples.
    for (const auto& [column, samples] : {std::pair("train_accuracy", 403.0), {"test_accuracy", 150.0}}) {
      const double correct = metrics.number(i, column) * samples;
      EXPECT_NEAR(correct, std::round(correct), 1e-4) << column;
      EXPECT_GE(correct, 0.0);
      EXPECT_LE(correct, samples);
    }
    EXPECT_DOUBLE_EQ(metrics.number(i, "learning_rate"), 0.05);
    EXPECT_GT(metrics.number(i, "samples_per_second"), 0.0);
  }
}

TEST_P(RunFolder, StepsHaveARowAStepAndAddUpToTheEpoch) {
  ASSERT_NO_FATAL_FAILURE(train({"--set", "log.steps=true", "--set", "train.l2=0.001"}));
  const Table metrics = read_csv(out_ / "metrics.csv"), steps = read_csv(out_ / "steps.csv");
  EXPECT_EQ(steps.header, "step,epoch,samples,loss,weights_hash");
  ASSERT_EQ(steps.rows.size(), kSteps);
  std::vector<double> samples(kEpochs), losses(kEpochs);
  for (std::size_t i = 0; i < kSteps; ++i) {
    EXPECT_EQ(steps.rows[i].at("step"), std::to_string(i + 1));
    const std::size_t epoch = i / (kSteps / kEpochs);
    EXPECT_EQ(steps.rows[i].at("epoch"), std::to_string(epoch + 1));
    EXPECT_GE(significant_digits(steps.rows[i].at("loss")), 9U);
    EXPECT_TRUE(std::regex_match(steps.rows[i].at("weights_hash"), std::regex("[0-9a-f]{16}")));
    if (i > 0) {
      EXPECT_NE(steps.rows[i].at("weights_hash"), steps.rows[i - 1].at("weights_hash"));
    }
    samples[epoch] += steps.number(i, "samples");
    losses[epoch] += steps.number(i, "samples") * steps.number(i, "loss");
  }
  for (std::size_t epoch = 0; epoch < kEpochs; ++epoch) {
    EXPECT_EQ(samples[epoch], kSamples);
    const double train_loss = metrics.number(epoch, "train_loss");
    EXPECT_NEAR(losses[epoch] / samples[epoch], train_loss, 1e-8 * train_loss);
  }
  EXPECT_EQ(steps.rows.back().at("weights_hash"), weights_hash(out_));
}

TEST_P(RunFolder, SummaryTellsTheWholeRun) {
  const int threads = GetParam() == kOneProcess ? 2 : 1;
  ASSERT_NO_FATAL_FAILURE(
      train({"--set", "compute.threads=" + std::to_string(threads), "--set", "train.learning_rate=0.03"}));
  const json summary = read_json(out_ / "summary.json");
  const Table metrics = read_csv(out_ / "metrics.csv");
  for (const char* key : {"train_loss", "train_accuracy", "test_loss", "test_accuracy"})
    EXPECT_NEAR(summary.at(key).get<double>(), metrics.number(kEpochs - 1, key), 1e-8) << key;
  EXPECT_TRUE(std::regex_match(summary.at("weights_hash").get<std::string>(), std::regex("[0-9a-f]{16}")));
  EXPECT_EQ(summary.at("ranks"), GetParam() == kOneProcess ? 1 : 3);
  EXPECT_EQ(summary.at("threads"), threads);
  EXPECT_EQ(summary.at("train_samples"), kSamples);
  for (const char* key : {"version", "compiler", "flags", "blis_version", "kernel_family", "mpi"})
    EXPECT_NE(summary.at("provenance").at(key).get<std::string>(), "") << key;
  EXPECT_EQ(summary.at("provenance").at("version"), LOCKSTEP_VERSION);

  const json& config = summary.at("config");
  EXPECT_EQ(config.at("seed"), 3);                            // from the file
  EXPECT_EQ(config.at("train").at("learning_rate"), 0.03);    // from --set
  EXPECT_EQ(config.at("model").at("activation"), "sigmoid");  // by default
  EXPECT_EQ(config.at("model").at("hidden"), json::array({8}));
  for (const char* pointer :
       {"/data/dataset", "/data/shards", "/data/shuffle", "/data/normalize", "/data/train_samples",
        "/data/test_samples", "/model/init", "/model/loss", "/train/epochs", "/train/batch_size",
        "/train/momentum", "/train/nesterov", "/train/l2", "/train/schedule", "/train/init_from",
        "/reduce/mode", "/compute/threads", "/log/steps"}) {
    EXPECT_TRUE(config.contains(json::json_pointer(pointer))) << pointer;
  }
}

TEST_P(RunFolder, SummaryHasEachRanksHostAndTheCoresItMayRunOn) {
  cpu_set_t mask;
  ASSERT_EQ(::sched_getaffinity(0, sizeof mask, &mask), 0);
  int core = CPU_SETSIZE - 1;
  while (!CPU_ISSET(core, &mask)) --core;
  Words words = {"taskset", "--cpu-list", std::to_string(core)};
  const Words job = words_of({"train", "run.toml", "--out", "out", "--quiet"}, GetParam());
  words.insert(words.end(), job.begin(), job.end());
  const Outcome outcome = execute(words, in(folder_.path()));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  char host[256] = "";
  ASSERT_EQ(::gethostname(host, sizeof host), 0);
  const std::size_t ranks = GetParam() == kOneProcess ? 1 : 3;
  const std::vector<std::string> expected(ranks, std::string(host) + ": " + std::to_string(core));
  EXPECT_EQ(read_json(out_ / "summary.json").at("placement"), json(expected));
}

TEST_P(RunFolder, ModelHasPyTorchsNamesAndShapesAndTheHashOfItsBytes) {
  ASSERT_NO_FATAL_FAILURE(train({"--set", "model.hidden=[8,5]"}));
  Tensors model = read_safetensors(out_ / "model.safetensors");
  model.header.erase("__metadata__");
  const Tensors expected = zero_tensors({3072, 8, 5, 10});  // whose tensors lie in the arena's order
  EXPECT_EQ(model.header, expected.header);
  EXPECT_EQ(model.data.size(), expected.data.size());
  EXPECT_EQ(xxh3_hex(model.data), weights_hash(out_));
}

TEST_P(RunFolder, IsTheNextRunsAloneAfterIt) {
  ASSERT_NO_FATAL_FAILURE(train({"--set", "log.steps=true"}));
  const std::string first = weights_hash(out_);
  ASSERT_NO_FATAL_FAILURE(train({"--set", "train.epochs=1", "--overwrite"}));
  EXPECT_NE(weights_hash(out_), first);
  EXPECT_EQ(read_csv(out_ / "metrics.csv").rows.size(), 1U);
  EXPECT_FALSE(fs::exists(out_ / "steps.csv"));
  for (const auto& entry : fs::directory_iterator(out_))
    EXPECT_EQ(entry.path().filename().string().find(".tmp"), std::string::npos) << entry.path();
}

TEST_P(RunFolder, IsNamedAfterTheConfigurationUnlessOutSaysOtherwise) {
  const Outcome outcome = run({"train", "run.toml"}, GetParam(), in(folder_.path()));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(fs::exists(folder_ / "runs/run/summary.json"));
}

}  // namespace
}  // namespace lockstep::program
