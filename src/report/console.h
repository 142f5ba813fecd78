// What a person sees while a run goes on: a table with a line an epoch and, on a terminal, a bar below it.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "report/run_files.h"

namespace lockstep::report {

class Console {
 public:
  // enabled: false on ranks other than 0 and with --quiet; then nothing is printed.
  explicit Console(bool enabled);

  bool enabled() const { return enabled_; }

  // A line of text; a newline is added.
  void line(const std::string& text);

  void table_header();
  void epoch(const EpochRow& row);

  // Moves the bar, at most ten times a second. done and all in samples of this epoch; left: samples of the
  // whole run after them. Does nothing where the output is not a terminal.
  void progress(std::size_t epoch, std::size_t epochs, std::size_t done, std::size_t all, std::size_t left);
  void start_epoch();

 private:
  using Clock = std::chrono::steady_clock;
  void clear_bar();

  bool enabled_;
  std::size_t columns_;  // of the terminal; 0 without one
  bool bar_shown_ = false;
  Clock::time_point epoch_start_, last_shown_;
};

}  // namespace lockstep::report
