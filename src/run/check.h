// One of several things that a command looks at, and what came of it.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lockstep::run {

struct Check {
  std::string name;  // "model.safetensors"
  bool holds = true;
  std::string found;  // what was found; where it does not hold, also what was expected
};

// What look() returns is what was found; where it throws an Error, the check does not hold, and its message
// is.
Check check(std::string name, const std::function<std::string()>& look);

// "model.safetensors   pass  weights 0123456789abcdef", names as wide as the widest.
std::vector<std::string> lines_of(const std::vector<Check>& checks);

// [{"name": ..., "holds": true, "found": ...}, ...].
nlohmann::ordered_json to_json(const std::vector<Check>& checks);

}  // namespace lockstep::run
