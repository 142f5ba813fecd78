// Sums of batch norm's statistics: channels of very different sizes, over ranks.
#include "reduce/statistics_sum.h"

#include <gtest/gtest.h>

#include "layer_lists.h"
#include "mpi_main.h"

namespace lockstep::reduce {
namespace {

using test::world;

TEST(StatisticsSum, HoldsChannelsOfEverySize) {
  const nn::Model model(test::with_layers({{.kind = nn::LayerOptions::Kind::kBatchNorm}, test::dense()}), 3,
                        1);
  ASSERT_EQ(model.tensors()[2].name, "layers.0.running_mean");
  ASSERT_EQ(model.tensors()[3].name, "layers.0.running_var");
  StatisticsSum sum(model);
  const float means[] = {-3e4F, 1.5F, 0.25F}, variances[] = {9e8F, 0.36F, 1e-6F};
  for (int step = 0; step < 2; ++step) {  // the second begins anew
    for (int micro_batch = 0; micro_batch < 2; ++micro_batch) {
      sum.add({.tensor = 3, .dy = {variances, 1, 3}, .rows_per_sample = 0});
      sum.add({.tensor = 2, .dy = {means, 1, 3}, .rows_per_sample = 0});
    }
    std::vector<std::int64_t> words;
    sum.append_to(words);
    ASSERT_EQ(words.size(), sum.words());
    world().allreduce_sum(words);
    sum.take(words);
    const auto found_means = sum.read(2, model.tensors()[2].offset, 3);
    const auto found_variances = sum.read(3, model.tensors()[3].offset + 1, 2);
    const double count = 2.0 * world().size();
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_FLOAT_EQ(found_means[i], static_cast<float>(count * double{means[i]}));
    for (std::size_t i = 0; i < 2; ++i)
      EXPECT_NEAR(found_variances[i], count * double{variances[i + 1]},
                  1e-6 * count * double{variances[i + 1]});
  }
}

}  // namespace
}  // namespace lockstep::reduce
