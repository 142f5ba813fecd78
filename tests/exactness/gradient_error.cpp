// How far the gradients of both reductions are from the gradient in double: for the network of
// cifar10_dense100 on synthetic images, or any CIFAR-10 in CIFAR10_DIR, after a number of training steps.
//
// Usage: gradient_error [STEPS]. Prints, for each tensor, quantiles of |g - g64| over the largest |g64| of
// the tensor.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "comm/session.h"
#include "data/batch_loader.h"
#include "nn/initializer.h"
#include "reference_network.h"
#include "train/trainer.h"

namespace {

using namespace lockstep;

constexpr std::size_t kBatch = 512, kShards = 8;
constexpr int kThreads = 1;

// One pass over an epoch's first batch with the given weights, the scales being those that a run would have:
// they have seen such a batch before.
std::vector<float> reduced_gradient(reduce::Mode mode, const nn::Model& model,
                                    const data::BatchLoader& loader, const data::Normalizer& normalizer,
                                    std::span<const float> arena, const comm::Communicator& self) {
  const auto reducer = reduce::make_reducer({.mode = mode}, model, kShards, self, kThreads);
  nn::Workspace workspace(model, kBatch, nn::Workspace::Use::kForwardAndBackward);
  std::vector<float> targets(kBatch);
  std::vector<std::uint32_t> sample_ids(kBatch);
  const auto blocks = loader.blocks(0);
  std::vector<std::size_t> block_rows;
  for (const data::Block& block : blocks) block_rows.push_back(block.rows());
  for (int summed = 0; summed < 2;) {
    const kernels::Matrix input = workspace.input(kBatch);
    loader.gather(blocks, normalizer, {input.data, kBatch * input.cols}, targets, sample_ids, kThreads);
    const auto outputs = model.forward(arena, workspace, kBatch, {.threads = kThreads});
    kernels::evaluate_loss(kernels::Loss::kCrossEntropy, outputs, targets, 1.0 / kBatch,
                           workspace.output_gradient(kBatch), kThreads);
    reducer->begin_pass(block_rows, /*last=*/true);
    model.backward(arena, workspace, kBatch, *reducer, {.threads = kThreads});
    if (reducer->finish() == reduce::Reducer::Outcome::kSummed) ++summed;
  }
  return reducer->gradient();
}

std::vector<double> gradient_in_double(const nn::Model& model, const data::BatchLoader& loader,
                                       const data::Normalizer& normalizer, std::span<const float> arena) {
  test::ReferenceNetwork network{.widths = {model.inputs(), 100, model.outputs()},
                                 .parameters = {arena.begin(), arena.end()}};
  std::vector<float> x(kBatch * model.inputs());
  std::vector<float> targets(kBatch);
  std::vector<std::uint32_t> sample_ids(kBatch);
  loader.gather(loader.blocks(0), normalizer, x, targets, sample_ids, kThreads);
  std::vector<test::Sample> batch;
  for (std::size_t i = 0; i < kBatch; ++i) {
    const float* row = x.data() + i * model.inputs();
    batch.push_back({{row, row + model.inputs()}, targets[i]});
  }
  return network.gradient(batch, /*with_l2=*/false);
}

void print_errors(const char* mode, const nn::Tensor& tensor, const std::vector<float>& found,
                  const std::vector<double>& exact) {
  double largest = 0.0;
  std::vector<double> errors;
  for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
    largest = std::max(largest, std::fabs(exact[i]));
    errors.push_back(std::fabs(static_cast<double>(found[i]) - exact[i]));
  }
  std::sort(errors.begin(), errors.end());
  const auto quantile = [&](double q) {
    return errors[static_cast<std::size_t>(q * static_cast<double>(errors.size() - 1))] / largest;
  };
  fmt::print("{:<16} {:<6} {:>9.2e} {:>9.2e} {:>9.2e}\n", tensor.name, mode, quantile(0.5), quantile(0.99),
             quantile(1.0));
}

}  // namespace

int main(int argc, char** argv) {
  comm::Session session(argc, argv);
  const std::size_t steps = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100;
  data::DataOptions options;
  options.dataset = std::getenv("CIFAR10_DIR") != nullptr ? "cifar10" : "synthetic";
  const auto dataset = data::open_dataset(options);
  const data::DatasetInfo info = dataset->info();
  const data::ShardPlan plan(info.train_samples, kShards, kBatch, data::Shuffle::kShards, 1);
  data::BatchLoader loader(*dataset, plan, {0, plan.shards()});
  const data::Normalizer normalizer(data::Normalization::kMean, info, loader.samples(), {});
  const nn::Model model({}, info.features(), info.classes);
  AlignedBuffer<float> arena(model.parameters());
  nn::initialize(model.tensors(), 1, arena.span());
  const auto reducer = reduce::make_reducer({}, model, kShards, session.self(), kThreads);
  train::TrainOptions training;
  training.optimizer.momentum = 0.9;
  train::Trainer trainer(
      {session.self(), plan, loader, normalizer, model, kernels::Loss::kCrossEntropy, *reducer, kThreads, 1},
      training, std::move(arena));
  for (std::size_t s = 0; s < steps; ++s) trainer.step();
  loader.start_epoch(steps);

  const auto exact = gradient_in_double(model, loader, normalizer, trainer.parameters());
  fmt::print("{}, after {} steps, batch {} in {} shards\n", info.name, steps, kBatch, kShards);
  fmt::print("{:<16} {:<6} {:>9} {:>9} {:>9}\n", "tensor", "mode", "median", "99 %", "largest");
  for (const auto mode : {reduce::Mode::kExact, reduce::Mode::kFloat}) {
    const auto found =
        reduced_gradient(mode, model, loader, normalizer, trainer.parameters(), session.self());
    for (const nn::Tensor& tensor : model.tensors())
      print_errors(mode == reduce::Mode::kExact ? "exact" : "float", tensor, found, exact);
  }
  session.finalize();
  return 0;
}
