// What a person sees while a run goes on: a table with a line per epoch and, on a terminal, a bar below it.
// Both keep within the terminal's columns, or COLUMNS of them; other outputs get lines that do not depend on
// any. No colours.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "report/run_files.h"

namespace lockstep::report {

class Console {
 public:
  // enabled: false on ranks other than 0; then nothing is printed.
  explicit Console(bool enabled);

  // From now on nothing is printed but warnings.
  void mute();
  // The same for a rank that speaks for a group of ranks, if it does: nothing where this one has been muted.
  Console of_group(bool speaks) const;

  // A line of text; a newline is added.
  void line(const std::string& text);
  // To stderr, "lockstep: warning: " before it; with --quiet too.
  void warning(const std::string& text);
  // From now on called with each warning as well; none: with nothing any more.
  void listen(std::function<void(const std::string&)> on_warning) { on_warning_ = std::move(on_warning); }

  // Begins a table of so many epochs. Of more than 100 it shows at most 50, evenly spaced, and the last.
  void start_table(std::size_t epochs);
  void epoch(const EpochRow& row);

  // Moves the bar, at most ten times a second. done and all in samples of this epoch; left: samples of the
  // whole run after them. Does nothing where the output is not a terminal.
  void progress(std::size_t epoch, std::size_t epochs, std::size_t done, std::size_t all, std::size_t left);
  void start_epoch();

 private:
  using Clock = std::chrono::steady_clock;
  void clear_bar();

  bool enabled_;
  bool muted_ = false;
  std::size_t columns_;                 // of the terminal; 0 without one
  std::size_t epochs_ = 0, every_ = 1;  // of the table: how many, and which to show
  bool bar_shown_ = false;
  Clock::time_point epoch_start_, last_shown_;
  std::function<void(const std::string&)> on_warning_;
};

}  // namespace lockstep::report
