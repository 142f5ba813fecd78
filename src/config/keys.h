// What each key of a run's configuration means beside its value: whether the run's numbers depend on it, and
// with which values of other keys it has an effect.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace lockstep::config {

enum class Role {
  kExperiment,  // the run's numbers depend on it: with another value it is another experiment
  kLength,      // as kExperiment where train.schedule needs to know the end, else as kExecution
  kExecution,   // who computes, when the run ends, what is written: it may go on with another value
};

struct Key {
  std::string name;  // "section.key", or of a list of tables; what is in these belongs to it
  Role role = Role::kExperiment;
  // The keys that decide whether it has an effect, all read before it; none: it always has.
  std::vector<std::string> decided_by = {};
  // Why it has none with these values, as the rest of a sentence that begins with its name; "" where it has.
  std::function<std::string(const nlohmann::ordered_json& resolved)> why_not = {};
};

// Of every key that parse() reads. A Reader that is given them refuses to read any other.
std::span<const Key> keys_of_runs();

// The key that a dotted name is of, "model.layers.0.units" say; null: none is.
const Key* find_key(std::span<const Key> keys, const std::string& name);

// Whether the numbers of a run with these resolved values depend on what has this dotted name. An unknown
// name counts, unless it is in a section without a key that does.
bool matters(const std::string& name, const nlohmann::ordered_json& resolved);

// What the result of a run to its end depends on: by dotted name the values, as JSON writes them, of what
// matters, and of what says after which epoch it ends. Where its files are does not count.
std::map<std::string, std::string> deciding_values(const nlohmann::ordered_json& resolved);

}  // namespace lockstep::config
