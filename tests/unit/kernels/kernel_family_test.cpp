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

TEST(BlisVersion, IsNamed) { EXPECT_NE(blis_version().find_first_of("0123456789"), std::string::npos); }

}  // namespace
}  // namespace lockstep::kernels
