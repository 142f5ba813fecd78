// Parameters that may still be on their way from other ranks when a forward pass begins.
#pragma once

#include <cstddef>
#include <span>

namespace lockstep::nn {

class Arrivals {
 public:
  virtual ~Arrivals() = default;
  // Returns when at least the first `least` of these elements of the arena are there; how many of them are by
  // then, from the first on. They arrive in the arena's order.
  virtual std::size_t wait_for(std::span<const float> parameters, std::size_t least) = 0;
};

}  // namespace lockstep::nn
