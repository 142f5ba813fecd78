// Arenas, and the layouts of ranks that may share one.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "hosts.h"
#include "nn/tensor.h"

namespace lockstep::reduce {

inline std::vector<nn::Tensor> tensors_of(const std::vector<std::size_t>& sizes) {
  std::vector<nn::Tensor> tensors;
  std::size_t offset = 0;
  for (const std::size_t size : sizes) {
    nn::Tensor& tensor = tensors.emplace_back();
    tensor.shape = {size};
    tensor.offset = offset;
    tensor.size = size;
    offset += size;
  }
  return tensors;
}

inline const std::vector<std::vector<nn::Tensor>> kArenas = {tensors_of({1}), tensors_of({4096}),
                                                             tensors_of({4097}), tensors_of({7, 3, 1, 1, 5}),
                                                             tensors_of({100000, 10, 40960, 30, 20000, 4})};

// body(tensors, hosts as Communicator::hosts() has them, floats of a bucket)
template <typename Body>
void for_every_layout(Body&& body) {
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  for (const auto& tensors : kArenas)
    for (const int ranks : {2, 3, 4, 5, 8, 64})
      for (const auto& hosts : test::layouts_of_hosts(ranks))
        for (const std::size_t bucket : {std::size_t{1}, std::size_t{5000}, std::size_t{65536}, kAll})
          body(tensors, hosts, bucket);
}

}  // namespace lockstep::reduce
