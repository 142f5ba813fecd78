#include "run/inspect.h"

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "config/reader.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExpected =
    "expected safetensors, TOML or CSV, the folder of a run, or one with CIFAR-10's files";

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

// A table whose last column is the target: classes or, where they cannot be, values.
std::unique_ptr<data::Dataset> open_csv(const fs::path& path) {
  data::DataOptions options;
  options.dataset = "csv";
  options.file = path;
  options.missing = data::Missing::kMean;  // which are counted
  try {
    return data::open_dataset(options);
  } catch (const DataError& no_classes) {
    options.task = data::Task::kRegression;
    try {
      return data::open_dataset(options);
    } catch (const DataError& no_values) {
      if (std::strcmp(no_classes.what(), no_values.what()) == 0) throw;
      throw DataError(
          fmt::format("{}; and with data.task = \"regression\": {}", no_classes.what(), no_values.what()));
    }
  }
}

// Only a configuration has values to set.
void expect_none(const std::vector<std::string>& overrides, const fs::path& path, const char* found) {
  if (!overrides.empty())
    throw ConfigError(fmt::format("{}: is {}, expected a configuration with --set", path.string(), found));
}

Lines inspect_folder(const fs::path& path, const std::vector<std::string>& overrides) {
  expect_none(overrides, path, "a folder");
  if (fs::exists(path / "config.toml") || fs::exists(path / "summary.json")) return inspect_run(path);
  if (!fs::exists(path / "data_batch_1.bin") && !fs::exists(path / "test_batch.bin"))
    throw ConfigError(
        fmt::format("{}: is a folder without config.toml, summary.json and data_batch_1.bin, {}",
                    path.string(), kExpected));
  data::DataOptions options;
  options.dir = path;
  return inspect_data(path, "CIFAR-10", *data::open_dataset(options));
}

Lines inspect_file(const fs::path& path, const std::vector<std::string>& overrides) {
  const std::string ending = path.extension().string();
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
    return inspect_data(path, "a table", *open_csv(path));
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
