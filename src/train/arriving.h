// What waits for sums and parameters that are on their way from other ranks. The time is the transfer's.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "liveness/progress.h"
#include "nn/arrivals.h"
#include "reduce/reducer.h"

namespace lockstep::train {

// Reducer::wait_for, in step `step` (1, 2, ...).
std::size_t wait_for(std::span<const float> parameters, std::size_t least, reduce::Reducer& reducer,
                     liveness::Progress* progress, std::size_t step);

// Reducer::wait_for_sum, likewise.
std::size_t wait_for_sum(std::size_t least, reduce::Reducer& reducer, liveness::Progress* progress,
                         std::size_t step);

// The time from its construction to its end is forward's, but for what it waits.
class ForwardSpan final : public nn::Arrivals {
 public:
  ForwardSpan(reduce::Reducer& reducer, liveness::Progress* progress, std::size_t step);
  std::size_t wait_for(std::span<const float> parameters, std::size_t least) override;

 private:
  reduce::Reducer& reducer_;
  liveness::Progress* progress_;
  std::size_t step_;
  std::optional<liveness::Span> span_;
};

}  // namespace lockstep::train
