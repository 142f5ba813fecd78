#include "train/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string_view>

#include "kernels/arrays.h"
#include "train/replica_check.h"

namespace lockstep::train {
namespace {

// A float's place among all floats, ordered as the values are.
std::int64_t ordinal(float x) {
  const auto bits = std::bit_cast<std::int32_t>(x);
  return bits >= 0 ? std::int64_t{bits} : -std::int64_t{bits & 0x7fffffff};
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return std::equal(a.begin(), a.end(), b.begin(), [](float x, float y) {
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
  });
}

std::string_view layer_of(const nn::Tensor& tensor) {
  return std::string_view(tensor.name).substr(0, tensor.name.rfind('.'));
}

bool same_loss(const StepReport& a, const StepReport& b) {
  return a.sums.loss.value() == b.sums.loss.value() && a.sums.correct == b.sums.correct &&
         a.sums.samples == b.sums.samples && a.l2_loss == b.l2_loss;
}

}  // namespace

ArenaDifference compare(const std::vector<nn::Tensor>& tensors, std::span<const float> a,
                        std::span<const float> b) {
  ArenaDifference difference;
  for (const nn::Tensor& tensor : tensors) {
    const auto x = tensor.slice(a), y = tensor.slice(b);
    if (same_bits(x, y)) continue;
    if (difference.identical) difference.first_tensor = tensor.name;
    difference.identical = false;
    double largest = 0.0, distance = 0.0;
    for (const nn::Tensor& other : tensors)
      if (layer_of(other) == layer_of(tensor))
        largest = std::max({largest, kernels::largest_magnitude(other.slice(a)),
                            kernels::largest_magnitude(other.slice(b))});
    const bool finite = kernels::all_finite(x) && kernels::all_finite(y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      distance = std::max(distance, std::fabs(double{x[i]} - double{y[i]}));
      const std::int64_t apart = ordinal(x[i]) - ordinal(y[i]);
      difference.ulps = std::max(difference.ulps, static_cast<std::uint64_t>(std::abs(apart)));
    }
    if (!finite)
      difference.relative = std::numeric_limits<double>::infinity();
    else if (largest > 0.0)
      difference.relative = std::max(difference.relative, distance / largest);
  }
  return difference;
}

Verification verify(const comm::Communicator& communicator, const std::vector<nn::Tensor>& tensors,
                    Trainer& together, Trainer* alone, std::size_t steps, bool stop_at_difference) {
  Verification result;
  for (std::size_t step = 0; step <= steps; ++step) {
    StepReport of_all, of_one;
    if (step > 0) {
      of_all = together.step();
      if (of_all.stop.by_signal()) throw stopped(of_all.stop, fmt::format("after step {}", step));
      // The others wait for a rank that computes all of it.
      liveness::enter(together.parts().supervision.progress, liveness::Activity::kOtherGroups);
      communicator.all_or_none([&] {
        if (alone != nullptr) of_one = alone->step();
      });
      result.steps = step;
    }
    result.odd_replica = find_odd_replica(communicator, tensors, together.parameters()).value_or("");
    if (result.odd_replica.empty())
      result.odd_replica =
          find_odd_replica(communicator, tensors, together.average(), "averaged weights").value_or("");
    bool differs = !result.odd_replica.empty();
    const std::span<const float> network = together.network();
    if (alone != nullptr) {
      result.last = compare(tensors, together.parameters(), alone->parameters());
      if (result.last.identical) result.last = compare(tensors, network, alone->network());
      differs = differs || !result.last.identical || (step > 0 && !same_loss(of_all, of_one));
    }
    differs = communicator.allreduce_min(differs ? 0 : 1) == 0;
    if (differs && result.identical) {
      result.identical = false;
      result.first_step = step;
      result.first = result.last;
    }
    if (differs && (stop_at_difference || !result.odd_replica.empty())) break;
  }
  return result;
}

}  // namespace lockstep::train
