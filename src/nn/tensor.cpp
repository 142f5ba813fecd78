#include "nn/tensor.h"

#include "base/error.h"

namespace lockstep::nn {
std::size_t index_in_file(const Tensor& tensor, std::size_t index) {
  if (!tensor.reordered_in_files()) return index;
  const std::size_t channels = tensor.shape[1], taps = tensor.shape[2] * tensor.shape[3];
  const std::size_t channel = index % channels, tap = index / channels % taps,
                    filter = index / channels / taps;
  return (filter * channels + channel) * taps + tap;
}

std::vector<float> to_file_order(const Tensor& tensor, std::span<const float> values) {
  require(values.size() == tensor.size, "to_file_order: the length differs from the tensor's");
  std::vector<float> in_file(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) in_file[index_in_file(tensor, i)] = values[i];
  return in_file;
}

void from_file_order(const Tensor& tensor, std::span<const float> in_file, std::span<float> values) {
  require(in_file.size() == tensor.size && values.size() == tensor.size,
          "from_file_order: the length differs from the tensor's");
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = in_file[index_in_file(tensor, i)];
}

}  // namespace lockstep::nn
