#include "report/console.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace lockstep::report {
namespace {

// Columns of the terminal that this process writes to, or 0 where it writes to none. mpirun gives its ranks
// pseudo- terminals of no size, whatever it writes to itself: then its own output counts.
std::size_t columns_of_terminal() {
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

// The same, but where there is a terminal the user's COLUMNS says how much of it to use.
std::size_t columns_to_use() {
  const std::size_t columns = columns_of_terminal();
  const char* const text = std::getenv("COLUMNS");
  if (columns == 0 || text == nullptr) return columns;
  std::size_t wanted = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), wanted);
  return error == std::errc() && *end == '\0' && wanted > 0 ? wanted : columns;
}

struct Column {
  const char* name;
  std::size_t width;
};
constexpr std::array<Column, 8> kTable = {{{"epoch", 5},
                                           {"train loss", 10},
                                           {"train acc", 9},
                                           {"test loss", 10},
                                           {"test acc", 9},
                                           {"lr", 9},
                                           {"seconds", 8},
                                           {"samples/s", 9}}};
// The first of these stays; the last gives way first where a terminal is too narrow for all.
constexpr std::size_t kByImportance[] = {0, 1, 4, 2, 3, 6, 5, 7};

// A row of as many cells as fit into a terminal's columns; of all where there is none.
std::string row_of(const std::array<std::string, kTable.size()>& cells, std::size_t columns) {
  constexpr std::size_t kSpace = 2;
  std::array<bool, kTable.size()> shown{};
  std::size_t width = 0;
  for (const std::size_t i : kByImportance) {
    width += kTable[i].width + (i == 0 ? 0 : kSpace);
    if (i != 0 && columns != 0 && width > columns) break;
    shown[i] = true;
  }
  std::string row;
  for (std::size_t i = 0; i < kTable.size(); ++i)
    if (shown[i]) row += fmt::format("{:>{}}", cells[i], kTable[i].width + (i == 0 ? 0 : kSpace));
  return row;
}

std::string duration(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

Console::Console(bool enabled) : enabled_(enabled), columns_(enabled ? columns_to_use() : 0) {}

void Console::mute() {
  muted_ = true;
  enabled_ = false;
  columns_ = 0;
}

Console Console::of_group(bool speaks) const { return Console(speaks && !muted_); }

void Console::line(const std::string& text) {
  if (!enabled_) return;
  clear_bar();
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

void Console::warning(const std::string& text) {
  clear_bar();
  fmt::print(stderr, "lockstep: warning: {}\n", text);
  if (on_warning_) on_warning_(text);
}

void Console::start_table(std::size_t epochs) {
  epochs_ = epochs;
  constexpr std::size_t kAll = 100, kShown = 50;
  every_ = epochs <= kAll ? 1 : (epochs + kShown - 1) / kShown;
  std::array<std::string, kTable.size()> names;
  std::ranges::transform(kTable, names.begin(), &Column::name);
  line(row_of(names, columns_));
}

void Console::epoch(const EpochRow& row) {
  if (row.epoch % every_ != 0 && row.epoch != epochs_) return;
  const auto percent = [](double fraction) {
    return std::isnan(fraction) ? std::string("-") : fmt::format("{:.2f}%", 100.0 * fraction);
  };
  const auto loss = [](double value) {
    if (std::isnan(value)) return std::string("-");
    const std::string digits = fmt::format("{:.5f}", value);
    return digits.size() <= kTable[1].width ? digits : fmt::format("{:.3e}", value);
  };
  line(row_of({std::to_string(row.epoch), loss(row.train_loss), percent(row.train_accuracy),
               loss(row.test_loss), percent(row.test_accuracy), fmt::format("{:.4g}", row.learning_rate),
               fmt::format("{:.2f}", row.seconds), fmt::format("{:.0f}", row.samples_per_second)},
              columns_));
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
  std::string tail = fmt::format(" {:3.0f}%", 100.0 * static_cast<double>(done) / static_cast<double>(all));
  std::string speed = fmt::format("  {:.0f} samples/s", rate);
  const std::string time = fmt::format("  {} left", duration(static_cast<double>(left) / rate));
  if (head.size() + tail.size() + speed.size() + time.size() >= columns_) speed.clear();
  tail += speed + time;
  const std::size_t used = head.size() + tail.size() + 3;
  constexpr std::size_t kShortest = 5, kLongest = 40;
  const std::size_t width = columns_ < used + kShortest ? 0 : std::min(columns_ - used, kLongest);
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
