#include "reduce/division.h"

#include <algorithm>
#include <numeric>

namespace lockstep::reduce {

Division::Division(const std::vector<nn::Tensor>& tensors) {
  cut_into_chunks(tensors);
  add_own(0, parameters_);
}

Division::Division(const std::vector<nn::Tensor>& tensors, std::span<const int> host_of_rank, int rank,
                   std::size_t bucket_floats)
    : part_of_rank_(host_of_rank.size()) {
  cut_into_chunks(tensors);
  std::vector<std::size_t> ranks(host_of_rank.size());
  std::iota(ranks.begin(), ranks.end(), std::size_t{0});
  std::ranges::stable_sort(ranks, {}, [host_of_rank](std::size_t r) { return host_of_rank[r]; });
  for (std::size_t part = 0; part < ranks.size(); ++part) part_of_rank_[ranks[part]] = part;

  for (std::size_t end = all_.size(); end > 0;) {
    std::size_t first = end;  // chunk
    const auto floats = [&] { return all_[end - 1].begin + all_[end - 1].size - all_[first].begin; };
    do --first;
    while (first > 0 && floats() < bucket_floats);
    Bucket& bucket = buckets_.emplace_back();
    for (std::size_t part = 0, chunk = first; part < ranks.size(); ++part) {
      const std::size_t target = all_[first].begin + floats() * part / ranks.size();
      while (chunk < end && all_[chunk].begin < target) ++chunk;
      bucket.cuts.push_back(chunk < end ? all_[chunk].begin : all_[end - 1].begin + all_[end - 1].size);
    }
    bucket.cuts.push_back(all_[end - 1].begin + all_[end - 1].size);
    end = first;
  }
  const std::size_t own = part_of(rank);
  for (Bucket& bucket : buckets_) {
    add_own(bucket.cuts[own], bucket.cuts[own + 1]);
    bucket.own_chunks = own_.size();
  }
}

void Division::cut_into_chunks(const std::vector<nn::Tensor>& tensors) {
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    for (std::size_t begin = 0; begin < tensors[t].size; begin += kChunk)
      all_.push_back({t, tensors[t].offset + begin, std::min(kChunk, tensors[t].size - begin)});
    parameters_ += tensors[t].size;
  }
}

void Division::add_own(std::size_t begin, std::size_t end) {
  auto chunk = std::ranges::lower_bound(all_, begin, {}, &Chunk::begin);
  for (; chunk != all_.end() && chunk->begin < end; ++chunk) {
    own_.push_back({*chunk, static_cast<std::size_t>(chunk - all_.begin()), own_size_});
    own_size_ += chunk->size;
  }
}

std::vector<float> Division::own_of(std::span<const float> arena) const {
  std::vector<float> values;
  values.reserve(own_size_);
  for (const OwnChunk& chunk : own_) {
    const auto part = arena.subspan(chunk.begin, chunk.size);
    values.insert(values.end(), part.begin(), part.end());
  }
  return values;
}

void Division::place(int rank, std::span<const float> values, std::span<float> arena) const {
  const std::size_t part = part_of(rank);
  for (const Bucket& bucket : buckets_) {
    const std::size_t begin = bucket.cuts[part], size = bucket.cuts[part + 1] - begin;
    std::ranges::copy(values.first(size), arena.begin() + static_cast<std::ptrdiff_t>(begin));
    values = values.subspan(size);
  }
}

std::size_t Division::size_of(int rank) const {
  const std::size_t part = part_of(rank);
  std::size_t size = 0;
  for (const Bucket& bucket : buckets_) size += bucket.cuts[part + 1] - bucket.cuts[part];
  return size;
}

}  // namespace lockstep::reduce
