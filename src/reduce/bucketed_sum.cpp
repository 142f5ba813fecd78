#include "reduce/bucketed_sum.h"

#include <algorithm>

#include "kernels/narrow.h"

namespace lockstep::reduce {
namespace {

bool overlaps(const ReduceOptions& options, const comm::Communicator& communicator) {
  if (communicator.size() == 1 || !comm::BackgroundSums::possible()) return false;
  switch (options.overlap) {
    case Overlap::kAlways:
      return true;
    case Overlap::kNever:
      return false;
    case Overlap::kAuto:
      break;
  }
  return !communicator.on_one_host();
}

std::size_t bucket_bytes(const ReduceOptions& options, bool overlapped) {
  constexpr std::size_t kAtTheEnd = std::size_t{256} << 10, kUnderWay = std::size_t{1} << 20;
  if (options.bucket_bytes != 0) return options.bucket_bytes;
  return overlapped ? kUnderWay : kAtTheEnd;
}

}  // namespace

template <typename T>
BucketedSum<T>::BucketedSum(std::span<T> arena, const ReduceOptions& options,
                            const comm::Communicator& communicator)
    : arena_(arena), communicator_(&communicator), left_(arena.size()) {
  const bool overlapped = reduce::overlaps(options, communicator);
  constexpr std::size_t kLargest = std::size_t{1} << 30;  // numbers, what one message can hold
  if (options.wire != Wire::kFull && communicator.size() > 1) wire_ = AlignedBuffer<Half>(arena.size());
  const std::size_t width = wire_.size() > 0 ? sizeof(Half) : sizeof(T);
  bucket_ = std::clamp<std::size_t>(bucket_bytes(options, overlapped) / width, 1, kLargest);
  if (overlapped) background_.emplace(communicator);
}

template <typename T>
template <typename Send>
void BucketedSum<T>::send_next(Send&& send) {
  const std::size_t size = std::min(bucket_, left_);
  left_ -= size;
  const auto bucket = arena_.subspan(left_, size);
  if (wire_.size() == 0) return send(bucket);
  const auto half = wire_.span().subspan(left_, size);
  kernels::narrow(bucket, half);
  send(half);
}

template <typename T>
void BucketedSum<T>::complete_from(std::size_t first) {
  if (!background_) return;
  while (left_ > first && (left_ - first >= bucket_ || first == 0))
    send_next([&](auto numbers) { background_->start(numbers); });
}

template <typename T>
void BucketedSum<T>::complete() {
  if (!background_) return;
  complete_from(0);
  background_->pause();
}

template <typename T>
void BucketedSum<T>::finish() {
  complete();
  while (left_ > 0) send_next([&](auto numbers) { communicator_->allreduce_sum(numbers); });
  if (background_) background_->wait();
  if (wire_.size() > 0) kernels::widen(wire_.span(), arena_);
  left_ = arena_.size();
}

template class BucketedSum<float>;
template class BucketedSum<std::int32_t>;

}  // namespace lockstep::reduce
