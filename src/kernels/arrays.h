// Sums, checks and row broadcasts over flat arrays.
#pragma once

#include <span>

#include "kernels/gemm.h"

namespace lockstep::kernels {

// x (B,N) += bias (N), to every row.
void add_bias(Matrix x, std::span<const float> bias, int threads);

// sums (N) += the sum of the rows of x (B,N): kChunk rows at a time are summed in index order, and these sums
// are added in order.
void add_column_sums(ConstMatrix x, std::span<float> sums);

// y <- y + x in place. Throws ShapeError if the lengths differ.
void add(std::span<const float> x, std::span<float> y, int threads);

// x <- factor * x in place.
void multiply(std::span<float> x, float factor, int threads);

// average_i <- (1 - share) average_i + share * scale * sums_i, in double.
void move_towards(std::span<const float> sums, double scale, double share, std::span<float> average);

// Sum of x_i^2, in double; the same bits for any number of threads.
double sum_of_squares(std::span<const float> x, int threads);

// The largest |x_i|; 0 if there is none. A NaN does not count.
double largest_magnitude(std::span<const float> x);

// False if any x_i is infinite or NaN.
bool all_finite(std::span<const float> x, int threads = 1);

}  // namespace lockstep::kernels
