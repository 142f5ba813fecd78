#include "train/arriving.h"

namespace lockstep::train {

using liveness::Activity;

namespace {

// wait(least), a transfer unless wait(0) says that so much is there.
template <typename Wait>
std::size_t timed(Wait&& wait, std::size_t least, liveness::Progress* progress, std::size_t step) {
  const std::size_t there = wait(std::size_t{0});
  if (there >= least) return there;
  const liveness::Span span(progress, Activity::kTransfer, step);
  return wait(least);
}

}  // namespace

std::size_t wait_for(std::span<const float> parameters, std::size_t least, reduce::Reducer& reducer,
                     liveness::Progress* progress, std::size_t step) {
  return timed([&](std::size_t n) { return reducer.wait_for(parameters, n); }, least, progress, step);
}

std::size_t wait_for_sum(std::size_t least, reduce::Reducer& reducer, liveness::Progress* progress,
                         std::size_t step) {
  return timed([&](std::size_t n) { return reducer.wait_for_sum(n); }, least, progress, step);
}

ForwardSpan::ForwardSpan(reduce::Reducer& reducer, liveness::Progress* progress, std::size_t step)
    : reducer_(reducer), progress_(progress), step_(step) {
  span_.emplace(progress, Activity::kForward, step);
}

std::size_t ForwardSpan::wait_for(std::span<const float> parameters, std::size_t least) {
  const std::size_t there = reducer_.wait_for(parameters, 0);
  if (there >= least) return there;
  span_.reset();
  const std::size_t arrived = train::wait_for(parameters, least, reducer_, progress_, step_);
  span_.emplace(progress_, Activity::kForward, step_);
  return arrived;
}

}  // namespace lockstep::train
