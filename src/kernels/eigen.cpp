#include "kernels/eigen.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace lockstep::kernels {
namespace {

// Of two rows a and b: a <- c a - s b, b <- s a + c b.
void rotate(double* a, double* b, std::size_t n, double c, double s) {
  for (std::size_t k = 0; k < n; ++k) {
    const double x = a[k], y = b[k];
    a[k] = c * x - s * y;
    b[k] = s * x + c * y;
  }
}

// A symmetric matrix on its way to its diagonal form D: matrix = vectorsᵀ D vectors in the end.
class Rotations {
 public:
  Rotations(std::vector<double> matrix, std::size_t n) : n_(n), a_(std::move(matrix)), vectors_(n * n) {
    for (std::size_t i = 0; i < n; ++i) {
      vectors_[i * n + i] = 1.0;
      for (std::size_t j = 0; j < i; ++j) a_[i * n + j] = a_[j * n + i];
    }
  }

  // Takes every element off the diagonal to 0 once, row by row; false: all were nothing beside their
  // diagonals.
  bool sweep() {
    bool any = false;
    for (std::size_t p = 0; p + 1 < n_; ++p)
      for (std::size_t q = p + 1; q < n_; ++q) any = eliminate(p, q) || any;
    return any;
  }

  double value(std::size_t k) const { return a_[k * n_ + k]; }
  const double* vector(std::size_t k) const { return vectors_.data() + k * n_; }

 private:
  bool eliminate(std::size_t p, std::size_t q) {
    const double off = a_[p * n_ + q], at_p = value(p), at_q = value(q);
    const double size = std::fabs(at_p) + std::fabs(at_q);
    if (off == 0.0 || size + std::fabs(off) * 0x1p-4 == size) {
      a_[p * n_ + q] = a_[q * n_ + p] = 0.0;
      return false;
    }
    // t = tan of the smaller angle that takes `off` to 0.
    const double theta = (at_q - at_p) / (2.0 * off);
    const double t = (theta < 0.0 ? -1.0 : 1.0) / (std::fabs(theta) + std::sqrt(theta * theta + 1.0));
    const double c = 1.0 / std::sqrt(t * t + 1.0), s = t * c;
    rotate(&a_[p * n_], &a_[q * n_], n_, c, s);
    for (std::size_t k = 0; k < n_; ++k) {  // and the columns, which are the rows
      a_[k * n_ + p] = a_[p * n_ + k];
      a_[k * n_ + q] = a_[q * n_ + k];
    }
    a_[p * n_ + p] = at_p - t * off;
    a_[q * n_ + q] = at_q + t * off;
    a_[p * n_ + q] = a_[q * n_ + p] = 0.0;
    rotate(&vectors_[p * n_], &vectors_[q * n_], n_, c, s);
    return true;
  }

  std::size_t n_;
  std::vector<double> a_, vectors_;
};

}  // namespace

Eigen eigen_of_symmetric(std::vector<double> matrix, std::size_t n) {
  require(matrix.size() == n * n, "eigen_of_symmetric: the matrix is not square");
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i; j < n; ++j)
      require(std::isfinite(matrix[i * n + j]), "eigen_of_symmetric: the matrix is not finite");
  constexpr int kMaxSweeps = 60;  // a dozen is usual
  Rotations rotations(std::move(matrix), n);
  int sweeps = 0;
  while (rotations.sweep()) require(++sweeps < kMaxSweeps, "eigen_of_symmetric: no end");

  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return rotations.value(a) > rotations.value(b); });
  Eigen eigen;
  for (const std::size_t k : order) {
    eigen.values.push_back(rotations.value(k));
    const double* const vector = rotations.vector(k);
    double largest = 0.0;
    for (std::size_t i = 0; i < n; ++i)
      if (std::fabs(vector[i]) > std::fabs(largest)) largest = vector[i];
    for (std::size_t i = 0; i < n; ++i) eigen.vectors.push_back(largest < 0.0 ? -vector[i] : vector[i]);
  }
  return eigen;
}

}  // namespace lockstep::kernels
