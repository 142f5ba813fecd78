// The moving average against its formula in double.
#include "optim/average.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "support.h"

namespace lockstep::optim {
namespace {

TEST(Average, IsTheFormulaFromTheFirstStepOn) {
  for (const double decay : {0.5, 0.99, 0.999}) {
    for (const std::size_t n : test::kAwkwardSizes) {
      Average average(decay, test::random_floats(n, 1));
      std::vector<double> expected(n);
      for (std::uint64_t step = 0; step < 40; ++step) {
        const auto w = test::random_floats(n, 10 + step);
        average.follow(w, 0, step == 0);
        for (std::size_t i = 0; i < n; ++i) {
          expected[i] = step == 0 ? w[i] : decay * expected[i] + (1.0 - decay) * w[i];
          ASSERT_NEAR(average.values()[i], expected[i], 1e-6) << "decay " << decay << ", step " << step;
        }
      }
    }
  }
}

TEST(Average, FollowsSlicesAlone) {
  const auto begin = test::random_floats(200, 1), w = test::random_floats(200, 2);
  Average whole(0.9, begin), cut(0.9, begin);
  whole.follow(w, 0, false);
  cut.follow(std::span(w).subspan(63), 63, false);
  EXPECT_TRUE(test::same_bits(cut.values().first(63), std::span(begin).first(63)));
  cut.follow(std::span(w).first(63), 0, false);
  EXPECT_TRUE(test::same_bits(cut.values(), whole.values()));
}

TEST(Average, OfParametersThatStayIsTheirBits) {
  const auto w = test::random_floats(200, 1);
  Average average(0.999, w);
  for (int step = 0; step < 9; ++step) average.follow(w, 0, step == 0);
  EXPECT_TRUE(test::same_bits(average.values(), w));
}

TEST(Average, WithoutDecayIsNotKept) {
  const auto w = test::random_floats(10, 1);
  Average none(0.0, w);
  EXPECT_FALSE(none.is_kept());
  EXPECT_EQ(none.bytes(), 0U);
  EXPECT_NO_THROW(none.follow(w, 0, false));
  EXPECT_NO_THROW(none.restore({}));
  EXPECT_THROW(none.restore(w), ModelError);
  EXPECT_EQ(Average(0.5, w).bytes(), 40U);
  EXPECT_THROW(Average(0.5, w).restore({}), ModelError);
}

}  // namespace
}  // namespace lockstep::optim
