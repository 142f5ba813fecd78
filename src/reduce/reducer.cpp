#include "reduce/reducer.h"

#include "reduce/exact_reducer.h"
#include "reduce/float_reducer.h"

namespace lockstep::reduce {

std::unique_ptr<Reducer> make_reducer(const ReduceOptions& options, const nn::Model& model,
                                      std::size_t contributions, const comm::Communicator& communicator,
                                      int threads) {
  switch (options.mode) {
    case Mode::kExact:
      return std::make_unique<ExactReducer>(model, contributions, communicator, threads);
    case Mode::kFloat:
      return std::make_unique<FloatReducer>(model, communicator, threads);
  }
  return nullptr;
}

}  // namespace lockstep::reduce
