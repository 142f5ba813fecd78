// Skip connections of a network: which outputs are added to later ones, and where a backward pass keeps their
// gradients until it comes to the layers that they are of.
//
// Output 0 is the network's input, output l + 1 that of layer l.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace lockstep::nn {

class Skips {
 public:
  Skips() = default;
  // added: for each layer, the output that is added to its own, of an earlier layer. widths: of all outputs.
  // Those of layers before `first` need no gradient.
  Skips(std::vector<std::optional<std::size_t>> added, std::span<const std::size_t> widths,
        std::size_t first);

  // The output that is added to the layer's own, if there is one.
  std::optional<std::size_t> added_to(std::size_t layer) const { return added_[layer]; }
  // Whether an output is added to a later one, so that no other may take its place in memory.
  bool keeps(std::size_t output) const { return keeps_[output]; }

  // The buffer in which the gradient of an output waits, and for how wide outputs each buffer is. Two outputs
  // share one where the first to be needed has been used up by then.
  std::optional<std::size_t> buffer(std::size_t output) const { return buffer_[output]; }
  const std::vector<std::size_t>& buffer_widths() const { return buffer_widths_; }
  // Whether the layer is the last that the output is added to: backward comes to it first.
  bool last_to_add(std::size_t layer, std::size_t output) const { return last_[output] == layer; }

 private:
  std::vector<std::optional<std::size_t>> added_;   // per layer
  std::vector<bool> keeps_;                         // per output
  std::vector<std::size_t> last_;                   // likewise
  std::vector<std::optional<std::size_t>> buffer_;  // likewise
  std::vector<std::size_t> buffer_widths_;
};

}  // namespace lockstep::nn
