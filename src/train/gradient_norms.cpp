#include "train/gradient_norms.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/simd.h"
#include "kernels/arrays.h"

namespace lockstep::train {

// Each chunk has a sum of its own, by the rank whose it is; they are added in their order.
std::vector<double> squared_norms(reduce::Reducer& reducer, const std::vector<nn::Tensor>& tensors,
                                  const comm::Communicator& communicator, int threads) {
  using reduce::Division;
  const Division& division = reducer.division();
  const std::vector<Division::OwnChunk>& own = division.own();
  std::vector<std::int64_t> sums(
      division.all().size());  // the bits of doubles: 0 plus a number is the number
  reducer.wait_for_whole_sum();
  parallel_ranges(own.size(), 1, threads, [&](std::size_t begin, std::size_t end) {
    alignas(64) float scratch[Division::kChunk];
    for (; begin < end; ++begin) {
      const Division::OwnChunk& chunk = own[begin];
      if (!tensors[chunk.tensor].learns()) continue;
      const auto gradient = reducer.read(chunk.tensor, chunk.begin, std::span(scratch).first(chunk.size));
      sums[chunk.number] = std::bit_cast<std::int64_t>(kernels::sum_of_squares(gradient, 1));
    }
  });
  if (division.is_divided()) communicator.allreduce_sum(sums);
  std::vector<double> squares(tensors.size());
  for (std::size_t c = 0; c < sums.size(); ++c)
    squares[division.all()[c].tensor] += std::bit_cast<double>(sums[c]);
  return squares;
}

double clip_factor(double clip_norm, std::span<const double> squared_norms) {
  if (clip_norm == 0.0) return 1.0;
  double sum = 0.0;
  for (const double square : squared_norms) sum += square;
  return std::min(1.0, clip_norm / (std::sqrt(sum) + 1e-6));
}

}  // namespace lockstep::train
