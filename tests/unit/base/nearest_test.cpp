#include "base/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace lockstep {
namespace {

const std::vector<std::string> kWords = {"train", "eval", "verify", "sweep"};

TEST(Nearest, FindsTheWordThatFewestChangesLeadTo) {
  EXPECT_EQ(nearest("train", kWords), "train");
  EXPECT_EQ(nearest("tarin", kWords), "train");
  EXPECT_EQ(nearest("eavl", kWords), "eval");  // a swap, not two replacements
  EXPECT_EQ(nearest("tain", kWords), "train");
  EXPECT_EQ(nearest("sweeep", kWords), "sweep");
  EXPECT_EQ(nearest("evl", kWords), "eval");
}

TEST(Nearest, FindsNothingWhereAllAreFar) {
  EXPECT_EQ(nearest("explain", kWords), std::nullopt);
  EXPECT_EQ(nearest("el", kWords), std::nullopt);  // two insertions are half of a word
  EXPECT_EQ(nearest("ever", kWords), std::nullopt);
  EXPECT_EQ(nearest("train", {}), std::nullopt);
}

}  // namespace
}  // namespace lockstep
