// The views of an image whose outputs an evaluation averages.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "data/normalizer.h"
#include "data/view.h"

namespace lockstep::data {

// With o(d, r) the mean of the outputs of the image moved down by d and right by r pixels, reflected at the
// edges, and of the mirror image of that:
//   one      the image's own outputs
//   flip     o(0, 0)
//   shifts   1/2 o(0, 0) + 1/4 o(-1, -1) + 1/4 o(1, 1)
// Source: Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU" (2024), and its code, where they are
// tta_level 0, 1 and 2 (github.com/KellerJordan/cifar10-airbench, airbench94.py).
enum class Views { kOne, kFlip, kShifts };

class EvaluatedViews {
 public:
  // Of a sample of any kind: itself.
  EvaluatedViews() : EvaluatedViews(Views::kOne, {}) {}
  // image: of the samples; nothing: they are none. Throws ConfigError, which names the key, where that has no
  // such views.
  EvaluatedViews(Views kind, const std::optional<ImageSize>& image);

  std::size_t count() const { return views_.size(); }
  // What view v's outputs are multiplied by: a power of two, and together 1.
  float weight(std::size_t v) const { return views_[v].weight; }
  // x (features) <- view v of sample i, normalised. Overwritten.
  void apply(std::size_t v, const Normalizer& normalizer, const SampleStore& samples, std::size_t i,
             std::span<float> x) const;

 private:
  struct Weighted {
    View view;
    float weight;
  };
  std::vector<Weighted> views_;
  std::optional<ImageSize> image_;
};

}  // namespace lockstep::data
