// compute.balance with clocks that the tests set: who gets which shards, and that no number depends on it.
#include "run/balance.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/hash.h"
#include "mpi_main.h"
#include "support.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;
using test::self;
using test::world;

constexpr std::size_t kShards = 12;

// On files as those of CIFAR-10, whose first hundred images are something; the rest of them is a hole.
class BalanceTest : public testing::Test {
 protected:
  BalanceTest() {
    if (world().rank() == 0) path_ = (folder_.emplace().path()).string();
    world().broadcast(path_, 0);
    write_images(0);
    config_ = config::parse(fmt_config(path_), "test", {});
    world().barrier();
  }
  ~BalanceTest() override { world().barrier(); }

  void write_images(int salt) const {
    if (world().rank() != 0) return;
    std::string images;
    for (int i = 0; i < 100; ++i) {
      images += static_cast<char>((i + salt) % 10);
      for (int j = 0; j < 3072; ++j) images += static_cast<char>((i * j + salt) % 251);
    }
    for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                             "data_batch_5.bin", "test_batch.bin"}) {
      const fs::path file = fs::path(path_) / name;
      std::ofstream(file, std::ios::binary) << images;
      fs::resize_file(file, 10000 * 3073);
    }
  }
  void remove_files() const {
    if (world().rank() == 0)
      for (const auto& entry : fs::directory_iterator(path_)) fs::remove(entry);
    world().barrier();
  }

  // This rank has computed for so long since.
  void compute_for(double seconds) {
    progress_.add({liveness::Activity::kForward, 1, 0, static_cast<std::int64_t>(1e9 * seconds)});
  }
  // The last rank takes twice as long for a shard.
  void compute_for_shards(const data::ShardDivision& division) {
    const double shards = static_cast<double>(division.of_rank(world().rank()).size());
    compute_for(world().rank() + 1 == world().size() ? 2.0 * shards : shards);
  }

  static std::string weights_of(Experiment& experiment) {
    return hash_hex(std::as_bytes(experiment.trainer().parameters()));
  }
  std::string weights_of_one_rank(std::size_t epochs) const {
    Experiment alone(config_, self(), 1);
    for (std::size_t e = 0; e < epochs; ++e) alone.trainer().epoch(nullptr);
    return weights_of(alone);
  }

  std::string path_;
  std::optional<test::TemporaryFolder> folder_;  // on rank 0
  config::RunConfig config_;
  liveness::Progress progress_;
  report::Console console_{world().rank() == 0};

 private:
  static std::string fmt_config(const std::string& folder) {
    return "[data]\ndataset = \"cifar10\"\ndir = \"" + folder +
           "\"\nshards = 12\ntrain_samples = 100\ntest_samples = 20\n"
           "[model]\nhidden = [10]\n[train]\nbatch_size = 24\n[compute]\nbalance = true\n";
  }
};

TEST_F(BalanceTest, ASlowRankGetsFewerShardsAndEveryRankTheSameWeights) {
  Experiment experiment(config_, world(), 1);
  Balance balance(experiment, world(), progress_, console_);
  const data::ShardDivision even(kShards, world().size());
  testing::internal::CaptureStdout();
  balance.between_epochs();
  EXPECT_EQ(experiment.division(), even) << "nothing is known yet";
  experiment.trainer().epoch(nullptr);
  compute_for_shards(experiment.division());
  balance.between_epochs();
  const data::ShardDivision uneven = experiment.division();
  const std::vector<std::size_t> expected[] = {{12}, {8, 4}, {5, 5, 2}};
  EXPECT_EQ(uneven.counts(), expected[world().size() - 1]);
  EXPECT_EQ(experiment.loader().shards(), uneven.of_rank(world().rank()));
  experiment.trainer().epoch(nullptr);
  compute_for_shards(experiment.division());
  balance.between_epochs();
  EXPECT_EQ(experiment.division(), uneven) << "as fast as before";
  experiment.trainer().epoch(nullptr);
  compute_for(static_cast<double>(uneven.of_rank(world().rank()).size()));
  balance.between_epochs();
  EXPECT_EQ(experiment.division() == uneven, world().size() == 1) << "all are as fast again";
  experiment.trainer().epoch(nullptr);
  const std::string said = testing::internal::GetCapturedStdout();
  if (world().rank() == 0 && world().size() == 2) {
    EXPECT_EQ(said,
              "shards divided by speed: rank 0 has 8, rank 1 has 4\n"
              "shards divided by speed: ranks 0 to 1 have 6 each\n");
  }
  EXPECT_EQ(weights_of(experiment), weights_of_one_rank(4));
}

TEST_F(BalanceTest, ShortTimesAddUpUntilTheyTellSomething) {
  Experiment experiment(config_, world(), 1);
  Balance balance(experiment, world(), progress_, console_);
  const data::ShardDivision even(kShards, world().size());
  console_.mute();
  const double share = world().rank() == 0 ? 1.0 : 0.1;
  for (int i = 0; i < 4; ++i) {
    compute_for(0.12 * share);
    balance.between_epochs();
    EXPECT_EQ(experiment.division(), even);
  }
  compute_for(0.12 * share);
  balance.between_epochs();
  EXPECT_EQ(experiment.division() == even, world().size() == 1);
}

// What happens to the files in between, and what is said of it, on rank 0.
class BalanceWithoutFilesTest : public BalanceTest, public testing::WithParamInterface<bool> {};

TEST_P(BalanceWithoutFilesTest, ShardsStayWhereTheyAreAndTrainingGoesOn) {
  const std::string weights = weights_of_one_rank(2);
  Experiment experiment(config_, world(), 1);
  Balance balance(experiment, world(), progress_, console_);
  experiment.trainer().epoch(nullptr);
  world().barrier();
  if (GetParam())
    remove_files();
  else
    write_images(1);
  world().barrier();
  testing::internal::CaptureStderr();
  compute_for_shards(experiment.division());
  balance.between_epochs();
  experiment.trainer().epoch(nullptr);
  compute_for_shards(experiment.division());
  balance.between_epochs();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(experiment.division(), data::ShardDivision(kShards, world().size()));
  EXPECT_EQ(weights_of(experiment), weights);
  if (world().rank() != 0 || world().size() == 1) {
    EXPECT_EQ(said, "");
    return;
  }
  test::expect_line_with(said.substr(0, said.size() - 1),
                         {"lockstep: warning: ", GetParam() ? "data_batch_1.bin" : "fingerprint",
                          "; shards stay with their ranks, training goes on"});
}

INSTANTIATE_TEST_SUITE_P(Files, BalanceWithoutFilesTest, testing::Bool(),
                         [](const auto& files) { return files.param ? "Gone" : "OfOtherContent"; });

}  // namespace
}  // namespace lockstep::run
