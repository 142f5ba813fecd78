#include "reduce/messages.h"

#include <algorithm>
#include <utility>

namespace lockstep::reduce {
namespace {

int bytes(std::size_t elements, std::size_t width) { return static_cast<int>(elements * width); }

}  // namespace

Messages plan_messages(const Division& division, std::span<const int> speaker_of_rank, int speaker,
                       std::size_t width) {
  struct Member {  // of those that exchange: the parts that are its, or that it speaks for
    std::size_t first, last;
  };
  std::vector<Member> members;
  std::size_t me = 0;
  for (int rank = 0; rank < static_cast<int>(speaker_of_rank.size()); ++rank) {
    if (speaker_of_rank[static_cast<std::size_t>(rank)] != rank) continue;
    if (rank == speaker) me = members.size();
    const std::size_t first = division.part_of(rank);
    const auto ranks = static_cast<std::size_t>(std::ranges::count(speaker_of_rank, rank));
    members.push_back({first, first + ranks});
  }
  Messages messages;
  for (const Division::Bucket& bucket : division.buckets()) {
    const std::size_t own_begin = bucket.cuts[members[me].first],
                      own_size = bucket.cuts[members[me].last] - own_begin;
    Message message{.out = {},
                    .in = {},
                    .parameters = {},
                    .own_begin = own_begin,
                    .own_size = own_size,
                    .received = messages.received};
    std::size_t from_others = 0;
    for (std::size_t m = 0; m < members.size(); ++m) {
      const std::size_t begin = bucket.cuts[members[m].first] - bucket.begin(),
                        size = bucket.cuts[members[m].last] - bucket.begin() - begin;
      message.out.sizes.push_back(m == me ? 0 : bytes(size, width));
      message.out.places.push_back(bytes(begin, width));
      message.in.sizes.push_back(m == me ? 0 : bytes(own_size, width));
      message.in.places.push_back(bytes(from_others, width));
      message.parameters.sizes.push_back(bytes(size, sizeof(float)));
      message.parameters.places.push_back(bytes(begin, sizeof(float)));
      if (m != me) from_others += own_size;
    }
    messages.received += from_others;
    messages.of_bucket.push_back(std::move(message));
  }
  return messages;
}

}  // namespace lockstep::reduce
