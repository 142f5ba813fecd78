// What ranks that sum a divided arena by messages send each other of each bucket.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "comm/communicator.h"
#include "reduce/division.h"

namespace lockstep::reduce {

// Of a bucket: what such a rank sends to each of them and receives from each, and what of the parameters each
// has, in bytes. It reads [own_begin, own_begin + own_size) of the arena, and so many numbers from each
// other, one after the other; those of the buckets before this one are `received`.
struct Message {
  comm::Parts out, in, parameters;
  std::size_t own_begin, own_size, received;
};

struct Messages {
  std::vector<Message> of_bucket;
  std::size_t received = 0;  // numbers, of all buckets
};

// speaker_of_rank: of each rank of the division the one that sends and receives for it, perhaps itself; those
// with the same one have parts side by side. Of sums whose numbers have `width` bytes, as `speaker`, one of
// these, exchanges them.
Messages plan_messages(const Division& division, std::span<const int> speaker_of_rank, int speaker,
                       std::size_t width);

}  // namespace lockstep::reduce
