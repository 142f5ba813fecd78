#include "liveness/heartbeat.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace lockstep::liveness {
namespace {

std::optional<Activity> phase_called(std::string words) {
  words.erase(words.find_last_not_of(' ') + 1);
  for (std::size_t a = 0; a < kActivities; ++a)
    if (words == phase_name(static_cast<Activity>(a))) return static_cast<Activity>(a);
  return std::nullopt;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

}  // namespace

std::filesystem::path heartbeat_file(const std::filesystem::path& folder, int rank) {
  return folder / fmt::format("rank-{}", rank);
}

void write_heartbeat(const std::filesystem::path& file, const Heartbeat& heartbeat) {
  // The same length for all: a shorter text must not leave the end of a longer one.
  constexpr std::size_t kLength = 1000;
  std::string text = fmt::format("{} {} {} {}\n{}\n", heartbeat.beat, heartbeat.step, heartbeat.host,
                                 phase_name(heartbeat.phase), heartbeat.moves);
  const std::string network =
      fmt::format("{}\n{}\n", fmt::join(heartbeat.addresses, " "), fmt::join(heartbeat.unanswered, " "));
  if (text.size() + network.size() <= kLength) text.append(network);
  text.resize(kLength, ' ');
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return;
  [[maybe_unused]] const auto ignored = ::pwrite(fd, text.data(), text.size(), 0);
  ::close(fd);
}

std::optional<Heartbeat> read_heartbeat(const std::filesystem::path& file) {
  std::ifstream in(file);
  Heartbeat heartbeat;
  std::string line;
  if (!(in >> heartbeat.beat >> heartbeat.step >> heartbeat.host >> std::ws) || !std::getline(in, line))
    return std::nullopt;
  const std::optional<Activity> phase = phase_called(line);
  if (!phase) return std::nullopt;
  heartbeat.phase = *phase;
  if (!(in >> heartbeat.moves) || !std::getline(in, line)) return std::nullopt;
  if (std::getline(in, line)) heartbeat.addresses = words_of(line);
  if (std::getline(in, line)) heartbeat.unanswered = words_of(line);
  return heartbeat;
}

Heartbeats read_heartbeats(const std::filesystem::path& folder, int ranks) {
  Heartbeats all;
  for (int rank = 0; rank < ranks; ++rank) all.push_back(read_heartbeat(heartbeat_file(folder, rank)));
  return all;
}

}  // namespace lockstep::liveness
