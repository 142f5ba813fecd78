#include "reduce/reducer.h"

#include <algorithm>

#include "reduce/exact_reducer.h"
#include "reduce/float_reducer.h"

namespace lockstep::reduce {

std::vector<float> Reducer::gradient() const {
  std::vector<float> all(model_->parameters());
  const auto& tensors = model_->tensors();
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const auto scratch = tensors[t].slice(std::span(all));
    const auto values = read(t, tensors[t].offset, scratch);
    if (values.data() != scratch.data()) std::copy(values.begin(), values.end(), scratch.begin());
  }
  return all;
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
