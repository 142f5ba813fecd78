// The signs of life of a job's ranks: a file rank-N in a folder that all of them see.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::liveness {

// In the order in which a step goes through them.
enum class Phase { kSetUp, kForwardAndBackward, kReduction, kUpdate, kEvaluation, kWriting };
const char* name(Phase phase);

struct Heartbeat {
  std::size_t beat = 0;  // grows as long as the process runs
  std::size_t step = 0;
  std::string host;
  Phase phase = Phase::kSetUp;
  std::vector<std::string> addresses, unanswered;  // see network.h
};

using Heartbeats = std::vector<std::optional<Heartbeat>>;  // by rank; nothing where there is no file

// The file's first line is "BEAT STEP HOST PHASE", the phase in words; launch/run reads it too.
std::filesystem::path heartbeat_file(const std::filesystem::path& folder, int rank);

// Replaces the file in one write. What cannot be written is not: a watchdog without files still ends its own
// process.
void write_heartbeat(const std::filesystem::path& file, const Heartbeat& heartbeat);

// Nothing if the file is not there, or is not a heartbeat.
std::optional<Heartbeat> read_heartbeat(const std::filesystem::path& file);
Heartbeats read_heartbeats(const std::filesystem::path& folder, int ranks);

}  // namespace lockstep::liveness
