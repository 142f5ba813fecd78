// lockstep configs: the configurations that come with the program, or those of a folder, with a line each.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "cli/commands.h"

namespace lockstep::cli {
namespace {

namespace fs = std::filesystem;

// Where the shipped ones are: share/lockstep/configs beside the folder of an installed program, configs
// beside that of a built one.
fs::path shipped_folder() {
  const fs::path prefix = fs::read_symlink("/proc/self/exe").parent_path().parent_path();
  const fs::path installed = prefix / "share/lockstep/configs", built = prefix / "configs";
  for (const fs::path& folder : {installed, built})
    if (fs::is_directory(folder)) return folder;
  throw ConfigError(fmt::format("no configurations in {} and in {}, expected lockstep configs DIR",
                                installed.string(), built.string()));
}

// The first line's comment; "" where it is none.
std::string description_of(const fs::path& file) {
  const std::string text = read_file(file);
  const std::string line = text.substr(0, text.find('\n'));
  const std::size_t begin = line.find_first_not_of("# ");
  return line.starts_with('#') && begin != std::string::npos ? one_line(line.substr(begin)) : "";
}

// Path and description of each TOML file below the folder: those of the folder itself first.
std::vector<std::pair<std::string, std::string>> configurations_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() == ".toml") files.push_back(entry.path());
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    const auto depth = [](const fs::path& path) { return std::distance(path.begin(), path.end()); };
    return std::pair(depth(a), a) < std::pair(depth(b), b);
  });
  std::vector<std::pair<std::string, std::string>> configurations;
  for (const fs::path& file : files) {
    const fs::path near = file.lexically_proximate(fs::current_path());  // shorter, where it lies below
    configurations.emplace_back((near.string().starts_with("..") ? file : near).string(),
                                description_of(file));
  }
  return configurations;
}

// Prints the configurations of a folder, "" for those that come with the program, with a line each.
void print_configurations(run::Job& job, const std::string& chosen) {
  const comm::Communicator& world = job.world;
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    fs::path folder = chosen;
    try {
      if (folder.empty()) folder = shipped_folder();
      const auto found = configurations_in(folder);
      if (found.empty())
        throw ConfigError(fmt::format("{}: has no .toml file, expected configurations", folder.string()));
      std::size_t width = 0;
      for (const auto& [path, description] : found) width = std::max(width, path.size());
      for (const auto& [path, description] : found)
        job.console.line(fmt::format("{:<{}}  {}", path, width, description.empty() ? "-" : description));
    } catch (const std::system_error& error) {
      throw ConfigError(fmt::format("{}: cannot be read: {}, expected a folder of configurations",
                                    folder.string(), error.code().message()));
    }
  });
}

}  // namespace

Run configs_command(Options& options) {
  const auto folder = std::make_shared<std::string>();
  options.optional_argument("DIR", *folder, "Those of this folder instead");
  return [folder](run::Job& job) {
    print_configurations(job, *folder);
    return 0;
  };
}

}  // namespace lockstep::cli
