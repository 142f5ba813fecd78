// What happens in a run, for other programs: a line of JSON for each event, in events.jsonl of the run
// folder, on standard output, or both.
//
// Each has "event" (start, resume, epoch, checkpoint, warning, end), "time" (UTC), "step" and "epoch" (how
// many are done), and then what belongs to the event. Nothing that is not a finite number is null.
#pragma once

#include <cstddef>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "report/run_files.h"

namespace lockstep::report {

// Any thread may add events.
class EventLog {
 public:
  using Fields = nlohmann::ordered_json;  // an object, or null: none

  // to_stdout: each event goes there as soon as it is added.
  explicit EventLog(bool to_stdout) : to_stdout_(to_stdout) {}

  // Where the run is from now on.
  void reached(std::size_t step, std::size_t epoch);

  // The first event of all; those that were added before follow. Into the file too if its path is not empty,
  // whose whole lines of events up to the step that was reached stay. Throws ConfigError where it cannot be
  // written.
  void begin(const std::filesystem::path& path, const std::string& event, const Fields& fields);

  // The fields may say another step and epoch. What cannot be written now is written with a later event.
  void add(const std::string& event, const Fields& fields);

  // Writes what could not be written. Throws ConfigError where it still cannot be.
  void flush();

 private:
  void write(const std::string& event, const Fields& fields);

  std::mutex mutex_;
  const bool to_stdout_;
  bool begun_ = false;
  std::vector<std::pair<std::string, Fields>> before_;  // what was added before it began
  std::size_t step_ = 0, epoch_ = 0;
  std::optional<RowsFile> file_;
};

}  // namespace lockstep::report
