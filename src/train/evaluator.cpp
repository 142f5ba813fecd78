#include "train/evaluator.h"

#include <algorithm>
#include <numeric>

#include "data/shard_plan.h"
#include "kernels/simd.h"

namespace lockstep::train {
namespace {

data::SampleStore load_part(const data::Dataset& dataset, data::Split split, int rank, int world) {
  const auto part = data::even_part(dataset.info().samples(split), static_cast<std::size_t>(rank),
                                    static_cast<std::size_t>(world));
  std::vector<std::uint32_t> samples(part.size());
  std::iota(samples.begin(), samples.end(), static_cast<std::uint32_t>(part.begin));
  return dataset.load(split, samples);
}

}  // namespace

Evaluator::Evaluator(const data::Dataset& dataset, data::Split split, int rank, int world)
    : samples_(load_part(dataset, split, rank, world)) {}

Score Evaluator::score(const nn::Model& model, kernels::Loss loss, std::span<const float> arena,
                       const data::Normalizer& normalizer, double l2_loss,
                       const comm::Communicator& communicator, int threads) {
  nn::Workspace workspace(model, std::min(kPassRows, samples_.size()), nn::Workspace::Use::kForward);
  kernels::LossSums own;
  for (std::size_t begin = 0; begin < samples_.size(); begin += kPassRows) {
    const std::size_t rows = std::min(kPassRows, samples_.size() - begin);
    float* input = workspace.input(rows).data;
    kernels::parallel_ranges(rows, 1, threads, [&](std::size_t from, std::size_t to) {
      for (std::size_t i = from; i < to; ++i)
        normalizer.apply(samples_.row(begin + i), {input + i * samples_.width, samples_.width});
    });
    const auto outputs = model.forward(arena, workspace, rows, threads);
    own.add(kernels::evaluate_loss(loss, outputs, std::span(samples_.labels).subspan(begin, rows), 0.0, {},
                                   threads));
  }
  const kernels::LossSums all = AllRanksLossSums(own, communicator).get();
  return {all.loss.value() / static_cast<double>(all.samples) + l2_loss, all.correct, all.samples};
}

}  // namespace lockstep::train
