// Samples that are images, as a picture.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/dataset.h"

namespace lockstep::run {

// Whether they are images of 1 or 3 channels.
bool are_images(const data::DatasetInfo& info);

// The images of these samples as tiles in that order, a binary PPM. Values are shown from the least of an
// image to its largest. Requires are_images.
std::string sample_images(const data::Dataset& dataset, data::Split split,
                          std::span<const std::uint32_t> samples);

}  // namespace lockstep::run
