// Forward passes of networks whose parameters arrive while they go on.
#include "nn/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "layer_lists.h"
#include "nn/model.h"
#include "reference_model.h"

namespace lockstep::nn {
namespace {

using Kind = LayerOptions::Kind;
using test::dense;

// An arena of which there is what somebody has waited for, and `beyond` more; the rest is NaN.
class Arriving final : public Arrivals {
 public:
  Arriving(const std::vector<float>& all, std::size_t beyond)
      : all_(all), arena_(all.size(), std::numeric_limits<float>::quiet_NaN()), beyond_(beyond) {}

  std::size_t wait_for(std::span<const float> parameters, std::size_t least) override {
    const auto begin = static_cast<std::size_t>(parameters.data() - arena_.data());
    EXPECT_LE(begin + parameters.size(), arena_.size());
    EXPECT_LE(least, parameters.size());
    if (begin + least > there_) {
      there_ = std::min(begin + least + beyond_, all_.size());
      std::copy_n(all_.begin(), there_, arena_.begin());
      ++waits_;
    }
    return there_ < begin ? 0 : std::min(there_ - begin, parameters.size());
  }

  const std::vector<float>& arena() const { return arena_; }
  bool all_there() const { return there_ == all_.size(); }
  int waits() const { return waits_; }

 private:
  const std::vector<float>& all_;
  std::vector<float> arena_;
  std::size_t beyond_, there_ = 0;
  int waits_ = 0;
};

struct Network {
  static constexpr ImageShape kImage{2, 6, 5};
  static constexpr std::size_t kOutputs = 3, kRows = 6;

  Model model;
  std::vector<float> arena;
  Workspace workspace;

  explicit Network(const std::vector<LayerOptions>& layers)
      : model(test::with_layers(layers), kImage.size(), kOutputs, kImage),
        arena(test::random_floats(model.parameters(), 8, 0.3F)),
        workspace(model, kRows, Workspace::Use::kForwardAndBackward) {}

  std::vector<float> outputs(const std::vector<float>& parameters, Arrivals* arrivals) {
    test::fill_input(test::random_batch(kRows, kImage.size(), kOutputs, 4), workspace.input(kRows));
    const std::vector<std::size_t> micro_batches = {4, 2};
    const PassContext pass{.threads = 2, .micro_batches = micro_batches, .arrivals = arrivals};
    const auto y = model.forward(parameters, workspace, kRows, pass);
    return {y.data, y.data + y.rows * y.cols};
  }
};

TEST(Arrivals, OfAnyLayersParametersAreWaitedForBeforeTheyAreRead) {
  const std::vector<LayerOptions> layers = {{.kind = Kind::kConv, .filters = 4, .size = 3},
                                            {.kind = Kind::kBatchNorm},
                                            test::pointwise(kernels::Activation::kTanh),
                                            dense(700),
                                            {.kind = Kind::kBatchNorm},
                                            dense(20, /*bias=*/false),
                                            dense()};
  Network network(layers);
  const std::vector<float> expected = network.outputs(network.arena, nullptr);
  for (const std::size_t beyond : {0, 1, 1000, 50000}) {
    Arriving arriving(network.arena, beyond);
    EXPECT_TRUE(test::same_bits(network.outputs(arriving.arena(), &arriving), expected)) << beyond;
    EXPECT_TRUE(arriving.all_there());
  }
}

TEST(Arrivals, GiveSlicesOfADenseLayerAndOneWhereAllIsThere) {
  Network network({dense(1030, /*bias=*/false), dense()});
  Arriving slowly(network.arena, 0), at_once(network.arena, network.arena.size());
  network.outputs(slowly.arena(), &slowly);
  EXPECT_EQ(slowly.waits(), 9 + 2);  // of 128 rows at most; the last layer's weight and its bias
  network.outputs(at_once.arena(), &at_once);
  EXPECT_EQ(at_once.waits(), 1);
}

}  // namespace
}  // namespace lockstep::nn
