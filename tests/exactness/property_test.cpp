// Random experiments on random numbers of ranks and threads, each rank with kernels drawn for it, and half of
// them with shards divided anew after each step: each must be the run of one process with the best kernels,
// bit for bit.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <ostream>
#include <random>

#include "base/hash.h"
#include "drawn_division.h"
#include "hosts.h"
#include "kernels/kernel_set.h"
#include "layer_lists.h"
#include "mpi_main.h"
#include "small_run.h"

namespace lockstep::test {
namespace {

struct Draw {
  SmallRunOptions options;
  int ranks = 1, threads = 1;
  std::size_t hosts = 0;    // 0: as they are; else which of layouts_of_hosts they are taken to be on
  std::size_t kernels = 0;  // rank r has the processor's kernel set kernels + r, counted around
  std::size_t steps = 1;
  std::uint64_t divisions = 0;  // a seed; 0: shards stay with their ranks, which have even parts
};

// A loss with targets that it takes, and a network: hidden layers as usual, or layers of any kind in any
// order.
template <typename From>
void draw_network(SmallRunOptions& o, From&& from) {
  using kernels::Activation;
  nn::ModelOptions& model = o.model;
  const auto activation = [&] {
    return kernels::kActivations[from(0, std::size(kernels::kActivations) - 1)];
  };
  const auto width = [&] { return from(0, 9) == 0 ? from(257, 300) : from(1, 70); };
  const auto rate = [&] { return 0.1 * static_cast<double>(from(1, 8)); };
  model.loss = static_cast<kernels::Loss>(from(0, 3));
  const bool squared = model.loss == kernels::Loss::kMse || model.loss == kernels::Loss::kHalfMse;
  o.classes = model.loss == kernels::Loss::kBinaryCrossEntropy ? 2 : from(2, 12);
  if (squared && from(0, 2) == 0) {
    o.classes = from(0, 1) == 0 ? 0 : 2;
    model.outputs = 1;
  }
  model.init = std::array{"glorot", "he", "uniform(0.1)"}[from(0, 2)];
  model.bias_init = from(0, 1) == 0 ? "zeros" : "normal(0.1)";
  model.activation_parameters = {.leaky_slope = 0.2, .elu_alpha = 1.5};
  model.hidden.clear();
  if (from(0, 1) == 0) {
    for (std::size_t l = from(0, 3); l > 0; --l) model.hidden.push_back(width());
    model.activation = activation();
    model.dropout = from(0, 2) == 0 ? rate() : 0.0;
    if (squared) model.output_activation = activation();
    return;
  }
  for (std::size_t l = from(0, 5); l > 0; --l) {
    switch (from(0, 6)) {
      case 0:
        model.layers.push_back(dropout(rate()));
        break;
      case 1:
        model.layers.push_back(pointwise(activation()));
        break;
      case 2:
        model.layers.push_back(multiply(0.5 * static_cast<double>(from(1, 4))));
        break;
      case 3: {
        const std::string name = std::to_string(model.layers.size());
        const std::size_t units = width();
        for (const auto& layer :
             {named(name, dense(units)), pointwise(activation()), dense(units), add(name)})
          model.layers.push_back(layer);
        break;
      }
      default:
        model.layers.push_back(dense(width(), from(0, 1) == 0));
        model.layers.back().frozen = from(0, 4) == 0;
    }
  }
  model.layers.push_back(dense(0, from(0, 1) == 0));
}

Draw draw_experiment(std::uint64_t number, int most_ranks) {
  std::mt19937_64 engine(number);
  const auto from = [&](std::size_t low, std::size_t high) { return low + engine() % (high - low + 1); };
  Draw draw;
  SmallRunOptions& o = draw.options;
  o.features = from(0, 9) == 0 ? from(513, 700) : from(1, 60);  // now and then more than a panel of weights
  o.pixels = from(0, 3) != 0;
  o.samples = from(1, 400);
  o.seed = engine();
  draw.ranks = static_cast<int>(from(1, static_cast<std::size_t>(most_ranks)));
  draw.threads = static_cast<int>(from(1, 3));
  o.shards = from(static_cast<std::size_t>(draw.ranks), 13);
  o.batch = o.shards * from(1, 40);
  o.shuffle = from(0, 1) == 0 ? data::Shuffle::kShards : data::Shuffle::kNone;
  o.normalize = static_cast<data::Normalization>(from(0, 3));
  draw_network(o, from);
  o.train.optimizer.learning_rate = o.pixels && o.normalize == data::Normalization::kNone ? 1e-6 : 0.01;
  o.train.optimizer.kind = static_cast<optim::OptimizerOptions::Kind>(from(0, 3));
  o.train.optimizer.weight_decay = from(0, 1) == 0 ? 0.0 : 1e-2;
  o.train.clip_norm = from(0, 2) == 0 ? 0.5 : 0.0;
  o.train.average_decay = from(0, 1) == 0 ? 0.0 : 0.7;
  o.train.optimizer.momentum = from(0, 1) == 0 ? 0.0 : 0.9;
  o.train.optimizer.nesterov = o.train.optimizer.momentum != 0.0 && from(0, 1) == 0;
  o.train.optimizer.l2 = from(0, 1) == 0 ? 0.0 : 1e-3;
  o.train.check_replicas_every = 1;
  o.reduce.wire = from(0, 3) == 0 ? reduce::Wire::kInt16 : reduce::Wire::kFull;
  o.reduce.overlap = from(0, 3) == 0 ? reduce::Overlap::kAlways : reduce::Overlap::kAuto;
  o.reduce.shared_memory = from(0, 2) != 0;
  o.reduce.bucket_bytes = from(0, 1) == 0 ? 0 : from(4, 10000);
  o.reduce.update = from(0, 2) == 0 ? reduce::Update::kEverywhere : reduce::Update::kDivided;
  draw.steps = from(1, 5);
  draw.kernels = from(0, 5);
  draw.hosts = from(0, 3);
  draw.divisions = from(0, 1) == 0 ? 0 : 1 + number;
  return draw;
}

std::ostream& operator<<(std::ostream& out, const Draw& draw) {
  const SmallRunOptions& o = draw.options;
  out << draw.ranks << " ranks x " << draw.threads << " threads, kernels from " << draw.kernels << ", "
      << o.samples << " samples of " << o.features << (o.pixels ? " pixels, " : " numbers, ") << o.shards
      << " shards" << (draw.divisions != 0 ? " that move" : "") << ", batch " << o.batch
      << (o.reduce.wire == reduce::Wire::kInt16 ? ", 16 bits" : "") << ", hidden";
  for (const std::size_t width : o.model.hidden) out << ' ' << width;
  return out << ", " << kernels::name(o.model.loss) << ", seed " << o.seed;
}

struct Trained {
  std::string weights, average;
  std::vector<double> losses;
  std::string divergence;  // empty, or the line that ended it
  bool operator==(const Trained&) const = default;
};

Trained train(const Draw& draw, const comm::Communicator& communicator, int threads,
              kernels::KernelSet kernel_set) {
  kernels::use_kernel_set(kernel_set);
  SmallRun run(draw.options, communicator, threads);
  train::Trainer& trainer = run.start();
  Trained trained;
  try {
    std::mt19937_64 engine(draw.divisions);
    for (std::size_t s = 0; s < draw.steps; ++s) {
      if (draw.divisions != 0 && communicator.size() > 1)
        run.divide(drawn_division(draw.options.shards, communicator.size(), engine));
      trained.losses.push_back(trainer.step().loss());
    }
  } catch (const comm::CollectiveError& error) {
    trained.divergence = error.what();
  }
  trained.weights = hash_hex(std::as_bytes(trainer.parameters()));
  trained.average = hash_hex(std::as_bytes(trainer.average()));
  return trained;
}

// LOCKSTEP_DRAWS asks for more than the usual number.
std::uint64_t number_of_draws() {
  const char* asked = std::getenv("LOCKSTEP_DRAWS");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 200;
}

TEST(Property, RandomExperimentsAreTheSameOnAnyNumberOfRanksAndThreadsAndWithAnyKernels) {
  const comm::Communicator& world = session().world();
  const std::vector<kernels::KernelSet> kernel_sets = kernels::runnable_kernel_sets();
  // [p-1]: ranks 0..p-1 (and, for the others, the rest), on one host and as if they were on several.
  std::vector<std::vector<comm::Communicator>> first_ranks;
  for (int p = 1; p <= world.size(); ++p) {
    auto& groups = first_ranks.emplace_back();
    groups.push_back(world.split(world.rank() < p ? 0 : 1));
    for (const auto& hosts : test::layouts_of_hosts(groups.front().size()))
      groups.push_back(groups.front().taken_to_be_on(hosts));
  }
  for (std::uint64_t number = 0; number < number_of_draws(); ++number) {
    const Draw draw = draw_experiment(number, world.size());
    if (world.rank() >= draw.ranks) continue;
    const std::size_t own = (draw.kernels + static_cast<std::size_t>(world.rank())) % kernel_sets.size();
    const Trained together = train(draw, first_ranks[static_cast<std::size_t>(draw.ranks - 1)][draw.hosts],
                                   draw.threads, kernel_sets[own]);
    if (world.rank() != 0) continue;
    const Trained alone = train(draw, session().self(), 1, kernel_sets.front());
    EXPECT_EQ(together.weights, alone.weights) << "draw " << number << ": " << draw;
    EXPECT_EQ(together.losses, alone.losses) << "draw " << number << ": " << draw;
    EXPECT_EQ(together.divergence, alone.divergence) << "draw " << number << ": " << draw;
    EXPECT_TRUE(alone.divergence.empty() || alone.divergence.starts_with("training diverged"))
        << alone.divergence;
  }
}

}  // namespace
}  // namespace lockstep::test
