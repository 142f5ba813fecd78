// compute.balance: ranks that are fast train with more of the shards. Who trains with which changes no
// number, so the division may follow what clocks say.
#pragma once

#include "comm/communicator.h"
#include "liveness/progress.h"
#include "report/console.h"
#include "run/experiment.h"

namespace lockstep::run {

class Balance {
 public:
  // All must outlive it.
  Balance(Experiment& experiment, const comm::Communicator& ranks, const liveness::Progress& progress,
          report::Console& console);

  // Divides the shards anew where data::rebalanced says so, by what forward and backward took since the last
  // time that it could tell: half a second of the slowest rank at least. Where shards cannot be loaded again
  // it says so, and leaves them where they are from then on. Collective.
  void between_epochs();

 private:
  // Nanoseconds that this rank has computed so far for the samples of its shards; no waiting is in them.
  std::int64_t computed() const;

  Experiment& experiment_;
  const comm::Communicator& ranks_;
  const liveness::Progress& progress_;
  report::Console& console_;
  bool possible_;
  std::int64_t counted_;  // of computed(), by the current division
};

}  // namespace lockstep::run
