// The limits that Linux sets for this process's group, and for each group above it: control groups, version 1
// and 2. Containers, batch systems and systemd set them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {

struct ControlGroup {
  int version = 2;
  std::filesystem::path folder;
};

// Where Linux tells: of which groups this process is a member (lines of NUMBER:CONTROLLERS:GROUP; version 2
// has no controllers there), and where their folders are.
struct ControlGroupFiles {
  std::filesystem::path membership = "/proc/self/cgroup";
  std::filesystem::path root = "/sys/fs/cgroup";
};

// The groups that may limit what `controller` ("cpu", "memory") controls, the process's own before those
// above.
std::vector<ControlGroup> control_groups(const std::string& controller, const ControlGroupFiles& files = {});

// The whole cores that CPU quotas leave to this process, at least 1; nothing where there is no quota.
std::optional<int> quota_cores(const ControlGroupFiles& files = {});

}  // namespace lockstep
