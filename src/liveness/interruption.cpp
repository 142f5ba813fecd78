#include "liveness/interruption.h"

#include <time.h>
#include <unistd.h>

#include <atomic>

namespace lockstep::liveness {
namespace {

// A handler finds nothing but what is static.
std::atomic<int> noted = 0;
std::atomic<long long> noted_at = 0;  // nanoseconds
static_assert(std::atomic<long long>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

long long now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

void on_signal(int number) {
  int none = 0;
  if (noted.compare_exchange_strong(none, number)) {
    noted_at = now();
    return;
  }
  // The same request often arrives twice, from a terminal and from the launcher: at once it is one.
  constexpr long long kApart = 200'000'000;
  const long long first = noted_at;
  if ((number == SIGINT || number == SIGTERM) && first != 0 && now() - first >= kApart) ::_exit(128 + number);
}

}  // namespace

StopSignals::StopSignals() {
  noted = 0;
  noted_at = 0;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
}

int StopSignals::requested() const { return noted; }

}  // namespace lockstep::liveness
