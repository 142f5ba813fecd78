#include "data/evaluated_views.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace lockstep::data {

EvaluatedViews::EvaluatedViews(Views kind, const std::optional<ImageSize>& image) {
  const auto add_pair = [this](std::ptrdiff_t move, float weight) {
    for (const bool mirrored : {false, true})
      views_.push_back({{.down = move, .right = move, .mirrored = mirrored}, 0.5F * weight});
  };
  if (kind == Views::kOne) {
    views_.push_back({{}, 1.0F});
    return;
  }
  if (!image) throw ConfigError("eval.views is set, expected a data set of images with it");
  image_ = image;
  if (kind == Views::kFlip) {
    add_pair(0, 1.0F);
    return;
  }
  if (std::min(image->height, image->width) < 2)
    throw ConfigError(
        fmt::format("eval.views is \"shifts\", expected images of at least 2 x 2 pixels with it, not {} x {}",
                    image->height, image->width));
  add_pair(0, 0.5F);
  add_pair(-1, 0.25F);
  add_pair(1, 0.25F);
}

void EvaluatedViews::apply(std::size_t v, const Normalizer& normalizer, const SampleStore& samples,
                           std::size_t i, std::span<float> x) const {
  if (image_)
    apply_view(views_[v].view, *image_, normalizer, samples, i, x);
  else
    normalizer.apply(samples, i, x);
}

}  // namespace lockstep::data
