// Which part of the arena each rank reads the sum of, updates, and keeps the optimizer's state for.
//
// The arena is cut into chunks: of at most 4096 floats of one tensor, counted from the tensor's beginning, as
// norms are summed up. Chunks make up buckets, counted from the arena's end, where backward begins; and each
// bucket is cut, between chunks, into as many parts as there are ranks, the ranks of a host side by side.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "nn/tensor.h"

namespace lockstep::reduce {

class Division {
 public:
  static constexpr std::size_t kChunk = 4096;

  // Elements [begin, begin + size) of the arena, which lie in `tensor`.
  struct Chunk {
    std::size_t tensor, begin, size;
  };
  // A chunk of this rank's: which it is of all(), and where what belongs to it lies in an array of what is
  // this rank's alone.
  struct OwnChunk : Chunk {
    std::size_t number, place;
  };
  // Part i of it is [cuts[i], cuts[i+1]) of the arena. This rank's chunks in it and in the buckets before it
  // are the first own_chunks of own().
  struct Bucket {
    std::vector<std::size_t> cuts;
    std::size_t own_chunks = 0;
    std::size_t begin() const { return cuts.front(); }
    std::size_t end() const { return cuts.back(); }
  };

  // All of it is every rank's.
  explicit Division(const std::vector<nn::Tensor>& tensors);
  // Among ranks on these hosts (of each rank, a number that stands for its host), this one of them being
  // `rank`, in buckets of at least so many floats.
  Division(const std::vector<nn::Tensor>& tensors, std::span<const int> host_of_rank, int rank,
           std::size_t bucket_floats);

  // Whether a rank has a part only.
  bool is_divided() const { return !buckets_.empty(); }
  std::size_t parameters() const { return parameters_; }
  const std::vector<Chunk>& all() const { return all_; }
  const std::vector<OwnChunk>& own() const { return own_; }  // bucket after bucket
  std::size_t own_size() const { return own_size_; }
  // What of the arena is this rank's, chunk after chunk.
  std::vector<float> own_of(std::span<const float> arena) const;

  // The following of a division alone.
  const std::vector<Bucket>& buckets() const { return buckets_; }
  // Which part of every bucket is the rank's.
  std::size_t part_of(int rank) const { return part_of_rank_[static_cast<std::size_t>(rank)]; }
  // Puts the values of such a rank, chunk after chunk, where the arena has them.
  void place(int rank, std::span<const float> values, std::span<float> arena) const;
  std::size_t size_of(int rank) const;

 private:
  void cut_into_chunks(const std::vector<nn::Tensor>& tensors);
  void add_own(std::size_t begin, std::size_t end);

  std::size_t parameters_ = 0;
  std::vector<Chunk> all_;
  std::vector<OwnChunk> own_;
  std::size_t own_size_ = 0;
  std::vector<Bucket> buckets_;  // the arena's last first
  std::vector<std::size_t> part_of_rank_;
};

}  // namespace lockstep::reduce
