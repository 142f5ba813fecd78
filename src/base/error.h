// Errors that a user meets, each with the exit code that it ends the program with.
//
// The message is one line: it names the file, the key or the rank, what was found and what was expected.
// Library code throws; only main prints and exits.
#pragma once

#include <stdexcept>
#include <string>

namespace lockstep {

enum class ExitCode : int {
  kDone = 0,
  kConfig = 2,  // the command line or the configuration is wrong, a diverging run's hyperparameters included
  kData = 3,    // the data is wrong or missing
  kModel = 4,   // a weight file or a checkpoint is wrong
  kRank = 5,    // a rank or the network failed
  kInterrupted = 130,  // by SIGINT
  kTerminated = 143,   // by SIGTERM, SIGHUP or SIGUSR1
};

// The text with control characters, line breaks among them, written as \xNN.
inline std::string one_line(const std::string& text) {
  constexpr const char* kHex = "0123456789abcdef";
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f)
      line += c;
    else
      line.append("\\x").append(1, kHex[byte / 16]).append(1, kHex[byte % 16]);
  }
  return line;
}

class Error : public std::runtime_error {
 public:
  // The message may quote what a file holds: it becomes one line here.
  Error(ExitCode code, const std::string& message) : std::runtime_error(one_line(message)), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

struct ConfigError : Error {
  explicit ConfigError(const std::string& message) : Error(ExitCode::kConfig, message) {}
};
struct DataError : Error {
  explicit DataError(const std::string& message) : Error(ExitCode::kData, message) {}
};
struct ModelError : Error {
  explicit ModelError(const std::string& message) : Error(ExitCode::kModel, message) {}
};
struct RankError : Error {
  explicit RankError(const std::string& message) : Error(ExitCode::kRank, message) {}
};

// A caller's mistake, not a user's: sizes that do not fit together.
struct ShapeError : std::logic_error {
  using std::logic_error::logic_error;
};

// Throws ShapeError(message) unless condition holds.
inline void require(bool condition, const char* message) {
  if (!condition) throw ShapeError(message);
}

}  // namespace lockstep
