#include "base/control_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <fstream>

namespace lockstep {

namespace fs = std::filesystem;

std::vector<ControlGroup> control_groups(const std::string& controller, const ControlGroupFiles& files) {
  std::vector<ControlGroup> groups;
  std::ifstream in(files.membership);
  for (std::string line; std::getline(in, line);) {  // "0::/a/b" (version 2), "5:memory:/a/b" (version 1)
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const int version = controllers.empty() ? 2 : 1;
    if (version == 1 &&
        fmt::format(",{},", controllers).find(fmt::format(",{},", controller)) == std::string::npos)
      continue;
    std::vector<fs::path> tops = {files.root / controllers};
    if (version == 2) tops.push_back(files.root / "unified");  // beside version 1
    for (const fs::path& top : tops)
      for (fs::path group = fs::path(line.substr(second + 1)).relative_path();; group = group.parent_path()) {
        groups.push_back({version, top / group});
        if (group.empty()) break;
      }
  }
  return groups;
}

std::optional<int> quota_cores(const ControlGroupFiles& files) {
  std::optional<int> least;
  for (const ControlGroup& group : control_groups("cpu", files)) {
    std::int64_t quota = -1, period = 0;  // microseconds
    if (group.version == 2) {
      std::ifstream(group.folder / "cpu.max") >> quota >> period;  // "max 100000" where there is none
    } else {
      std::ifstream(group.folder / "cpu.cfs_quota_us") >> quota;
      std::ifstream(group.folder / "cpu.cfs_period_us") >> period;
    }
    if (quota <= 0 || period <= 0) continue;
    const int cores = static_cast<int>(std::max<std::int64_t>(1, quota / period));
    least = std::min(cores, least.value_or(cores));
  }
  return least;
}

}  // namespace lockstep
