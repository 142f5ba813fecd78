#include "run/temporary_folder.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>
#include <system_error>

#include "base/error.h"

namespace lockstep::run {

namespace fs = std::filesystem;

std::string make_temporary_folder(const std::string& name) {
  std::error_code error;
  std::string folder = (fs::temp_directory_path(error) / fmt::format("{}-XXXXXX", name)).string();
  if (error || ::mkdtemp(folder.data()) == nullptr) folder.clear();
  return folder;
}

TemporaryFolder::TemporaryFolder(const std::string& name, const comm::Communicator& world)
    : owns_(world.rank() == 0) {
  world.all_or_none([&] {
    if (!owns_) return;
    path_ = make_temporary_folder(name);
    if (path_.empty())
      throw ConfigError("no folder for temporary files can be made, expected one where TMPDIR says");
  });
  world.broadcast(path_, 0);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (owns_ && !path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace lockstep::run
