#include "compare/difference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <set>

namespace lockstep::compare {

Difference difference(std::span<const std::size_t> shape, const std::vector<double>& found,
                      const std::vector<double>& expected, double allowed) {
  Difference d{.elements = found.size()};
  double product = 0.0, of_found = 0.0, of_expected = 0.0;
  std::set<std::size_t> rows, cols;
  const std::size_t width = shape.empty() ? 1 : found.size() / shape[0];
  for (std::size_t i = 0; i < found.size(); ++i) {
    product += found[i] * expected[i];
    of_found += found[i] * found[i];
    of_expected += expected[i] * expected[i];
    if (std::fabs(found[i] - expected[i]) <= allowed) continue;
    if (d.different++ == 0) {
      d.found = found[i];
      d.expected = expected[i];
      d.first.resize(shape.size());
      for (std::size_t n = shape.size(), left = i; n-- > 0; left /= shape[n]) d.first[n] = left % shape[n];
    }
    rows.insert(i / width);
    cols.insert(i % width);
  }
  d.ratio = of_expected > 0.0 ? std::sqrt(of_found / of_expected) : 0.0;
  d.cosine = of_found > 0.0 && of_expected > 0.0 ? product / std::sqrt(of_found * of_expected) : 0.0;
  constexpr std::size_t kFew = 4;
  if (shape.size() >= 2 && rows.size() <= kFew && rows.size() < shape[0])
    d.where = fmt::format("rows {}", fmt::join(rows, ", "));
  else if (shape.size() == 2 && cols.size() <= kFew && cols.size() < width)
    d.where = fmt::format("columns {}", fmt::join(cols, ", "));
  return d;
}

}  // namespace lockstep::compare
