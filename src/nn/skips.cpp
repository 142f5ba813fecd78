#include "nn/skips.h"

#include <algorithm>
#include <utility>

namespace lockstep::nn {

Skips::Skips(std::vector<std::optional<std::size_t>> added, std::span<const std::size_t> widths,
             std::size_t first)
    : added_(std::move(added)), keeps_(widths.size()), last_(widths.size()), buffer_(widths.size()) {
  std::vector<std::size_t> free;
  for (std::size_t layer = added_.size(); layer-- > 0;) {  // as backward goes
    if (const auto used_up = buffer_[layer + 1]) free.push_back(*used_up);
    const auto output = added_[layer];
    if (!output || keeps_[*output]) continue;
    keeps_[*output] = true;
    last_[*output] = layer;
    if (*output <= first) continue;
    if (free.empty()) {
      free.push_back(buffer_widths_.size());
      buffer_widths_.push_back(0);
    }
    const std::size_t buffer = free.back();
    free.pop_back();
    buffer_[*output] = buffer;
    buffer_widths_[buffer] = std::max(buffer_widths_[buffer], widths[*output]);
  }
}

}  // namespace lockstep::nn
