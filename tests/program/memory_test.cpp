// A rank holds its own shards and a few copies of the parameters, whatever the size of the data set.
#include <gtest/gtest.h>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kSampleBytes = 3073;  // features and label

struct Job {
  int ranks;  // kOneProcess, or under mpirun
  std::size_t train_samples;
  std::vector<std::size_t> hidden;
};

std::size_t parameters(const Job& job) {
  std::size_t width = 3072, sum = 0;
  for (const std::size_t hidden : job.hidden) sum += (width + 1) * hidden, width = hidden;
  return sum + (width + 1) * 10;
}

// Trains for an epoch; every rank must stay within its shards' bytes, six times the parameters' and 100 MiB.
void expect_bounded_memory(const Job& job) {
  const TemporaryFolder folder;
  write_small_config(folder.path());
  std::string hidden;
  for (const std::size_t width : job.hidden) hidden += (hidden.empty() ? "" : ",") + std::to_string(width);
  Words words;
  if (job.ranks != kOneProcess) {
    words = mpirun();
    words.insert(words.end(), {"-np", std::to_string(job.ranks)});
  }
  words.insert(
      words.end(),
      {peak_memory(), (folder / "peak").string(), program(), "train", "run.toml", "--out", "out", "--set",
       "data.train_samples=" + std::to_string(job.train_samples), "--set", "data.test_samples=10000", "--set",
       "model.hidden=[" + hidden + "]", "--set", "train.batch_size=4096", "--set", "train.epochs=1"});
  const Outcome outcome = execute(words, in(folder.path(), 60));
  ASSERT_EQ(outcome.code, 0) << outcome.err;

  const int ranks = job.ranks == kOneProcess ? 1 : job.ranks;
  constexpr std::size_t kShards = 8;
  for (int rank = 0; rank < ranks; ++rank) {
    const std::size_t shards = kShards * (rank + 1) / ranks - kShards * rank / ranks;
    const std::size_t samples = shards * (job.train_samples / kShards + 1);
    std::size_t limit = samples * kSampleBytes + 6 * 4 * parameters(job) + 100 * kMiB;
#ifdef LOCKSTEP_SANITIZED
    limit += limit / 2 + 300 * kMiB;  // of shadow and quarantine
#endif
    const std::size_t peak = std::stoull(read_text(folder / ("peak." + std::to_string(rank))));
    EXPECT_GT(peak, samples * kSampleBytes) << "rank " << rank << " cannot have held its samples";
    EXPECT_LE(peak, limit) << "rank " << rank << " took " << peak / kMiB << " MiB, expected at most "
                           << limit / kMiB;
  }
}

TEST(OneProcess, HoldsTheSamplesOnceAndFewCopiesOfTheParameters) {
  expect_bounded_memory({kOneProcess, 50000, {100}});
}

TEST(TwoRanks, HoldHalfOfTheSamplesEach) { expect_bounded_memory({2, 50000, {100}}); }

TEST(TwoRanks, HoldFewCopiesOfALargeNetworksParameters) { expect_bounded_memory({2, 2048, {1024, 1024}}); }

TEST(OneProcess, HoldsFewCopiesOfALargeNetworksParameters) {
  expect_bounded_memory({kOneProcess, 2048, {1024, 1024}});
}

}  // namespace
}  // namespace lockstep::program
