// The power-of-two scales of the exact reduction: one per parameter tensor, followed from step to step.
//
// README.md in this folder derives the rules. Everything here is a function of sums over all ranks, so that
// every rank, and a run on any other number of ranks, has the same scales at every step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/fixed_point.h"

namespace lockstep::reduce {

class Scales {
 public:
  // For tensors to whose sums at most `contributions` blocks contribute in one step, over all ranks. Sums fit
  // integers of sum_bits: 32, or 16 where they travel as such. Throws ConfigError if that leaves a
  // contribution too few bits.
  Scales(std::size_t tensors, std::size_t contributions, int sum_bits = 32);

  // A contribution is clamped to +-limit(), so that the sum of all of them fits.
  float limit() const { return limit_; }
  float scale(std::size_t tensor) const;    // what a contribution is multiplied with
  float inverse(std::size_t tensor) const;  // what a sum is multiplied with

  // How large the contributions to a tensor were, in a form that ranks can add up: kSlots counters per
  // tensor, of which the one that is hit says where the largest value's bit length, at this scale, lies.
  static constexpr std::size_t kSlots = 128;
  void count(std::size_t tensor, kernels::Magnitude magnitude, std::span<std::int32_t> slots) const;

  enum class Verdict {
    kFits,       // the sum stands
    kRescale,    // the values outgrew the scale, or lost too many bits to it: the step must be added again
    kNotFinite,  // a contribution was infinite or NaN
  };
  // What the slots, summed over all ranks, say of a tensor.
  Verdict judge(std::size_t tensor, std::span<const std::int32_t> slots) const;

  // Sets the scales for the next addition, whether it repeats this step or begins another.
  void follow(std::span<const std::int32_t> slots);

  // The exponents e of scale 2^e, one per tensor.
  std::span<const int> exponents() const { return exponents_; }
  // Goes on from such exponents. Throws ShapeError unless there is one per tensor, within +-126.
  void restore(std::span<const std::int32_t> exponents);

 private:
  // The highest slot that any rank counted a tensor in.
  static std::size_t highest_slot(std::size_t tensor, std::span<const std::int32_t> slots);
  // The exponent that leaves the headroom above values of the highest slot.
  int next_exponent(std::size_t tensor, std::size_t highest) const;

  // How far the largest value of a step may lie from where the step before expected it.
  struct Range {
    int least;     // bits of a contribution at the limit, or the configuration is refused
    int headroom;  // bits that a gradient may grow from one step to the next
    int slack;     // bits that it may shrink, before a step has to be repeated
  };
  static constexpr Range kFullRange{16, 4, 4}, kNarrowRange{8, 1, 4};

  Range range_;
  float limit_;
  int full_bits_;  // |q| < 2^full_bits_ is within the limit
  std::vector<int> exponents_;
};

}  // namespace lockstep::reduce
