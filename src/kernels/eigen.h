// Eigenvalues and eigenvectors of a symmetric matrix.
#pragma once

#include <cstddef>
#include <vector>

namespace lockstep::kernels {

struct Eigen {
  std::vector<double> values;   // (n), the largest first
  std::vector<double> vectors;  // (n, n): row k is of value k and of length 1; its component of the largest
                                // magnitude, the first of several, is positive
};

// Of `matrix` (n, n), of which the upper triangle is read. The same bits with every compiler and processor:
// rotations in a fixed order, of nothing but +, -, *, / and square roots. Errors are a few units in the last
// place of the largest eigenvalue. Cost: about 10 sweeps of 6 n^3 operations. Source: Jacobi's method by
// rows, Golub and Van Loan, Matrix Computations (4th edition, 2013), 8.5.
Eigen eigen_of_symmetric(std::vector<double> matrix, std::size_t n);

}  // namespace lockstep::kernels
