#include "liveness/interruption.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <initializer_list>

namespace lockstep::liveness {
namespace {

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

void note_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    struct sigaction before = {};
    ::sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(number, &action, nullptr);
  }
}

int requested_signal() { return noted; }

}  // namespace lockstep::liveness
