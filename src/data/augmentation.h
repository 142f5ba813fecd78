// What becomes of a training image each time it is trained on.
#pragma once

#include <cstdint>
#include <optional>

#include "data/dataset.h"
#include "data/options.h"
#include "data/view.h"

namespace lockstep::data {

// Draws the view of an image by (seed, epoch, sample), the same on any rank and thread, in any order:
//   shift     down and right, each uniform on -shift .. shift
//   random    mirrored with probability 1/2
//   alternate mirrored in each second epoch, from the first or the second one on with probability 1/2 each,
//             so that two epochs show each image both ways. Source: Jordan, "94% on CIFAR-10 in 3.29 Seconds
//             on a Single GPU" (2024), 3.6.
//   cutout    a square around a pixel drawn uniformly from the image, cut off at its edges. Source: DeVries,
//             Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout" (2017).
class Augmentation {
 public:
  Augmentation() = default;  // none
  // image: of the samples; nothing: they are none. Throws ConfigError, which names the key, where the options
  // don't suit that.
  Augmentation(const AugmentOptions& options, const std::optional<ImageSize>& image, std::uint64_t seed);

  bool any() const { return any_; }
  // Of images of this size. Requires: any().
  const ImageSize& image() const { return image_; }
  View view(std::size_t epoch, std::uint32_t sample) const;

 private:
  AugmentOptions options_;
  ImageSize image_ = {};
  std::uint64_t seed_ = 0;
  bool any_ = false;
};

}  // namespace lockstep::data
