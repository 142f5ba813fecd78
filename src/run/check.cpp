#include "run/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace lockstep::run {

Check check(std::string name, const std::function<std::string()>& look) {
  Check check{std::move(name), true, ""};
  try {
    check.found = look();
  } catch (const Error& error) {
    check.holds = false;
    check.found = error.what();
  }
  return check;
}

std::vector<std::string> lines_of(const std::vector<Check>& checks) {
  std::size_t widest = 0;
  for (const Check& check : checks) widest = std::max(widest, check.name.size());
  std::vector<std::string> lines;
  for (const Check& check : checks)
    lines.push_back(
        fmt::format("{:<{}}  {}  {}", check.name, widest, check.holds ? "pass" : "FAIL", check.found));
  return lines;
}

nlohmann::ordered_json to_json(const std::vector<Check>& checks) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Check& check : checks)
    list.push_back({{"name", check.name}, {"holds", check.holds}, {"found", check.found}});
  return list;
}

}  // namespace lockstep::run
