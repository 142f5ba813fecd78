#include "reduce/ways.h"

#include <set>

#include "comm/background_sums.h"
#include "reduce/division.h"

namespace lockstep::reduce {
namespace {

std::size_t number_of(std::span<const int> hosts) { return std::set<int>(hosts.begin(), hosts.end()).size(); }

}  // namespace

bool sums_overlap(const ReduceOptions& options, std::span<const int> hosts) {
  if (hosts.size() == 1 || !comm::BackgroundSums::possible()) return false;
  switch (options.overlap) {
    case Overlap::kAlways:
      return true;
    case Overlap::kNever:
      return false;
    case Overlap::kAuto:
      break;
  }
  return number_of(hosts) > 1;
}

bool sums_in_memory(const ReduceOptions& options, std::span<const int> hosts) {
  return options.shared_memory && options.wire == Wire::kFull && hosts.size() > 1 && number_of(hosts) == 1 &&
         !sums_overlap(options, hosts);
}

bool sums_in_two_levels(const ReduceOptions& options, std::span<const int> hosts) {
  return options.shared_memory && options.levels != Levels::kOne && number_of(hosts) > 1 &&
         number_of(hosts) < hosts.size();
}

bool worth_dividing(std::size_t parameters, std::size_t members) {
  return parameters >= 2 * Division::kChunk * members;
}

bool divides(const ReduceOptions& options, std::span<const int> hosts, std::size_t parameters) {
  if (hosts.size() == 1 || options.update == Update::kEverywhere) return false;
  if (options.update == Update::kDivided || sums_in_memory(options, hosts)) return true;
  return worth_dividing(parameters, sums_in_two_levels(options, hosts) ? number_of(hosts) : hosts.size());
}

std::size_t bucket_bytes(const ReduceOptions& options, bool overlapped) {
  constexpr std::size_t kAtTheEnd = std::size_t{256} << 10, kUnderWay = std::size_t{1} << 20;
  if (options.bucket_bytes != 0) return options.bucket_bytes;
  return overlapped ? kUnderWay : kAtTheEnd;
}

}  // namespace lockstep::reduce
