// Sums that go on while the caller computes.
#include "comm/background_sums.h"

#include <gtest/gtest.h>

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

TEST(BackgroundSums, SumFloatsToo) {
  BackgroundSums sums(world());
  std::vector<float> x(5000, 0.5F);
  sums.start(std::span(x));
  sums.wait();
  for (const float value : x) ASSERT_EQ(value, 0.5F * static_cast<float>(world().size()));
}

}  // namespace
}  // namespace lockstep::comm
