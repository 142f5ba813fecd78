// Requests to stop, each case in a process of its own.
#include "liveness/interruption.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace lockstep::liveness {
namespace {

// How a process ends that does this: its exit code, or -1 where a signal ends it.
int exit_code_of(const std::function<int()>& action) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(action());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void wait_milliseconds(long milliseconds) {
  const timespec time{0, milliseconds * 1'000'000};
  ::nanosleep(&time, nullptr);
}

TEST(Interruption, NothingIsNotedAtFirst) {
  EXPECT_EQ(exit_code_of([] {
              const StopSignals signals;
              return signals.requested();
            }),
            0);
}

TEST(Interruption, ASignalIsNotedAndTheProcessGoesOn) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1})
    EXPECT_EQ(exit_code_of([&] {
                const StopSignals signals;
                ::raise(signal);
                return signals.requested();
              }),
              signal);
}

TEST(Interruption, TheFirstSignalCounts) {
  EXPECT_EQ(exit_code_of([] {
              const StopSignals signals;
              for (const int signal : {SIGUSR1, SIGINT, SIGTERM}) ::raise(signal);
              return signals.requested();
            }),
            SIGUSR1);
}

TEST(Interruption, TheSameRequestTwiceAtOnceIsOne) {
  for (const int signal : {SIGINT, SIGTERM})
    EXPECT_EQ(exit_code_of([&] {
                const StopSignals signals;
                ::raise(signal);
                ::raise(signal);
                return signals.requested();
              }),
              signal);
}

TEST(Interruption, ASecondOneLaterEndsTheProcessAtOnce) {
  for (const int signal : {SIGINT, SIGTERM})
    for (const int first : {SIGINT, SIGTERM, SIGUSR1})
      EXPECT_EQ(exit_code_of([&] {
                  const StopSignals signals;
                  ::raise(first);
                  wait_milliseconds(300);
                  ::raise(signal);
                  return 0;
                }),
                128 + signal);
}

TEST(Interruption, Usr1MayComeAgainAndAgain) {
  EXPECT_EQ(exit_code_of([] {
              const StopSignals signals;
              for (int i = 0; i < 3; ++i) {
                ::raise(SIGUSR1);
                wait_milliseconds(150);
              }
              return signals.requested();
            }),
            SIGUSR1);
}

TEST(Interruption, WithoutTheObjectASignalEndsTheProcessAgain) {
  EXPECT_EQ(exit_code_of([] {
              { const StopSignals signals; }
              ::raise(SIGTERM);
              return 0;
            }),
            -1);
}

TEST(Interruption, WhatWasIgnoredStaysSo) {
  EXPECT_EQ(exit_code_of([] {
              ::signal(SIGHUP, SIG_IGN);
              const StopSignals signals;
              ::raise(SIGHUP);
              return signals.requested();
            }),
            0);
}

}  // namespace
}  // namespace lockstep::liveness
