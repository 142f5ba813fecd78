// What ranks do together, at whatever number of them this job has.
#include "comm/communicator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "mpi_main.h"
#include "support.h"

namespace lockstep::comm {
namespace {

using test::self;
using test::world;

TEST(Communicator, RanksAreNumberedFromZero) {
  EXPECT_GE(world().rank(), 0);
  EXPECT_LT(world().rank(), world().size());
  std::vector<std::int64_t> seen(static_cast<std::size_t>(world().size()));
  seen[static_cast<std::size_t>(world().rank())] = 1;
  world().allreduce_sum(std::span(seen));
  EXPECT_EQ(seen, std::vector<std::int64_t>(seen.size(), 1));
}

TEST(Communicator, SelfIsThisRankAlone) {
  EXPECT_EQ(self().rank(), 0);
  EXPECT_EQ(self().size(), 1);
  std::vector<std::int64_t> x = {5};
  self().allreduce_sum(std::span(x));
  EXPECT_EQ(x[0], 5);
}

TEST(Communicator, AllRanksOfThisJobShareThisHost) {
  EXPECT_EQ(world().of_this_host().size(), world().size());
  EXPECT_EQ(world().of_this_host().rank(), world().rank());
  EXPECT_EQ(self().of_this_host().size(), 1);
  EXPECT_TRUE(world().on_one_host());
}

// Element i of rank r is r * 1000 + i; small numbers, so that float sums are exact too.
template <typename T>
void expect_sums(std::size_t n, const Communicator& communicator) {
  std::vector<T> x(n);
  for (std::size_t i = 0; i < n; ++i)
    x[i] = static_cast<T>(communicator.rank() * 1000 + static_cast<int>(i % 997));
  communicator.allreduce_sum(std::span(x));
  const int size = communicator.size();
  for (std::size_t i = 0; i < n; ++i)
    EXPECT_EQ(x[i], static_cast<T>(1000 * size * (size - 1) / 2 + size * static_cast<int>(i % 997)));
}

TEST(Communicator, AllreduceIsTheSumOverRanksAtEverySize) {
  for (const std::size_t n : {0, 1, 7, 21, 63, 64, 65, 5000, 100003}) {
    for (const Communicator* communicator : {&world(), &self()}) {
      expect_sums<float>(n, *communicator);
      expect_sums<std::int32_t>(n, *communicator);
      expect_sums<std::int64_t>(n, *communicator);
    }
  }
}

TEST(Communicator, IntegerSumsUseEveryBit) {
  std::vector<std::int64_t> wide = {(std::int64_t{1} << 50) + world().rank(), -(std::int64_t{1} << 50)};
  world().allreduce_sum(std::span(wide));
  const std::int64_t size = world().size();
  EXPECT_EQ(wide[0], size * (std::int64_t{1} << 50) + size * (size - 1) / 2);
  EXPECT_EQ(wide[1], -size * (std::int64_t{1} << 50));
  std::vector<std::int32_t> narrow = {2147483647 / world().size(), -2147483647 / world().size()};
  const std::int32_t expected = narrow[0] * world().size();
  world().allreduce_sum(std::span(narrow));
  EXPECT_EQ(narrow[0], expected);
  EXPECT_EQ(narrow[1], -expected);
}

TEST(Communicator, EveryRankGetsTheSameBitsOfAFloatSum) {
  auto x = test::random_floats(1000, static_cast<std::uint64_t>(world().rank()));
  world().allreduce_sum(std::span(x));
  std::string of_first(reinterpret_cast<const char*>(x.data()), x.size() * sizeof(float));
  const std::string own = of_first;
  world().broadcast(of_first, 0);
  EXPECT_TRUE(own == of_first);
}

TEST(Communicator, GatherGivesTheRootEveryRanksBytes) {
  for (int root = 0; root < world().size(); ++root) {
    const auto text_of = [](int rank) {
      return std::string(static_cast<std::size_t>(1000 * rank), static_cast<char>('a' + rank));
    };
    const auto all = world().gather(text_of(world().rank()), root);
    if (world().rank() != root) {
      EXPECT_TRUE(all.empty());
      continue;
    }
    ASSERT_EQ(all.size(), static_cast<std::size_t>(world().size()));
    for (int rank = 0; rank < world().size(); ++rank)
      EXPECT_EQ(all[static_cast<std::size_t>(rank)], text_of(rank));
  }
}

TEST(Communicator, ClocksOfOneHostAreTheSame) {
  constexpr std::int64_t kClose = 10'000'000;
  std::int64_t best = 1'000'000'000;
  for (int tries = 0; tries < 10; ++tries)  // of which one, on the busiest machine, meets no pause
    best = std::min(best, std::abs(world().clock_ahead_of_first()));
  EXPECT_LT(best, kClose);
}

TEST(Communicator, AllreduceMinIsTheSmallest) {
  EXPECT_EQ(world().allreduce_min(world().rank() + 5), 5);
  EXPECT_EQ(world().allreduce_min(-world().rank()), 1 - world().size());
  EXPECT_EQ(self().allreduce_min(17), 17);
}

TEST(Communicator, AllreduceMaxIsTheLargestOfEveryElement) {
  const std::int64_t rank = world().rank(), last = world().size() - 1, far = std::int64_t{1} << 60;
  std::vector<std::int64_t> x = {rank, -rank, far + rank, -far - rank, 7};
  world().allreduce_max(x);
  EXPECT_EQ(x, (std::vector<std::int64_t>{last, 0, far + last, -far, 7}));
  std::vector<std::int64_t> alone = {5, -5}, none;
  self().allreduce_max(alone);
  EXPECT_EQ(alone, (std::vector<std::int64_t>{5, -5}));
  world().allreduce_max(none);
}

TEST(Communicator, AllreduceMaxTakesEverySize) {
  for (const std::size_t n : {1, 7, 64, 5000}) {
    std::vector<std::int64_t> x(n), expected(n);
    for (std::size_t i = 0; i < n; ++i) {
      const auto owner = static_cast<int>(i) % world().size();  // of the largest
      x[i] = static_cast<std::int64_t>(i) - (world().rank() == owner ? 0 : 1000 + world().rank());
      expected[i] = static_cast<std::int64_t>(i);
    }
    world().allreduce_max(x);
    EXPECT_EQ(x, expected);
  }
}

TEST(Communicator, AllreduceMaxOrdersDoublesOfEverySign) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double rank = world().rank(), last = world().size() - 1;
  const bool first = world().rank() == 0;
  std::vector<double> x = {0.5 + rank,
                           -0.5 - rank,
                           1e-300 * rank,
                           first ? -0.0 : -1.0,
                           first ? -kInfinity : -1e300,
                           first ? kInfinity : 1e300};
  world().allreduce_max(x);
  EXPECT_EQ(x, (std::vector<double>{0.5 + last, -0.5, 1e-300 * last, -0.0, last > 0 ? -1e300 : -kInfinity,
                                    kInfinity}));
  for (const double nan : {std::nan(""), -std::nan("")})
    EXPECT_TRUE(std::isnan(world().allreduce_max(world().rank() == last ? nan : kInfinity)));
  EXPECT_EQ(self().allreduce_max(-7.25), -7.25);
}

TEST(Communicator, AllgatherHasEveryRanksNumberInItsPlace) {
  const std::int64_t far = std::int64_t{1} << 60;
  const auto all = world().allgather(world().rank() - far);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(world().size()));
  for (std::size_t r = 0; r < all.size(); ++r) EXPECT_EQ(all[r], static_cast<std::int64_t>(r) - far);
  EXPECT_EQ(self().allgather(17), std::vector<std::int64_t>{17});
}

TEST(Communicator, BroadcastGivesEveryRankTheRootsText) {
  for (int root = 0; root < world().size(); ++root) {
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{100000}}) {
      const std::string of_root(length, static_cast<char>('a' + root));
      std::string text = world().rank() == root ? of_root : "something else, of another length";
      world().broadcast(text, root);
      EXPECT_EQ(text, of_root);
    }
  }
}

TEST(Communicator, BroadcastKeepsZeroBytes) {
  const std::string expected("a\0b\0", 4);
  std::string text = world().rank() == 0 ? expected : "";
  world().broadcast(text, 0);
  EXPECT_EQ(text, expected);
}

// What `action` makes of this rank: the error that together threw, if any.
std::optional<CollectiveError> agreed(const Communicator& communicator, const std::function<void()>& action) {
  try {
    communicator.all_or_none(action);
  } catch (const CollectiveError& error) {
    return error;
  }
  return std::nullopt;
}

TEST(Together, RunsTheActionOnceOnEveryRank) {
  std::int64_t runs = 0;
  EXPECT_FALSE(agreed(world(), [&] { ++runs; }));
  EXPECT_EQ(runs, 1);
}

TEST(Together, AnErrorOfOneRankReachesAllWithItsRank) {
  for (int bad = 0; bad < world().size(); ++bad) {
    const auto error = agreed(world(), [&] {
      if (world().rank() == bad) throw DataError("the file is torn");
    });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ExitCode::kData);
    const std::string prefix = bad == 0 ? "" : "rank " + std::to_string(bad) + ": ";  // rank 0 acts for all
    EXPECT_EQ(error->what(), prefix + "the file is torn");
  }
}

TEST(Together, AnErrorOfAllRanksHasNoRank) {
  const auto error = agreed(world(), [] { throw ModelError("no such file"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::kModel);
  EXPECT_STREQ(error->what(), "no such file");
}

// All ranks but the first fail, each in its own way (of one rank: none does).
TEST(Together, TheLowestRanksErrorIsTheOne) {
  const auto error = agreed(world(), [] {
    if (world().rank() == 1) throw DataError("of rank one");
    if (world().rank() > 1) throw ConfigError("of a later rank");
  });
  EXPECT_EQ(error.has_value(), world().size() > 1);
  if (!error) return;
  EXPECT_EQ(error->code(), ExitCode::kData);
  EXPECT_STREQ(error->what(), "rank 1: of rank one");
}

TEST(Together, AnErrorInsideIsAgreedOnOnce) {
  const auto error = agreed(world(), [] {
    world().all_or_none([] {
      if (world().rank() == 0) throw DataError("deep inside");
    });
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->what(), std::string("deep inside"));
}

TEST(Together, WorkGoesOnAfterAnError) {
  EXPECT_TRUE(agreed(world(), [] { throw DataError("first"); }));
  std::int64_t one = 1;
  world().allreduce_sum(std::span(&one, 1));
  EXPECT_EQ(one, world().size());
  EXPECT_FALSE(agreed(world(), [] {}));
}

TEST(LibraryVersion, IsALine) {
  EXPECT_FALSE(library_version().empty());
  EXPECT_EQ(library_version().find('\n'), std::string::npos);
}

}  // namespace
}  // namespace lockstep::comm
