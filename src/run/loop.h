// The loop of a training run: epoch after epoch, until all are done or it is asked to stop.
#pragma once

#include <optional>

#include "train/trainer.h"

namespace lockstep::run {

// What happens beside the training; nothing, unless a member is overridden.
class LoopObserver {
 public:
  virtual ~LoopObserver() = default;
  // Whether another epoch is wanted; asked before each, also before the first. The same on all ranks.
  virtual bool wants_more() const { return true; }
  virtual void before_epoch() {}
  virtual void after_step(const train::StepReport&) {}
  // stop: what the last step was asked; where it is anything, this was the last epoch. score: nothing where
  // the epoch is not over.
  virtual void after_epoch(const std::optional<train::Score>& /*score*/,
                           const train::StopRequests& /*stop*/) {}
};

// Trains until `epochs` are done. Returns what it was asked to stop for. Throws like Trainer::epoch.
// Collective.
train::StopRequests train_epochs(train::Trainer& trainer, std::size_t epochs, LoopObserver& observer);

}  // namespace lockstep::run
