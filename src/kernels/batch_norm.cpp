#include "kernels/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/simd.h"

namespace lockstep::kernels {
namespace {

// Columns that a thread takes at once: their sums stay in the first-level cache.
constexpr std::size_t kColumns = 64;

LOCKSTEP_CLONES void add_values(const float* x, std::size_t n, double* sums) {
  for (std::size_t c = 0; c < n; ++c) sums[c] += double{x[c]};
}

LOCKSTEP_CLONES void add_squares(const float* x, const double* mean, std::size_t n, double* sums) {
  for (std::size_t c = 0; c < n; ++c) {
    const double difference = double{x[c]} - mean[c];
    sums[c] += difference * difference;
  }
}

LOCKSTEP_CLONES void add_products(const float* dy, const float* x, const float* mean, const float* inverse,
                                  std::size_t n, double* of_dy, double* of_products) {
  for (std::size_t c = 0; c < n; ++c) {
    of_dy[c] += double{dy[c]};
    of_products[c] += double{dy[c] * ((x[c] - mean[c]) * inverse[c])};
  }
}

LOCKSTEP_CLONES void normalize_row(const float* x, const float* mean, const float* factor, const float* beta,
                                   std::size_t n, float* y) {
  for (std::size_t c = 0; c < n; ++c) y[c] = (x[c] - mean[c]) * factor[c] + beta[c];
}

LOCKSTEP_CLONES void gradient_row(const float* dy, const float* x, const float* mean, const float* inverse,
                                  const float* factor, const float* mean_dy, const float* mean_product,
                                  std::size_t n, float* dx) {
  for (std::size_t c = 0; c < n; ++c)
    dx[c] = factor[c] * (dy[c] - mean_dy[c] - ((x[c] - mean[c]) * inverse[c]) * mean_product[c]);
}

// A group's rows, and some of the columns.
struct Part {
  std::size_t group, row, rows, col, cols;
};

// work(part) for each, the threads sharing them.
template <typename Work>
void for_parts(ConstMatrix x, Groups groups, int threads, Work&& work) {
  require(std::accumulate(groups.begin(), groups.end(), std::size_t{0}) == x.rows && x.col_stride == 1,
          "batch norm: the groups are not those of the rows");
  std::vector<Part> parts;
  std::size_t row = 0;
  for (std::size_t g = 0; g < groups.size(); row += groups[g++])
    for (std::size_t col = 0; col < x.cols; col += kColumns)
      parts.push_back({g, row, groups[g], col, std::min(kColumns, x.cols - col)});
  parallel_ranges(parts.size(), 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t p = begin; p < end; ++p) work(parts[p]);
  });
}

template <typename T>
T* element(BasicMatrix<T> x, std::size_t row, std::size_t col) {
  return x.data + row * x.row_stride + col;
}

// What a part's columns are normalised with, as floats.
struct Normalizer {
  Normalizer(const Part& part, std::size_t cols, const GroupStatistics& statistics, double epsilon,
             std::span<const float> gamma) {
    for (std::size_t c = 0; c < part.cols; ++c) {
      const std::size_t at = part.group * cols + part.col + c;
      const double inverse_deviation = 1.0 / std::sqrt(statistics.variance[at] + epsilon);
      mean[c] = static_cast<float>(statistics.mean[at]);
      inverse[c] = static_cast<float>(inverse_deviation);
      factor[c] =
          gamma.empty() ? inverse[c] : static_cast<float>(inverse_deviation * double{gamma[part.col + c]});
    }
  }
  float mean[kColumns], inverse[kColumns], factor[kColumns];
};

}  // namespace

GroupStatistics group_statistics(ConstMatrix x, Groups groups, int threads) {
  GroupStatistics statistics{std::vector<double>(groups.size() * x.cols),
                             std::vector<double>(groups.size() * x.cols)};
  for_parts(x, groups, threads, [&](const Part& part) {
    double* const mean = &statistics.mean[part.group * x.cols + part.col];
    double* const variance = &statistics.variance[part.group * x.cols + part.col];
    const auto n = static_cast<double>(part.rows);
    for (std::size_t i = 0; i < part.rows; ++i)
      add_values(element(x, part.row + i, part.col), part.cols, mean);
    for (std::size_t c = 0; c < part.cols; ++c) mean[c] /= n;
    for (std::size_t i = 0; i < part.rows; ++i)
      add_squares(element(x, part.row + i, part.col), mean, part.cols, variance);
    for (std::size_t c = 0; c < part.cols; ++c) variance[c] /= n;
  });
  return statistics;
}

void normalize_groups(ConstMatrix x, Groups groups, const GroupStatistics& statistics, double epsilon,
                      std::span<const float> gamma, std::span<const float> beta, Matrix y, int threads) {
  for_parts(x, groups, threads, [&](const Part& part) {
    const Normalizer with(part, x.cols, statistics, epsilon, gamma);
    float shift[kColumns] = {};
    if (!beta.empty()) std::copy_n(&beta[part.col], part.cols, shift);
    for (std::size_t i = part.row; i < part.row + part.rows; ++i)
      normalize_row(element(x, i, part.col), with.mean, with.factor, shift, part.cols,
                    element(y, i, part.col));
  });
}

void normalize_groups_backward(ConstMatrix x, Groups groups, const GroupStatistics& statistics,
                               double epsilon, std::span<const float> gamma, ConstMatrix dy,
                               std::span<float> dgamma, std::span<float> dbeta, Matrix dx, int threads) {
  for_parts(x, groups, threads, [&](const Part& part) {
    const Normalizer with(part, x.cols, statistics, epsilon, gamma);
    double of_dy[kColumns] = {}, of_products[kColumns] = {};
    for (std::size_t i = part.row; i < part.row + part.rows; ++i)
      add_products(element(dy, i, part.col), element(x, i, part.col), with.mean, with.inverse, part.cols,
                   of_dy, of_products);
    float mean_dy[kColumns], mean_product[kColumns];
    const auto n = static_cast<double>(part.rows);
    for (std::size_t c = 0; c < part.cols; ++c) {
      dbeta[part.group * x.cols + part.col + c] = static_cast<float>(of_dy[c]);
      dgamma[part.group * x.cols + part.col + c] = static_cast<float>(of_products[c]);
      mean_dy[c] = static_cast<float>(of_dy[c] / n);
      mean_product[c] = static_cast<float>(of_products[c] / n);
    }
    if (dx.data == nullptr) return;
    for (std::size_t i = part.row; i < part.row + part.rows; ++i)
      gradient_row(element(dy, i, part.col), element(x, i, part.col), with.mean, with.inverse, with.factor,
                   mean_dy, mean_product, part.cols, element(dx, i, part.col));
  });
}

}  // namespace lockstep::kernels
