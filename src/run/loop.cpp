#include "run/loop.h"

namespace lockstep::run {

train::StopRequests train_epochs(train::Trainer& trainer, std::size_t epochs, LoopObserver& observer) {
  train::StopRequests stop;
  while (trainer.epochs_done() < epochs && !stop.any() && observer.wants_more()) {
    observer.before_epoch();
    const std::optional<train::Score> score = trainer.epoch([&](const train::StepReport& step) {
      stop = step.stop;
      observer.after_step(step);
    });
    observer.after_epoch(score, stop);
  }
  return stop;
}

}  // namespace lockstep::run
