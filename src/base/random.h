// Counter-based random draws: every number is a pure function of what it is for.
//
// A draw is keyed by (seed, purpose, a, b, index); a and b are the purpose's own coordinates, such as epoch
// and shard. Nothing depends on a rank, a thread or how many draws came before, so any process can make any
// draw. Generator: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace lockstep {

// What draws are for. The numbers are part of every result: never renumber.
enum class Purpose : std::uint32_t {
  kShardAssignment = 1,   // which shard a sample belongs to
  kSampleOrder = 2,       // a = epoch, b = shard
  kInitialisation = 3,    // a = tensor; index = element
  kSyntheticPattern = 4,  // a = class
  kSyntheticSample = 5,   // a = split, b = sample
  kDropout = 6,           // a = step, b = sample; index = layer and unit
  kPlanarSample = 7,      // a = data set, b = sample
  kFunctionNoise = 8,     // a = point
  kTestSplit = 9,         // which samples are set aside for testing
  kFolds = 10,            // which samples are in which fold
  kSearch = 11,           // a = trial; index = parameter
  kGradientCheck = 12,    // a = tensor; index = element
  kFlip = 13,             // a = epoch, b = sample
  kShift = 14,            // a = epoch, b = sample; index = direction
  kCutout = 15,           // a = epoch, b = sample; index = direction
};

// The draws of one (seed, purpose, a, b). Immutable: calls may run concurrently.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, Purpose purpose, std::uint32_t a = 0, std::uint32_t b = 0)
      : seed_(seed), purpose_(purpose), a_(a), b_(b) {}

  // Four independent 32-bit words.
  std::array<std::uint32_t, 4> words(std::uint32_t index) const;
  // Uniform on [0, 1), a multiple of 2^-53.
  double uniform(std::uint32_t index) const;
  // Standard normal, by Box and Muller's transform.
  double normal(std::uint32_t index) const;
  // Uniform on 0..bound-1 (to within 2^-32). Requires: bound > 0.
  std::uint32_t below(std::uint32_t index, std::uint32_t bound) const;

 private:
  std::uint64_t seed_;
  Purpose purpose_;
  std::uint32_t a_, b_;
};

// A permutation of 0..n-1, by Fisher and Yates.
std::vector<std::uint32_t> random_permutation(std::uint32_t n, const RandomStream& stream);

}  // namespace lockstep
