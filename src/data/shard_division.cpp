#include "data/shard_division.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>

#include "base/error.h"

namespace lockstep::data {
namespace {

// Of the rank that is done last.
std::int64_t slowest(const ShardDivision& division, std::span<const std::int64_t> costs) {
  std::int64_t most = 0;
  for (std::size_t r = 0; r < costs.size(); ++r)
    most = std::max(most, costs[r] * static_cast<std::int64_t>(division.counts()[r]));
  return most;
}

}  // namespace

Range even_part(std::size_t n, std::size_t part, std::size_t parts) {
  return {n * part / parts, n * (part + 1) / parts};
}

ShardDivision::ShardDivision(std::size_t shards, int ranks) {
  const auto parts = static_cast<std::size_t>(ranks);
  if (parts > shards)
    throw ConfigError(
        fmt::format("{} ranks share {} shards, expected at most one rank a shard: set data.shards to {} "
                    "or more (train.batch_size is a multiple of it), or start fewer ranks",
                    ranks, shards, ranks));
  for (std::size_t part = 0; part < parts; ++part) counts_.push_back(even_part(shards, part, parts).size());
}

ShardDivision::ShardDivision(std::vector<std::size_t> counts) : counts_(std::move(counts)) {
  require(!counts_.empty() && std::ranges::count(counts_, std::size_t{0}) == 0,
          "ShardDivision: a rank has no shard");
}

std::size_t ShardDivision::shards() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::size_t{0});
}

Range ShardDivision::of_rank(int rank) const {
  const auto own = counts_.begin() + rank;
  const std::size_t begin = std::accumulate(counts_.begin(), own, std::size_t{0});
  return {begin, begin + *own};
}

// Shard after shard goes to the rank that is done with it first. No division is done earlier: one that gives
// the last rank here fewer shards gives another one more, which ends no earlier than that rank does here
// (Ibaraki, Katoh, "Resource Allocation Problems", 1988, 5.1: a minimax problem with separable costs).
ShardDivision fastest_division(std::size_t shards, std::span<const std::int64_t> costs) {
  require(shards >= costs.size(), "fastest_division: fewer shards than ranks");
  std::vector<std::size_t> counts(costs.size(), 1);
  using Next = std::pair<std::int64_t, std::size_t>;  // when the rank would be done with one more; the rank
  std::priority_queue<Next, std::vector<Next>, std::greater<>> next;
  for (std::size_t r = 0; r < costs.size(); ++r) next.emplace(2 * costs[r], r);
  for (std::size_t left = shards - costs.size(); left > 0; --left) {
    const std::size_t rank = next.top().second;
    next.pop();
    ++counts[rank];
    next.emplace(costs[rank] * static_cast<std::int64_t>(counts[rank] + 1), rank);
  }
  return ShardDivision(std::move(counts));
}

ShardDivision rebalanced(const ShardDivision& now, std::span<const std::int64_t> nanoseconds) {
  std::vector<std::int64_t> costs;
  for (std::size_t r = 0; r < nanoseconds.size(); ++r)
    costs.push_back(std::max<std::int64_t>(1, nanoseconds[r] / static_cast<std::int64_t>(now.counts()[r])));
  ShardDivision fastest = fastest_division(now.shards(), costs);
  const std::int64_t before = slowest(now, costs), saved = before - slowest(fastest, costs);
  return saved < before / 20 || saved == 0 ? now : fastest;
}

}  // namespace lockstep::data
