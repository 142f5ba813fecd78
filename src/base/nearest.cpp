#include "base/nearest.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace lockstep {
namespace {

// How many insertions, deletions and replacements turn a into b (Levenshtein).
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string> nearest(const std::string& word, std::span<const std::string> candidates) {
  const auto best = std::ranges::min_element(
      candidates, {}, [&](const std::string& candidate) { return edit_distance(word, candidate); });
  if (best == candidates.end()) return std::nullopt;
  const std::size_t distance = edit_distance(word, *best);
  if (distance > 1 + word.size() / 4 || (distance > 1 && 2 * distance >= word.size())) return std::nullopt;
  return *best;
}

}  // namespace lockstep
