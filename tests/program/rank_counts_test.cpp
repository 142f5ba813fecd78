// One run on 1, 2, 3, 4, 5 and 8 ranks: reduce.mode = "exact" gives the same bits, "float" agrees to
// rounding. On CIFAR-10 where CIFAR10_DIR points at it, else on the synthetic set.
#include <gtest/gtest.h>

#include <cstdlib>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t kEpochs = 3;

struct Layout {
  int ranks, threads;
  std::string name() const { return std::to_string(ranks) + "x" + std::to_string(threads); }
};
constexpr Layout kOne = {kOneProcess, 1};
const std::vector<Layout> kOthers = {{1, 2}, {2, 1}, {3, 1}, {4, 1}, {5, 1}, {8, 1}};

// Sample numbers that nothing divides.
Words real_data_if_there_is() {
  Words settings = {"data.train_samples=1003", "data.test_samples=517", "model.hidden=[16]"};
  if (const char* cifar10 = std::getenv("CIFAR10_DIR"); cifar10 != nullptr && *cifar10 != '\0') {
    const std::string path = std::filesystem::absolute(cifar10).string();
    settings.insert(settings.end(), {"data.dataset=cifar10", "data.dir=" + path});
  }
  return settings;
}
const Words kFewerSamplesThanRanks = {"data.train_samples=3", "data.test_samples=1"};

class OnAnyLayout : public testing::Test {
 protected:
  OnAnyLayout() { write_small_config(folder_.path()); }

  // Trains into a folder named after the layout, and returns its metrics.
  Table train(const Layout& layout, const std::string& mode, const Words& settings) {
    Words words = {"train", "run.toml", "--quiet", "--out", layout.name()};
    const Words common = {"log.steps=true", "train.epochs=" + std::to_string(kEpochs), "reduce.mode=" + mode,
                          "compute.threads=" + std::to_string(layout.threads)};
    for (const Words& part : {common, settings})
      for (const std::string& setting : part) words.insert(words.end(), {"--set", setting});
    const Outcome outcome = run(words, layout.ranks, in(folder_.path(), 60));
    EXPECT_EQ(outcome.code, 0) << layout.name() << ": " << outcome.err;
    Table metrics = read_csv(folder_ / (layout.name() + "/metrics.csv"));
    EXPECT_EQ(metrics.rows.size(), kEpochs) << layout.name();
    return metrics;
  }

  std::string file(const Layout& layout, const std::string& name) const {
    return read_text(folder_ / (layout.name() + "/" + name));
  }

  void expect_equal_bits(const Words& settings) {
    const Table expected = train(kOne, "exact", settings);
    for (const Layout& layout : kOthers) {
      const Table metrics = train(layout, "exact", settings);
      EXPECT_EQ(file(layout, "steps.csv"), file(kOne, "steps.csv")) << layout.name();
      EXPECT_TRUE(file(layout, "model.safetensors") == file(kOne, "model.safetensors")) << layout.name();
      EXPECT_EQ(timeless(metrics), timeless(expected)) << layout.name();
    }
  }

  void expect_agreement(const Words& settings) {
    const Table expected = train(kOne, "float", settings);
    for (const Layout& layout : kOthers) {
      const Table metrics = train(layout, "float", settings);
      for (std::size_t epoch = 0; epoch < kEpochs; ++epoch) {
        for (const char* loss : {"train_loss", "test_loss"}) {
          const double wanted = expected.number(epoch, loss);
          EXPECT_NEAR(metrics.number(epoch, loss), wanted, 1e-4 * wanted)
              << loss << " of epoch " << epoch + 1 << ", " << layout.name();
        }
      }
    }
  }

  TemporaryFolder folder_;
};

using EightRanks = OnAnyLayout;

TEST_F(EightRanks, AndFewerTrainTheSameBitsInExactMode) { expect_equal_bits(real_data_if_there_is()); }

TEST_F(EightRanks, AndFewerTrainTheSameBitsWhereSomeHaveNoSamples) {
  expect_equal_bits(kFewerSamplesThanRanks);
}

TEST_F(EightRanks, AndFewerAgreeToRoundingInFloatMode) { expect_agreement(real_data_if_there_is()); }

TEST_F(EightRanks, AndFewerAgreeToRoundingWhereSomeHaveNoSamples) {
  expect_agreement(kFewerSamplesThanRanks);
}

TEST_F(EightRanks, AndFewerEvaluateToTheSameDigits) {
  train(kOne, "exact", real_data_if_there_is());
  const auto evaluation = [this](int ranks) {
    const Outcome outcome = run({"eval", kOne.name()}, ranks, in(folder_.path()));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  };
  const std::string expected = evaluation(kOneProcess);
  EXPECT_NE(expected.find("test"), std::string::npos) << expected;
  for (const int ranks : {2, 3, 8}) EXPECT_EQ(evaluation(ranks), expected) << ranks << " ranks";
}

}  // namespace
}  // namespace lockstep::program
