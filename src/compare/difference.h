// How an array differs from the one that is expected.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace lockstep::compare {

struct Difference {
  double ratio = 0.0;   // of its norm and the expected one's
  double cosine = 0.0;  // of the angle between them
  std::size_t elements = 0, different = 0;
  std::vector<std::size_t> first = {};  // the first that differs: its indices
  double found = 0.0, expected = 0.0;   // there
  std::string where = {};               // "rows 3, 7" or "column 2" if all lie there, else ""
};

// Of two arrays of that shape, elements more than `allowed` apart being different.
Difference difference(std::span<const std::size_t> shape, const std::vector<double>& found,
                      const std::vector<double>& expected, double allowed);

}  // namespace lockstep::compare
