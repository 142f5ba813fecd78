#include "report/event_log.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>

#include "base/error.h"

namespace lockstep::report {
namespace {

using nlohmann::ordered_json;

// Now, as ISO 8601 has it, to the millisecond.
std::string utc_now() {
  using namespace std::chrono;
  const auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  const std::time_t seconds = now / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[sizeof "2000-01-01T00:00:00"];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", text, now % 1000);
}

// The whole lines of a file that are events of steps up to `last`.
std::string events_up_to(const std::filesystem::path& path, std::size_t last) {
  std::ifstream file(path);
  std::string events;
  for (std::string line; std::getline(file, line) && !file.eof();) {
    const auto event = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    const auto step = event.is_object() ? event.find("step") : event.end();
    if (step != event.end() && step->is_number_unsigned() && step->get<std::size_t>() <= last)
      events.append(line).append(1, '\n');
  }
  return events;
}

}  // namespace

void EventLog::reached(std::size_t step, std::size_t epoch) {
  const std::lock_guard lock(mutex_);
  step_ = step;
  epoch_ = epoch;
}

void EventLog::begin(const std::filesystem::path& path, const std::string& event, const Fields& fields) {
  const std::lock_guard lock(mutex_);
  if (!path.empty()) file_.emplace(path, "", events_up_to(path, step_));
  begun_ = true;
  write(event, fields);
  for (const auto& [name, of_it] : before_) write(name, of_it);
  before_.clear();
}

void EventLog::add(const std::string& event, const Fields& fields) {
  const std::lock_guard lock(mutex_);
  if (begun_)
    write(event, fields);
  else
    before_.emplace_back(event, fields);
}

void EventLog::flush() {
  const std::lock_guard lock(mutex_);
  if (file_) file_->flush();
}

void EventLog::write(const std::string& event, const Fields& fields) {
  ordered_json object = {{"event", event}, {"time", utc_now()}, {"step", step_}, {"epoch", epoch_}};
  if (!fields.empty()) object.update(fields);
  // Texts of other programs, such as names of files, need not be UTF-8.
  const std::string line = object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + '\n';
  if (to_stdout_) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
  }
  if (!file_) return;
  file_->add(line);
  try {
    file_->flush();
  } catch (const ConfigError&) {  // which the next flush() says
  }
}

}  // namespace lockstep::report
