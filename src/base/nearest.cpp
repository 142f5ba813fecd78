#include "base/nearest.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace lockstep {
namespace {

// How many insertions, deletions, replacements and swaps of neighbours turn a into b, no character taking
// part in two of them (Damerau's distance, by optimal string alignment).
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> distance(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  std::iota(distance[0].begin(), distance[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    distance[i][0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = distance[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      distance[i][j] = std::min({distance[i - 1][j] + 1, distance[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        distance[i][j] = std::min(distance[i][j], distance[i - 2][j - 2] + 1);
    }
  }
  return distance[a.size()][b.size()];
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
