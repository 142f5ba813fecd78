#include "report/console.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lockstep::report {
namespace {

// Columns of the terminal that this process writes to, or 0 where it writes to none. mpirun gives its ranks
// pseudo- terminals of no size, whatever it writes to itself: then its own output counts.
std::size_t terminal_columns() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0) return 0;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const std::string launchers_output = fmt::format("/proc/{}/fd/1", ::getppid());
  const int fd = ::open(launchers_output.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return 0;
  if (::isatty(fd) == 1 && ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col == 0) size.ws_col = 80;
  ::close(fd);
  return size.ws_col;
}

std::string duration(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

Console::Console(bool enabled) : enabled_(enabled), columns_(enabled ? terminal_columns() : 0) {}

void Console::line(const std::string& text) {
  if (!enabled_) return;
  clear_bar();
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

void Console::warning(const std::string& text) {
  clear_bar();
  fmt::print(stderr, "lockstep: warning: {}\n", text);
}

void Console::start_table(std::size_t epochs) {
  epochs_ = epochs;
  constexpr std::size_t kAll = 100, kShown = 50;
  every_ = epochs <= kAll ? 1 : (epochs + kShown - 1) / kShown;
  line(fmt::format("{:>5}  {:>10}  {:>9}  {:>10}  {:>9}  {:>9}  {:>8}  {:>9}", "epoch", "train loss",
                   "train acc", "test loss", "test acc", "lr", "seconds", "samples/s"));
}

void Console::epoch(const EpochRow& row) {
  if (row.epoch % every_ != 0 && row.epoch != epochs_) return;
  const auto percent = [](double fraction) {
    return std::isnan(fraction) ? std::string("-") : fmt::format("{:.2f}%", 100.0 * fraction);
  };
  const auto loss = [](double value) {
    return std::isnan(value) ? std::string("-") : fmt::format("{:.5f}", value);
  };
  line(fmt::format("{:>5}  {:>10}  {:>9}  {:>10}  {:>9}  {:>9.4g}  {:>8.2f}  {:>9.0f}", row.epoch,
                   loss(row.train_loss), percent(row.train_accuracy), loss(row.test_loss),
                   percent(row.test_accuracy), row.learning_rate, row.seconds, row.samples_per_second));
}

void Console::start_epoch() { epoch_start_ = last_shown_ = Clock::now(); }

void Console::progress(std::size_t epoch, std::size_t epochs, std::size_t done, std::size_t all,
                       std::size_t left) {
  if (columns_ == 0) return;
  const auto now = Clock::now();
  if (now - last_shown_ < std::chrono::milliseconds(100)) return;
  last_shown_ = now;
  const double seconds = std::chrono::duration<double>(now - epoch_start_).count();
  const double rate = static_cast<double>(done) / seconds;
  const std::string head = fmt::format("epoch {}/{} ", epoch, epochs);
  const std::string tail = fmt::format(" {:3.0f}%  {:.0f} samples/s  {} left",
                                       100.0 * static_cast<double>(done) / static_cast<double>(all), rate,
                                       duration(static_cast<double>(left) / rate));
  const std::size_t used = head.size() + tail.size() + 3;
  const std::size_t width = std::min<std::size_t>(columns_ > used ? columns_ - used : 0, 40);
  const std::size_t filled = width * done / all;
  std::string bar = head;
  if (width > 0) bar += '[' + std::string(filled, '#') + std::string(width - filled, '.') + ']';
  bar += tail;
  fmt::print("\r{}\x1b[K", bar.substr(0, columns_ - 1));
  std::fflush(stdout);
  bar_shown_ = true;
}

void Console::clear_bar() {
  if (bar_shown_) fmt::print("\r\x1b[K");
  bar_shown_ = false;
}

}  // namespace lockstep::report
