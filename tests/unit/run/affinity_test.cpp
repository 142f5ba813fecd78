// The cores that a process may run on, and how they are written.
#include "run/affinity.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace lockstep::run {
namespace {

TEST(AllowedCores, AreThoseOfTheAffinityMask) {
  const std::vector<int> before = allowed_cores();
  ASSERT_FALSE(before.empty());
  std::vector<int> narrowed;
  std::thread([&] {  // whose mask is its own
    cpu_set_t mask;
    CPU_ZERO(&mask);
    CPU_SET(before.back(), &mask);
    ASSERT_EQ(::sched_setaffinity(0, sizeof mask, &mask), 0);
    narrowed = allowed_cores();
  })
      .join();
  EXPECT_EQ(narrowed, std::vector{before.back()});
  EXPECT_EQ(allowed_cores(), before);
}

TEST(Ranges, JoinNeighboursOnly) {
  const auto text = [](const std::vector<int>& numbers) { return as_ranges(numbers); };
  EXPECT_EQ(text({}), "");
  EXPECT_EQ(text({5}), "5");
  EXPECT_EQ(text({0, 1}), "0-1");
  EXPECT_EQ(text({0, 2, 4}), "0,2,4");
  EXPECT_EQ(text({0, 1, 2, 3, 6, 8, 9}), "0-3,6,8-9");
}

}  // namespace
}  // namespace lockstep::run
