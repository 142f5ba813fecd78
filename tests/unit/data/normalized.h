// What the tests of the normalisation share.
#pragma once

#include <cmath>
#include <vector>

#include "data/normalizer.h"

namespace lockstep::test {

inline constexpr data::Normalization kNormalizations[] = {
    data::Normalization::kNone, data::Normalization::kScale, data::Normalization::kMean,
    data::Normalization::kMeanStd};

// Sample i as the network sees it.
inline std::vector<float> applied(const data::Normalizer& normalizer, const data::SampleStore& samples,
                                  std::size_t i) {
  std::vector<float> x(samples.width, std::nanf(""));
  normalizer.apply(samples, i, x);
  return x;
}

}  // namespace lockstep::test
