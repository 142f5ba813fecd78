#include "train/replica_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"

namespace lockstep::train {
namespace {

std::int64_t hash_of(std::span<const float> values) {
  return static_cast<std::int64_t>(hash64(std::as_bytes(values)));
}

// The lowest rank of those that hold the commonest hash.
std::size_t rank_of_majority(const std::vector<std::int64_t>& hashes) {
  return static_cast<std::size_t>(std::max_element(hashes.begin(), hashes.end(),
                                                   [&](std::int64_t a, std::int64_t b) {
                                                     return std::count(hashes.begin(), hashes.end(), a) <
                                                            std::count(hashes.begin(), hashes.end(), b);
                                                   }) -
                                  hashes.begin());
}

}  // namespace

std::optional<std::string> find_odd_replica(const comm::Communicator& communicator,
                                            const std::vector<nn::Tensor>& tensors,
                                            std::span<const float> arena, const std::string& what) {
  if (communicator.size() == 1) return std::nullopt;
  const std::vector<std::int64_t> hashes = communicator.allgather(hash_of(arena));
  const std::size_t right = rank_of_majority(hashes);
  const auto differs = std::find_if(hashes.begin(), hashes.end(), [&](auto h) { return h != hashes[right]; });
  if (differs == hashes.end()) return std::nullopt;

  const auto wrong = static_cast<std::size_t>(differs - hashes.begin());
  std::string host = comm::host_name();
  communicator.broadcast(host, static_cast<int>(wrong));
  std::string first = "no tensor";
  for (const nn::Tensor& tensor : tensors) {
    const std::vector<std::int64_t> of_tensor = communicator.allgather(hash_of(tensor.slice(arena)));
    if (of_tensor[wrong] == of_tensor[right]) continue;
    first = tensor.name;
    break;
  }
  return fmt::format("rank {} on {} has other {} than rank {}, first in {}", wrong, host, what, right, first);
}

void check_replicas(const comm::Communicator& communicator, const std::vector<nn::Tensor>& tensors,
                    std::span<const float> arena, const std::string& what, std::size_t step,
                    std::size_t epoch) {
  if (const auto odd = find_odd_replica(communicator, tensors, arena, what))
    throw comm::CollectiveError(
        ExitCode::kRank,
        fmt::format("{} after step {} (epoch {}), expected the same on every rank", *odd, step, epoch));
}

}  // namespace lockstep::train
