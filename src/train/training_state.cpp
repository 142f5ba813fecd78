#include "train/training_state.h"

namespace lockstep::train {

TrainingState copy_of(const TrainingStateView& view) {
  TrainingState state{.step = view.step,
                      .parameters = {view.parameters.begin(), view.parameters.end()},
                      .optimizer = {},
                      .average = {view.average.begin(), view.average.end()},
                      .reducer = view.reducer,
                      .progress = view.progress};
  for (const auto& [name, values] : view.optimizer) state.optimizer[name] = {values.begin(), values.end()};
  return state;
}

}  // namespace lockstep::train
