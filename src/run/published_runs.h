// The published runs: what a few short runs of the configurations that come with the program give on every
// processor.
//
// Their list, results/hashes.json, and their configurations are compiled in, so that the program can compare
// itself with them wherever it is installed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/run_config.h"

namespace lockstep::run {

inline constexpr std::size_t kPublishedSteps = 20;

struct PublishedRun {
  std::string name;                   // "spiral"
  std::string configuration;          // its path below configs/
  std::vector<std::string> settings;  // as --set takes them
  std::string weights_hash;           // after the last step
  std::vector<std::string>
      step_hashes;  // of the initial weights, then after each of the first kPublishedSteps

  // As "configs/courses/spiral.toml --set train.epochs=2".
  std::string arguments() const;
  // Throws ConfigError where this program comes without the configuration.
  config::RunConfig config() const;
};

// The list that is compiled in.
std::string_view published_list();

// The runs of a list; `name` is for messages. Throws ConfigError where the text is not such a list.
std::vector<PublishedRun> parse_published_runs(std::string_view text, const std::string& name);

// The list as a text that parse_published_runs reads.
std::string to_text(const std::vector<PublishedRun>& runs);

}  // namespace lockstep::run
