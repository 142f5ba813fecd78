// Training on 1, 2, 3, 4, 5 and 8 ranks: the sums of reduce.mode = "float" agree to rounding. On CIFAR-10
// where CIFAR10_DIR points at it, else on the synthetic set.
#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using Words = std::vector<std::string>;

// Trains into a folder named after the ranks and threads, and returns its metrics.
Table train(const TemporaryFolder& folder, int ranks, int threads, const Words& settings) {
  const std::string name = std::to_string(ranks) + "x" + std::to_string(threads);
  Words words = {"train",
                 "run.toml",
                 "--quiet",
                 "--out",
                 name,
                 "--set",
                 "reduce.mode=float",
                 "--set",
                 "compute.threads=" + std::to_string(threads)};
  for (const std::string& setting : settings) words.insert(words.end(), {"--set", setting});
  const Outcome outcome = run(words, ranks, in(folder.path()));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return read_csv(folder / (name + "/metrics.csv"));
}

void expect_agreement(const Words& settings) {
  const TemporaryFolder folder;
  write_small_config(folder.path());
  const Table expected = train(folder, kOneProcess, 1, settings);
  ASSERT_EQ(expected.rows.size(), 3U);
  for (const auto& [ranks, threads] : {std::pair(1, 2), {2, 1}, {3, 1}, {4, 1}, {5, 1}, {8, 1}}) {
    const Table metrics = train(folder, ranks, threads, settings);
    ASSERT_EQ(metrics.rows.size(), 3U);
    for (std::size_t epoch = 0; epoch < 3; ++epoch) {
      for (const char* loss : {"train_loss", "test_loss"}) {
        const double wanted = expected.number(epoch, loss);
        EXPECT_NEAR(metrics.number(epoch, loss), wanted, 1e-4 * wanted)
            << loss << " of epoch " << epoch + 1 << " on " << ranks << " ranks x " << threads << " threads";
      }
    }
  }
}

TEST(EightRanks, AndFewerAgreeWithOneProcess) {
  Words settings = {"train.epochs=3", "data.train_samples=1003", "data.test_samples=517",
                    "model.hidden=[16]"};
  if (const char* cifar10 = std::getenv("CIFAR10_DIR"); cifar10 != nullptr && *cifar10 != '\0') {
    const std::string path = std::filesystem::absolute(cifar10).string();
    settings.insert(settings.end(), {"data.dataset=cifar10", "data.dir=" + path});
  }
  expect_agreement(settings);
}

TEST(EightRanks, AndFewerAgreeWithOneProcessWhereSomeHaveNoSamples) {
  expect_agreement({"train.epochs=3", "data.train_samples=3", "data.test_samples=1"});
}

TEST(EightRanks, AndFewerEvaluateWeightsAsOneProcessDoes) {
  const TemporaryFolder folder;
  write_small_config(folder.path());
  ASSERT_EQ(run({"train", "run.toml", "--out", "out", "--quiet"}, kOneProcess, in(folder.path())).code, 0);
  const auto evaluate = [&folder](int ranks) {
    const std::string text = run({"eval", "out"}, ranks, in(folder.path())).out;
    std::smatch parts;
    EXPECT_TRUE(std::regex_search(text, parts, std::regex("test +loss ([0-9.]+) +accuracy ([0-9.]+)")))
        << text;
    return std::pair(std::stod(parts[1]), parts[2].str());
  };
  const auto [loss, accuracy] = evaluate(kOneProcess);
  for (const int ranks : {2, 3, 8}) {
    const auto score = evaluate(ranks);
    EXPECT_NEAR(score.first, loss, 1e-6 * loss) << ranks << " ranks";
    EXPECT_EQ(score.second, accuracy) << ranks << " ranks";
  }
}

}  // namespace
}  // namespace lockstep::program
