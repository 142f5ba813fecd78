#include "train/stop_requests.h"

#include <csignal>
#include <span>

namespace lockstep::train {

StopRequests requests_of(const liveness::StopSignals* signals) {
  const int signal = signals != nullptr ? signals->requested() : 0;
  return {.interrupts = signal == SIGINT ? 1 : 0, .terminations = signal != 0 && signal != SIGINT ? 1 : 0};
}

comm::CollectiveError stopped(const StopRequests& stop, const std::string& when) {
  return stop.interrupts > 0 ? comm::CollectiveError(ExitCode::kInterrupted, "interrupted " + when)
                             : comm::CollectiveError(ExitCode::kTerminated, "terminated " + when);
}

void stop_if_asked(const liveness::StopSignals* signals, const comm::Communicator& communicator,
                   const std::string& when) {
  const StopRequests own = requests_of(signals);
  std::int64_t sums[] = {own.interrupts, own.terminations};
  communicator.allreduce_sum(sums);
  const StopRequests all{.interrupts = sums[0], .terminations = sums[1]};
  if (all.by_signal()) throw stopped(all, when);
}

}  // namespace lockstep::train
