// Batch normalisation, a column (channel) at a time, each group of rows (micro-batch) by itself.
//
// Shapes: x, y, dy, dx (N, C), one row per pixel; `groups` are the numbers of rows of the groups, one after
// the other, N in all; statistics (groups, C), gamma and beta (C). Column sums are in double, rows in index
// order, so that an element's bits depend on its group and column alone. Source: Ioffe and Szegedy, ICML
// 2015; micro-batches: Hoffer, Hubara and Soudry, NeurIPS 2017 (ghost batch norm).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/gemm.h"

namespace lockstep::kernels {

using Groups = std::span<const std::size_t>;

struct GroupStatistics {
  std::vector<double> mean, variance;  // (groups, C); the variance is the mean of (x - mean)^2
};
GroupStatistics group_statistics(ConstMatrix x, Groups groups, int threads);

// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with gamma 1 and beta 0 where these are empty.
// Overwrites y.
void normalize_groups(ConstMatrix x, Groups groups, const GroupStatistics& statistics, double epsilon,
                      std::span<const float> gamma, std::span<const float> beta, Matrix y, int threads);

// With u = (x - mean) / sqrt(variance + epsilon), the statistics being those of x: overwrites
//   dbeta (groups, C)   the sum of a group's rows of dy
//   dgamma (groups, C)  the sum of its rows of dy u
//   dx                  gamma / sqrt(variance + epsilon) (dy - dbeta / n - u dgamma / n), n: rows of a group
// A dx without data is not computed; it may take dy's place.
void normalize_groups_backward(ConstMatrix x, Groups groups, const GroupStatistics& statistics,
                               double epsilon, std::span<const float> gamma, ConstMatrix dy,
                               std::span<float> dgamma, std::span<float> dbeta, Matrix dx, int threads);

}  // namespace lockstep::kernels
