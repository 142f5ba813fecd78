// The signs of life of a job's ranks: a file rank-N in a folder that all of them see.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "liveness/progress.h"

namespace lockstep::liveness {

struct Heartbeat {
  std::size_t beat = 0;  // grows as long as the process runs
  std::size_t step = 0;
  std::string host;
  Activity phase = Activity::kSetUp;               // as phase_of() gives it
  std::vector<std::string> addresses, unanswered;  // see network.h
  std::size_t moves = 0;                           // Progress::Place::moves
};

using Heartbeats = std::vector<std::optional<Heartbeat>>;  // by rank; nothing where there is no file

// The file's first line is "BEAT STEP HOST PHASE", the phase in words, which launch/run reads too; the next
// ones are the moves, the addresses and the unanswered ones.
std::filesystem::path heartbeat_file(const std::filesystem::path& folder, int rank);

// Replaces the file in one write. What cannot be written is not: a watchdog without files still ends its own
// process.
void write_heartbeat(const std::filesystem::path& file, const Heartbeat& heartbeat);

// Nothing if the file is not there, or is not a heartbeat.
std::optional<Heartbeat> read_heartbeat(const std::filesystem::path& file);
Heartbeats read_heartbeats(const std::filesystem::path& folder, int ranks);

}  // namespace lockstep::liveness
