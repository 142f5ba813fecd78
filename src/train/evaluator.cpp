#include "train/evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/simd.h"
#include "data/shard_plan.h"

namespace lockstep::train {
namespace {

auto part_of(const data::Dataset& dataset, data::Split split, int rank, int world) {
  return data::even_part(dataset.info().samples(split), static_cast<std::size_t>(rank),
                         static_cast<std::size_t>(world));
}

data::SampleStore load_part(const data::Dataset& dataset, data::Split split, int rank, int world) {
  const auto part = part_of(dataset, split, rank, world);
  std::vector<std::uint32_t> samples(part.size());
  std::iota(samples.begin(), samples.end(), static_cast<std::uint32_t>(part.begin));
  return dataset.load(split, samples);
}

}  // namespace

Evaluator::Evaluator(const data::Dataset& dataset, data::Split split, int rank, int world,
                     const liveness::Supervision& supervision)
    : supervision_(supervision),
      samples_(load_part(dataset, split, rank, world)),
      first_sample_(part_of(dataset, split, rank, world).begin) {}

std::vector<std::uint32_t> Evaluator::sample_ids() const {
  std::vector<std::uint32_t> ids(samples_.size());
  std::iota(ids.begin(), ids.end(), static_cast<std::uint32_t>(first_sample_));
  return ids;
}

std::size_t Evaluator::largest_pass(const nn::Model& model, std::size_t samples) {
  const std::size_t within = nn::Workspace::rows_within(kPassBytes, model, nn::Workspace::Use::kForward);
  return std::min({kPassRows, within, std::max<std::size_t>(1, samples)});
}

template <typename Visit>
void Evaluator::for_outputs(const Network& network, int threads, Visit&& visit) {
  const std::size_t at_once = largest_pass(network.model, samples_.size());
  nn::Workspace workspace(network.model, at_once, nn::Workspace::Use::kForward);
  const auto outputs_of_view = [&](std::size_t view, std::size_t begin, std::size_t rows) {
    liveness::enter(supervision_.progress, liveness::Activity::kEvaluation);
    float* input = workspace.input(rows).data;
    parallel_ranges(rows, rows_worth_a_thread(samples_.width), threads,
                    [&](std::size_t from, std::size_t to) {
                      for (std::size_t i = from; i < to; ++i)
                        network.views.apply(view, network.normalizer, samples_, begin + i,
                                            {input + i * samples_.width, samples_.width});
                    });
    return network.model.forward(network.arena, workspace, rows,
                                 {.threads = threads, .progress = supervision_.progress});
  };
  std::vector<float> mean;  // over several views
  for (std::size_t begin = 0; begin < samples_.size(); begin += at_once) {
    const std::size_t rows = std::min(at_once, samples_.size() - begin);
    kernels::ConstMatrix outputs = outputs_of_view(0, begin, rows);
    if (network.views.count() > 1) {
      mean.assign(rows * outputs.cols, 0.0F);
      for (std::size_t view = 0; view < network.views.count(); ++view) {
        if (view > 0) outputs = outputs_of_view(view, begin, rows);
        for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += network.views.weight(view) * outputs.data[k];
      }
      outputs = {mean.data(), rows, outputs.cols};
    }
    if (!visit(outputs, std::span<const float>(samples_.targets).subspan(begin, rows))) return;
  }
}

Score Evaluator::score(const Network& network, const comm::Communicator& communicator, int threads) {
  kernels::LossSums own;
  double largest_error = 0.0;
  std::int64_t in_first_5[] = {0};
  const bool with_top5 = counts_top5(network.model.outputs());
  for_outputs(network, threads, [&](kernels::ConstMatrix outputs, std::span<const float> targets) {
    if (requests_of(supervision_.signals).any()) return false;  // nobody will want the score
    own.add(kernels::evaluate_loss(network.loss, outputs, targets, 0.0, {}, threads));
    for (std::size_t i = 0; with_top5 && i < targets.size(); ++i) {
      const std::span row(outputs.data + i * outputs.row_stride, outputs.cols);
      in_first_5[0] += kernels::place_of_class(row, static_cast<std::size_t>(targets[i])) < 5;
    }
    for (std::size_t i = 0; outputs.cols == 1 && i < targets.size(); ++i)
      largest_error = std::max(largest_error, std::fabs(double{outputs.data[i]} - double{targets[i]}));
    return true;
  });
  const auto [all, stop] = sum_over_ranks({own, requests_of(supervision_.signals)}, communicator);
  if (stop.any()) throw stopped(stop, "while evaluating");
  largest_error = communicator.allreduce_max(largest_error);
  if (with_top5) communicator.allreduce_sum(in_first_5);
  const double loss = all.samples == 0
                          ? std::numeric_limits<double>::quiet_NaN()
                          : all.loss.value() / static_cast<double>(all.samples) + network.l2_loss;
  return {loss * network.target_unit * network.target_unit, all.correct, all.samples,
          largest_error * network.target_unit, in_first_5[0]};
}

std::vector<float> Evaluator::outputs(const Network& network, int threads) {
  std::vector<float> all;
  for_outputs(network, threads, [&](kernels::ConstMatrix outputs, std::span<const float>) {
    all.insert(all.end(), outputs.data, outputs.data + outputs.rows * outputs.cols);
    return true;
  });
  return all;
}

std::vector<std::int64_t> Evaluator::confusion(const Network& network, std::size_t classes,
                                               const comm::Communicator& communicator, int threads) {
  std::vector<std::int64_t> counts(classes * classes);
  for_outputs(network, threads, [&](kernels::ConstMatrix outputs, std::span<const float> targets) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const std::span row(outputs.data + i * outputs.row_stride, outputs.cols);
      ++counts[static_cast<std::size_t>(targets[i]) * classes + kernels::predicted_class(network.loss, row)];
    }
    return true;
  });
  communicator.allreduce_sum(counts);
  return counts;
}

}  // namespace lockstep::train
