// All that can be wrong with what the program is given, and what it must say of it.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace lockstep::program {

using Words = std::vector<std::string>;

// Which ranks of several notice the mistake: all of them, or rank 0 for all; or one, and the message names
// it.
enum class Seen { kByAll, kByOne };

struct BadInput {
  std::string name;
  int code;
  Seen seen;
  // Puts files into the working folder, which has run.toml already, and returns the command line.
  std::function<Words(const std::filesystem::path&)> arrange;
  Words says;  // parts of the message, in this order
};

// How a test's output calls it.
inline void PrintTo(const BadInput& input, std::ostream* out) { *out << input.name; }

std::vector<BadInput> bad_inputs();        // CIFAR-10's files, the configuration, the command line, weights
std::vector<BadInput> bad_data_inputs();   // other data sets
std::vector<BadInput> bad_model_inputs();  // layers and losses
std::vector<BadInput> bad_sweep_inputs();  // sweeps, gradient checks, evaluations

// The command line that trains by run.toml into the folder out, printing nothing, and more arguments.
Words quiet_training(const Words& more);

}  // namespace lockstep::program
