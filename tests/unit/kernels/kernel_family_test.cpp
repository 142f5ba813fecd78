#include "kernels/kernel_family.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace lockstep::kernels {
namespace {

// Some runs of these tests ask for a family; it has to be chosen before the first product.
class ChosenFamily final : public testing::Environment {
 public:
  void SetUp() override {
    if (const char* family = std::getenv("TEST_KERNEL_FAMILY")) use_kernel_family(family);
  }
};
const auto* const kChosenFamily = testing::AddGlobalTestEnvironment(new ChosenFamily);

TEST(KernelFamily, IsTheOneThatWasChosen) {
  const char* chosen = std::getenv("TEST_KERNEL_FAMILY");
  if (chosen != nullptr)
    EXPECT_EQ(kernel_family(), chosen);
  else
    EXPECT_FALSE(kernel_family().empty());
}

TEST(KernelFamily, TheBestIsOneOfTheFamilies) {
  EXPECT_GE(best_kernel_family(), 0);
  EXPECT_LT(static_cast<std::size_t>(best_kernel_family()), kernel_families().size());
}

TEST(KernelFamily, NoneIsListedTwice) {
  std::vector<std::string> names(kernel_families().begin(), kernel_families().end());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

TEST(KernelFamily, MeasuringGivesEachFamilyARateAndLeavesThisProcessAsItIs) {
  const std::string before = kernel_family();
  const auto families = kernel_families().first(static_cast<std::size_t>(best_kernel_family()) + 1);
  const std::vector<double> rates = measure_kernel_families(families);
  ASSERT_EQ(rates.size(), families.size());
  for (const double rate : rates) {
    EXPECT_GT(rate, 0.01);  // GFLOP/s: an interpreter would do that
    EXPECT_LT(rate, 1e4);
  }
  EXPECT_EQ(kernel_family(), before);
}

TEST(KernelFamily, ALaterOneIsChosenWhereItIsATenthFaster) {
  const auto chosen = [](std::vector<double> rates) { return choose_kernel_family(rates); };
  EXPECT_EQ(chosen({90.0}), 0U);
  EXPECT_EQ(chosen({90.0, 120.0}), 1U);
  EXPECT_EQ(chosen({90.0, 98.0}), 0U);
  EXPECT_EQ(chosen({90.0, 70.0}), 0U);
  EXPECT_EQ(chosen({50.0, 90.0, 95.0}), 1U);
  EXPECT_EQ(chosen({50.0, 40.0, 60.0}), 2U);
  EXPECT_EQ(chosen({0.0, 0.0}), 0U);  // nothing could be measured
}

TEST(BlisVersion, IsNamed) { EXPECT_NE(blis_version().find_first_of("0123456789"), std::string::npos); }

}  // namespace
}  // namespace lockstep::kernels
