// Ranks as threads of one process, for what is collective through data::AllRanks.
#pragma once

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "data/normalizer.h"

namespace lockstep::test {

// Where so many ranks meet to put their numbers together.
class Meeting {
 public:
  explicit Meeting(std::size_t ranks) : barrier_(static_cast<std::ptrdiff_t>(ranks)) {}

  data::AllRanks callbacks() {
    const auto plus = [](std::int64_t a, std::int64_t b) { return a + b; };
    const auto larger = [](std::int64_t a, std::int64_t b) { return std::max(a, b); };
    return {.sum = [this, plus](std::span<std::int64_t> x) { combine(x, plus); },
            .max = [this, larger](std::span<std::int64_t> x) { combine(x, larger); }};
  }

 private:
  template <typename Operation>
  void combine(std::span<std::int64_t> x, Operation operation) {
    {
      const std::lock_guard lock(mutex_);
      if (met_++ == 0)
        all_.assign(x.begin(), x.end());
      else
        for (std::size_t k = 0; k < x.size(); ++k) all_.at(k) = operation(all_[k], x[k]);
    }
    barrier_.arrive_and_wait();
    std::copy(all_.begin(), all_.end(), x.begin());
    met_ = 0;
    barrier_.arrive_and_wait();
  }

  std::barrier<> barrier_;
  std::mutex mutex_;
  std::atomic<int> met_ = 0;
  std::vector<std::int64_t> all_;
};

// The normalizer of each rank, of which rank r has parts[r].
inline std::vector<data::Normalizer> normalizers_of_ranks(data::Normalization kind,
                                                          const data::DatasetInfo& info,
                                                          const std::vector<data::SampleStore>& parts) {
  Meeting meeting(parts.size());
  std::vector<std::optional<data::Normalizer>> made(parts.size());
  std::vector<std::jthread> ranks;
  for (std::size_t r = 0; r < parts.size(); ++r)
    ranks.emplace_back([&, r] { made[r].emplace(kind, info, parts[r], meeting.callbacks()); });
  ranks.clear();  // waits for them
  std::vector<data::Normalizer> normalizers;
  for (auto& normalizer : made) normalizers.push_back(std::move(normalizer.value()));
  return normalizers;
}

}  // namespace lockstep::test
