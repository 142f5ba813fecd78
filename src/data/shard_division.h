// Which rank computes which shards: a contiguous range, of at least one, for each. It decides who does the
// work, and no number: shards belong to the experiment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::data {

struct Range {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
  bool operator==(const Range&) const = default;
};

// Part `part` of `parts` nearly equal contiguous parts of 0..n-1.
Range even_part(std::size_t n, std::size_t part, std::size_t parts);

class ShardDivision {
 public:
  // Nearly equal parts: rank r of P computes shards floor(r S / P) .. floor((r+1) S / P) - 1.
  // Throws ConfigError if there are more ranks than shards.
  ShardDivision(std::size_t shards, int ranks);
  // Rank r computes counts[r] >= 1 shards, after those of the ranks before it.
  explicit ShardDivision(std::vector<std::size_t> counts);

  int ranks() const { return static_cast<int>(counts_.size()); }
  std::size_t shards() const;
  Range of_rank(int rank) const;
  const std::vector<std::size_t>& counts() const { return counts_; }

  bool operator==(const ShardDivision&) const = default;

 private:
  std::vector<std::size_t> counts_;  // by rank
};

// The division whose slowest rank is done first, where rank r takes costs[r] for each of its shards, in any
// unit. At least as many shards as ranks. Integers: every rank comes to the same.
ShardDivision fastest_division(std::size_t shards, std::span<const std::int64_t> costs);

// What to go on with where rank r took nanoseconds[r] for all of its shards: the fastest division, or the
// same as now where that would save less than a twentieth of the slowest rank's time.
ShardDivision rebalanced(const ShardDivision& now, std::span<const std::int64_t> nanoseconds);

}  // namespace lockstep::data
