#include "nn/tensor.h"

#include <algorithm>

#include "base/error.h"

namespace lockstep::nn {
namespace {

// visit(place in the arena, place in a file) of each number.
template <typename Visit>
void for_each_place(const Tensor& tensor, Visit&& visit) {
  const std::size_t filters = tensor.shape[0], channels = tensor.shape[1],
                    taps = tensor.shape[2] * tensor.shape[3];
  for (std::size_t f = 0; f < filters; ++f)
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t tap = 0; tap < taps; ++tap)
        visit((f * taps + tap) * channels + c, (f * channels + c) * taps + tap);
}

}  // namespace

std::vector<float> to_file_order(const Tensor& tensor, std::span<const float> values) {
  require(values.size() == tensor.size, "to_file_order: the length differs from the tensor's");
  std::vector<float> in_file(values.begin(), values.end());
  if (tensor.reordered_in_files())
    for_each_place(tensor, [&](std::size_t here, std::size_t there) { in_file[there] = values[here]; });
  return in_file;
}

void from_file_order(const Tensor& tensor, std::span<const float> in_file, std::span<float> values) {
  require(in_file.size() == tensor.size && values.size() == tensor.size,
          "from_file_order: the length differs from the tensor's");
  std::ranges::copy(in_file, values.begin());
  if (tensor.reordered_in_files())
    for_each_place(tensor, [&](std::size_t here, std::size_t there) { values[here] = in_file[there]; });
}

}  // namespace lockstep::nn
