#include "base/memory_limit.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

namespace lockstep {
namespace {

namespace fs = std::filesystem;

// Lowers the limit to the number in a file; "max", and a file that is not there, set none.
void apply(const fs::path& file, MemoryLimit& limit) {
  std::ifstream in(file);
  std::uint64_t bytes = 0;
  if (in >> bytes && bytes < limit.bytes) limit = {bytes, file.string()};
}

}  // namespace

MemoryLimit memory_limit() {
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  return memory_limit(pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)), "/proc/self/cgroup",
                      "/sys/fs/cgroup");
}

MemoryLimit memory_limit(std::uint64_t machine, const fs::path& groups, const fs::path& root) {
  MemoryLimit limit{machine, "the machine's memory"};
  std::ifstream in(groups);
  for (std::string line; std::getline(in, line);) {  // "0::/a/b" (version 2), "5:memory:/a/b" (version 1)
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool version_1 = fmt::format(",{},", controllers).find(",memory,") != std::string::npos;
    if (!version_1 && !controllers.empty()) continue;
    const fs::path top = version_1 ? root / controllers : root;
    for (fs::path group = fs::path(line.substr(second + 1)).relative_path();; group = group.parent_path()) {
      apply(top / group / (version_1 ? "memory.limit_in_bytes" : "memory.max"), limit);
      if (group.empty()) break;
    }
  }
  return limit;
}

}  // namespace lockstep
