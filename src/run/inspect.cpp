#include "run/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "config/reader.h"
#include "npz/array_rows.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExpected =
    "expected safetensors, TOML, CSV or .npz, the folder of a run, or one with the files of a data set";

// The length of a JSON header that fits into the file, then the header.
bool is_safetensors(const std::string& content) {
  std::uint64_t length = 0;
  if (content.size() <= sizeof length || content[sizeof length] != '{') return false;
  std::memcpy(&length, content.data(), sizeof length);
  return length <= content.size() - sizeof length;
}

// A key and a value, and nothing that TOML does not know.
bool is_toml(const std::string& content) {
  if (content.find('=') == std::string::npos) return false;
  try {
    const config::Reader reader(content, "", {});
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

// Only a configuration has values to set.
void expect_none(const std::vector<std::string>& overrides, const fs::path& path, const char* found) {
  if (!overrides.empty())
    throw ConfigError(fmt::format("{}: is {}, expected a configuration with --set", path.string(), found));
}

// A data set in a folder.
data::DataOptions options_of(const char* dataset, const fs::path& folder) {
  data::DataOptions options;
  options.dataset = dataset;
  options.dir = folder;
  return options;
}
Lines inspect_set(const fs::path& path, const char* kind, const char* dataset) {
  return inspect_data(path, kind, *data::open_dataset(options_of(dataset, path)));
}

bool is_zip(const fs::path& path) {
  char begin[4] = {};
  return std::ifstream(path, std::ios::binary).read(begin, sizeof begin) &&
         std::string_view(begin, sizeof begin) == std::string_view("PK\3\4");
}

Lines inspect_folder(const fs::path& path, const std::vector<std::string>& overrides) {
  expect_none(overrides, path, "a folder");
  if (fs::exists(path / "config.toml") || fs::exists(path / "summary.json")) return inspect_run(path);
  const auto has = [&](const char* file) { return fs::exists(path / file); };
  if (has("data_batch_1.bin") || has("test_batch.bin")) return inspect_set(path, "CIFAR-10", "cifar10");
  if (has("train.bin") || has("test.bin")) return inspect_set(path, "CIFAR-100", "cifar100");
  const std::vector<fs::path> idx = data::files_of(options_of("mnist", path));
  if (std::ranges::any_of(idx, [](const fs::path& file) { return fs::exists(file); }))
    return inspect_set(path, "images in IDX files", "mnist");
  if (!npz::npy_files(path).empty()) return inspect_arrays(path);
  const auto is_folder = [](const fs::directory_entry& entry) { return entry.is_directory(); };
  if (std::any_of(fs::directory_iterator(path), fs::directory_iterator(), is_folder))
    return inspect_set(path, "images in folders", "images");
  throw ConfigError(fmt::format("{}: is a folder without config.toml, summary.json or a data set's files, {}",
                                path.string(), kExpected));
}

Lines inspect_file(const fs::path& path, const std::vector<std::string>& overrides) {
  const std::string ending = path.extension().string();
  if (ending == ".npz" || is_zip(path)) {
    expect_none(overrides, path, "a zip");
    return inspect_arrays(path);
  }
  std::string content = read_file(path);
  if (ending == ".safetensors" || is_safetensors(content)) {
    expect_none(overrides, path, "a safetensors file");
    return inspect_weights(path, nn::SafetensorsFile::parse(std::move(content), path.string()));
  }
  if (ending == ".toml" || is_toml(content)) return inspect_config(path, content, overrides);
  expect_none(overrides, path, "not TOML");
  if (ending != ".csv" && content.find('\0') != std::string::npos)
    throw ConfigError(fmt::format("{}: is binary and no safetensors file, {}", path.string(), kExpected));
  try {
    return inspect_data(path, "a table", *open_samples(path, "csv"));
  } catch (const DataError& error) {
    if (ending == ".csv") throw;
    throw ConfigError(fmt::format("{}: is none of what Lockstep reads (as CSV: {}), {}", path.string(),
                                  error.what(), kExpected));
  }
}

}  // namespace

void inspect(Job& job, const std::string& name, const std::vector<std::string>& overrides) {
  const comm::Communicator& world = job.world;
  Lines lines;  // on rank 0
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    const fs::path path = name;
    try {
      if (!fs::exists(path))
        throw ConfigError(fmt::format("{}: no such file or folder, {}", name, kExpected));
      if (!fs::is_directory(path) && !fs::is_regular_file(path))
        throw ConfigError(fmt::format("{}: is neither a file nor a folder, {}", name, kExpected));
      lines = fs::is_directory(path) ? inspect_folder(path, overrides) : inspect_file(path, overrides);
    } catch (const std::system_error& error) {
      throw ConfigError(fmt::format("{}: cannot be read: {}", name, error.code().message()));
    }
  });
  report::Console& console = job.console;
  for (const std::string& line : lines) console.line(line);
}

}  // namespace lockstep::run
