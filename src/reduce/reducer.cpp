#include "reduce/reducer.h"

#include <algorithm>

#include "reduce/exact_reducer.h"
#include "reduce/float_reducer.h"
#include "reduce/ways.h"

namespace lockstep::reduce {

std::vector<float> Reducer::gradient() {
  std::vector<float> all(model_->parameters());
  wait_for_whole_sum();
  for (const Division::OwnChunk& chunk : division_.own()) {
    const auto scratch = std::span(all).subspan(chunk.begin, chunk.size);
    const auto values = read(chunk.tensor, chunk.begin, scratch);
    if (values.data() != scratch.data()) std::copy(values.begin(), values.end(), scratch.begin());
  }
  gather(all);
  return all;
}

Division division_of(const ReduceOptions& options, const nn::Model& model,
                     const comm::Communicator& communicator) {
  if (!divides(options, communicator.hosts(), model.parameters())) return Division(model.tensors());
  constexpr std::size_t kMax = std::size_t{1} << 28;  // floats: MPI counts bytes in int
  std::size_t bucket = kMax;
  if (!sums_in_memory(options, communicator.hosts())) {
    const std::size_t width = options.wire == Wire::kFull ? 4 : 2;
    const bool long_messages = sums_overlap(options, communicator.hosts()) || !communicator.on_one_host();
    bucket = bucket_bytes(options, long_messages) / width;
    // Unless it was asked for: so much that every rank has a part of it.
    if (options.bucket_bytes == 0)
      bucket = std::max(bucket, static_cast<std::size_t>(communicator.size()) * Division::kChunk);
  }
  return {model.tensors(), communicator.hosts(), communicator.rank(), std::min(bucket, kMax)};
}

std::unique_ptr<Reducer> make_reducer(const ReduceOptions& options, const nn::Model& model,
                                      std::size_t contributions, const comm::Communicator& communicator,
                                      int threads, liveness::Progress* progress) {
  switch (options.mode) {
    case Mode::kExact:
      return std::make_unique<ExactReducer>(options, model, contributions, communicator, threads, progress);
    case Mode::kFloat:
      return std::make_unique<FloatReducer>(options, model, communicator, threads, progress);
  }
  return nullptr;
}

}  // namespace lockstep::reduce
