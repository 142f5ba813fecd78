#include "reduce/bucketed_sum.h"

#include <algorithm>

#include "base/simd.h"
#include "kernels/narrow.h"

namespace lockstep::reduce {

template <typename T>
BucketedSum<T>::BucketedSum(std::size_t size, const ReduceOptions& options,
                            const comm::Communicator& communicator, int threads, liveness::Progress* progress)
    : communicator_(&communicator),
      threads_(threads),
      in_memory_(sums_in_memory(options, communicator.hosts()) ? InMemory::kPossibly : InMemory::kNo),
      own_(size * sizeof(T), in_memory_ == InMemory::kPossibly),
      shared_sum_(communicator.rank() == 0 && in_memory_ == InMemory::kPossibly ? size * sizeof(T) : 0,
                  in_memory_ == InMemory::kPossibly),
      local_(comm::values_in<T>(own_.own())),
      sum_(local_),
      left_(size) {
  const bool overlapped = sums_overlap(options, communicator.hosts());
  constexpr std::size_t kMax = std::size_t{1} << 30;  // elements, what one message can hold
  if (options.wire != Wire::kFull && communicator.size() > 1) wire_ = AlignedBuffer<Half>(size);
  const std::size_t width = wire_.size() > 0 ? sizeof(Half) : sizeof(T);
  bucket_ = std::clamp<std::size_t>(bucket_bytes(options, overlapped) / width, 1, kMax);
  if (overlapped) background_.emplace(communicator, progress);
}

template <typename T>
template <typename Send>
void BucketedSum<T>::send_next(Send&& send) {
  const std::size_t size = std::min(bucket_, left_);
  left_ -= size;
  const auto bucket = local_.subspan(left_, size);
  if (wire_.size() == 0) return send(bucket);
  const auto half = wire_.span().subspan(left_, size);
  kernels::narrow(bucket, half);
  send(half);
}

template <typename T>
void BucketedSum<T>::complete_from(std::size_t first) {
  if (!background_) return;
  while (left_ > first && (left_ - first >= bucket_ || first == 0))
    send_next([&](auto bucket) { background_->start(bucket); });
  if (first == 0) background_->pause();
}

template <typename T>
void BucketedSum<T>::add_up_in_memory() {
  communicator_->barrier();  // every rank's values are there, and nobody reads the last sum any more
  const auto ranks = static_cast<std::size_t>(communicator_->size()),
             rank = static_cast<std::size_t>(communicator_->rank());
  const auto values_of = [&](std::size_t r) {
    return comm::values_in<const T>(own_.of(static_cast<int>(r))).data();
  };
  T* const sum = comm::values_in<T>(shared_sum_.of(0)).data();
  const std::size_t begin = local_.size() * rank / ranks, end = local_.size() * (rank + 1) / ranks;
  constexpr std::size_t kChunk = 4096;  // elements: they stay in the first-level cache
  parallel_ranges(end - begin, kChunk, threads_, [&](std::size_t first, std::size_t last) {
    for (std::size_t chunk = begin + first; chunk < begin + last; chunk += kChunk) {
      const std::size_t chunk_end = std::min(chunk + kChunk, begin + last);
      const T *first_rank = values_of(0), *second_rank = values_of(1);
      for (std::size_t i = chunk; i < chunk_end; ++i) sum[i] = first_rank[i] + second_rank[i];
      for (std::size_t r = 2; r < ranks; ++r) {
        const T* const values = values_of(r);
        for (std::size_t i = chunk; i < chunk_end; ++i) sum[i] += values[i];
      }
    }
  });
  communicator_->barrier();  // every rank's part of the sum is there
}

template <typename T>
void BucketedSum<T>::add_up(std::span<std::int64_t> x) {
  communicator_->allreduce_sum(x);
}

template <typename T>
void BucketedSum<T>::finish() {
  if (in_memory_ == InMemory::kPossibly) {
    const bool connected = own_.connect(*communicator_) && shared_sum_.connect(*communicator_);
    in_memory_ = connected ? InMemory::kYes : InMemory::kNo;
    if (connected) sum_ = comm::values_in<const T>(shared_sum_.of(0));
  }
  if (in_memory_ == InMemory::kYes) return add_up_in_memory();
  if (background_)
    background_->wait();
  else
    while (left_ > 0) send_next([&](auto bucket) { communicator_->allreduce_sum(bucket); });
  if (wire_.size() > 0) kernels::widen(wire_.span(), local_);
  left_ = local_.size();
}

template class BucketedSum<float>;
template class BucketedSum<std::int32_t>;

}  // namespace lockstep::reduce
