// The filters of a whitening layer: what takes patches of the training images to values that are uncorrelated
// and of about the same size.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "nn/image.h"

namespace lockstep::nn {

// The patches of size x size pixels of `count` images, one at every place (stride 1, no padding), are vectors
// p of n = channels * size^2 numbers, in the order channels, rows, columns. With the eigenvalues v_k and
// eigenvectors e_k of their second moments E[p pᵀ] (the mean is not taken away: images are normalised
// already), the filters are
//   e_k / sqrt(v_k + epsilon),  v_k descending, and then the same negated:
// 2n filters (2n, channels, size, size). image(i) gives image i as the network sees it, channel by channel;
// the moments are summed in double in the order of images and places. Throws DataError where a number is not
// finite. Source: Jordan, arXiv 2404.00498, section 3.2; Page, "How to train your ResNet", part 8.
std::vector<float> whitening_filters(const ImageShape& shape, std::size_t size, double epsilon,
                                     std::size_t count,
                                     const std::function<std::span<const float>(std::size_t)>& image);

}  // namespace lockstep::nn
