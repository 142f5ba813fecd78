// Sums that go on while the caller computes.
#include "comm/background_sums.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "base/clock.h"
#include "mpi_main.h"

namespace lockstep::comm {
namespace {

using test::world;

// Buffer k of rank r holds 1000 k + r + i.
std::vector<std::vector<std::int32_t>> buffers(std::size_t count, std::size_t size) {
  std::vector<std::vector<std::int32_t>> all(count, std::vector<std::int32_t>(size));
  for (std::size_t k = 0; k < count; ++k)
    std::iota(all[k].begin(), all[k].end(), static_cast<std::int32_t>(1000 * k) + world().rank());
  return all;
}

void expect_sums(const std::vector<std::vector<std::int32_t>>& all) {
  const std::int32_t size = world().size();
  for (std::size_t k = 0; k < all.size(); ++k)
    for (std::size_t i = 0; i < all[k].size(); ++i)
      ASSERT_EQ(all[k][i], size * static_cast<std::int32_t>(1000 * k + i) + size * (size - 1) / 2)
          << "number " << i << " of sum " << k;
}

TEST(BackgroundSums, AreInPlaceAfterWait) {
  BackgroundSums sums(world());
  for (const std::size_t size : {1, 1000, 300000}) {
    auto all = buffers(7, size);
    for (auto& x : all) sums.start(std::span(x));
    sums.wait();
    expect_sums(all);
  }
  sums.wait();  // for nothing
}

TEST(BackgroundSums, GoOnWithoutTheCaller) {
  liveness::Progress progress;
  BackgroundSums sums(world(), &progress);
  auto all = buffers(3, 100000);
  for (auto& x : all) sums.start(std::span(x));
  const auto deadline = nanoseconds_now() + std::int64_t{20} * 1'000'000'000;
  const auto noted = [&] {
    return progress.seconds()[static_cast<std::size_t>(liveness::Activity::kBucket)] > 0.0;
  };
  while (!noted() && nanoseconds_now() < deadline) {
  }
  EXPECT_TRUE(noted()) << "no sum was done before wait";
  sums.wait();
  expect_sums(all);
}

TEST(BackgroundSums, LeaveMpiToTheCallerAfterPause) {
  BackgroundSums sums(world());
  auto all = buffers(4, 50000);
  for (std::size_t k = 0; k < all.size(); ++k) {
    sums.start(std::span(all[k]));
    sums.pause();
    std::int64_t x = world().rank();
    world().allreduce_sum(std::span(&x, 1));
    EXPECT_EQ(x, std::int64_t{world().size()} * (world().size() - 1) / 2);
  }
  sums.wait();
  expect_sums(all);
}

// Buffer k has of each rank r, in a place of its own, r + 1 bytes of value 10 k + r.
struct Gathering {
  Parts parts;
  std::vector<std::vector<std::byte>> buffers;

  explicit Gathering(std::size_t count) {
    int size = 0;
    for (int rank = 0; rank < world().size(); ++rank) {
      parts.places.push_back(size);
      parts.sizes.push_back(rank + 1);
      size += rank + 1;
    }
    const auto own = static_cast<std::size_t>(world().rank());
    for (std::size_t k = 0; k < count; ++k) {
      auto& buffer = buffers.emplace_back(static_cast<std::size_t>(size));
      std::fill_n(buffer.begin() + parts.places[own], parts.sizes[own], value(k, own));
    }
  }
  static std::byte value(std::size_t k, std::size_t rank) { return static_cast<std::byte>(10 * k + rank); }
  void start(BackgroundSums& sums) {
    for (auto& buffer : buffers) sums.start_in_turn({buffer, &parts});
  }
  bool is_there(std::size_t k) const {
    for (std::size_t rank = 0; rank < parts.sizes.size(); ++rank)
      for (int i = 0; i < parts.sizes[rank]; ++i)
        if (buffers[k][static_cast<std::size_t>(parts.places[rank] + i)] != value(k, rank)) return false;
    return true;
  }
};

TEST(BackgroundSums, GatherInTurnAndTheFirstAreWaitedForFirst) {
  constexpr std::size_t kBuffers = 20;
  BackgroundSums sums(world());
  for (const std::size_t stride : {1, 7}) {
    Gathering gathering(kBuffers);
    gathering.start(sums);
    EXPECT_LE(sums.wait_for(0), kBuffers);
    for (std::size_t count = stride; count <= kBuffers; count += stride) {
      const std::size_t there = sums.wait_for(count);
      EXPECT_GE(there, count);
      for (std::size_t k = 0; k < there; ++k) ASSERT_TRUE(gathering.is_there(k)) << k;
    }
    sums.wait();
    for (std::size_t k = 0; k < kBuffers; ++k) ASSERT_TRUE(gathering.is_there(k)) << k;
  }
}

// One rank waits, and the others' threads do their share; then MPI is the caller's again.
TEST(BackgroundSums, AreThereWithoutTheOtherRanksWaiting) {
  BackgroundSums sums(world());
  Gathering gathering(20);
  gathering.start(sums);
  if (world().rank() == 0) {
    EXPECT_EQ(sums.wait_for(20), 20U);
    EXPECT_TRUE(gathering.is_there(19));
  } else {
    const auto deadline = nanoseconds_now() + std::int64_t{20} * 1'000'000'000;
    while (sums.wait_for(0) < 20 && nanoseconds_now() < deadline) {
    }
    EXPECT_EQ(sums.wait_for(0), 20U) << "the thread has not begun all of them";
  }
  world().barrier();
  auto all = buffers(2, 1000);
  for (auto& x : all) sums.start(std::span(x));
  sums.wait();
  expect_sums(all);
}

TEST(BackgroundSums, SumFloatsToo) {
  BackgroundSums sums(world());
  std::vector<float> x(5000, 0.5F);
  sums.start(std::span(x));
  sums.wait();
  for (const float value : x) ASSERT_EQ(value, 0.5F * static_cast<float>(world().size()));
}

}  // namespace
}  // namespace lockstep::comm
