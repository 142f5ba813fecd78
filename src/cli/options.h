// What a subcommand takes on the command line: a few kinds of options, as CLI11 has them. One file alone
// includes CLI11's headers, which are large.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace lockstep::cli {

// The options of one subcommand. Variables that are given must live until the command line is parsed; `help`
// is what
// --help says of them. The names of options begin with "--".
class Options {
 public:
  // program: as it was called.
  Options(CLI::App& command, std::string program) : command_(command), program_(std::move(program)) {}

  const std::string& program() const { return program_; }

  // A word without a name: one that there must be, one that there may be, any number of them.
  void argument(const char* name, std::string& value, const char* help);
  void optional_argument(const char* name, std::string& value, const char* help);
  void arguments(const char* name, std::vector<std::string>& values, const char* help);
  // The configuration, and --set for its values.
  void configuration(std::string& config, std::vector<std::string>& overrides, const char* help);
  void overrides(std::vector<std::string>& overrides);

  void flag(const char* name, bool& value, const char* help);
  void text(const char* name, std::string& value, const char* help);
  // One of these words, the first of which it is without the option.
  void choice(const char* name, std::string& value, const std::vector<std::string>& words, const char* help);
  // May be given several times, with one value each.
  void repeated(const char* name, std::vector<std::string>& values, const char* help);
  // Values with commas between them.
  void list(const char* name, std::vector<std::string>& values, const std::string& help);
  // A whole number of min..max.
  void number(const char* name, int& value, int min, int max, const char* help);
  void number(const char* name, std::size_t& value, std::size_t min, std::size_t max, const char* help);
  // At least 0.
  void tolerance(const char* name, double& value, const char* help);
  void tolerance(const char* name, std::optional<double>& value, const char* help);

  // What --help says below all of them.
  void footer(const char* text);

 private:
  CLI::App& command_;
  std::string program_;
};

}  // namespace lockstep::cli
