// Runs programs as a user would: with arguments, an environment and a terminal or a pipe; a hang becomes a
// failure.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::program {

struct Outcome {
  int code = 0;     // the exit code, or 128 and the signal that ended it
  std::string out;  // on a terminal both streams are here
  std::string err;  // without what mpirun adds when a rank fails
};

struct Surroundings {
  std::filesystem::path folder = ".";  // the working folder
  int limit_seconds = 20;              // after which it is ended and the test fails
  bool terminal = false;               // writes to a terminal instead of pipes
  unsigned short columns = 100;        // of that terminal
  std::vector<std::pair<std::string, std::string>> environment = {};  // set beside this process's
};
inline Surroundings in(const std::filesystem::path& folder, int limit_seconds = 20, bool terminal = false) {
  return {.folder = folder, .limit_seconds = limit_seconds, .terminal = terminal};
}

// A command that runs beside the test, input empty; ended with this object.
class Running {
 public:
  explicit Running(const std::vector<std::string>& words, const Surroundings& surroundings = {});
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running();

  pid_t id() const { return id_; }  // and its process group's

  // Waits until it and whoever holds its output have ended. A test in which that takes longer than the limit
  // fails.
  Outcome wait();

 private:
  // Reads until both outputs have ended. False if that takes longer.
  bool read_outputs(std::chrono::milliseconds limit);
  // Waits for the process alone. Its exit code.
  int ended();

  std::string command_;
  std::chrono::seconds limit_;
  pid_t id_ = -1;
  std::array<int, 2> outputs_{-1, -1};  // of out and err, to read from
  Outcome outcome_;
};

// Runs a command, input empty, and waits until it and whoever holds its output have ended. It does not see
// the variables of this process that steer the program: OMP_*, BLIS_*, CIFAR10_DIR, COLUMNS and NO_COLOR.
Outcome execute(const std::vector<std::string>& words, const Surroundings& surroundings = {});

// Lockstep with these arguments: alone, without mpirun, for ranks = kOneProcess, else under mpirun.
inline constexpr int kOneProcess = 0;
Outcome run(const std::vector<std::string>& arguments, int ranks, const Surroundings& surroundings = {});
std::vector<std::string> words_of(const std::vector<std::string>& arguments, int ranks);

// The words that start a command under mpirun, up to and without "-np".
std::vector<std::string> mpirun();

// Where the program and the test helper that measures memory (peak_memory.cpp) are.
std::string program();
std::string peak_memory();

// A folder that goes with the object, and all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace lockstep::program
