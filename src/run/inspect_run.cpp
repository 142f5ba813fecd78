#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "run/inspect.h"
#include "train/checkpoint_folder.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

Lines describe_summary(const ordered_json& summary) {
  const auto count = [&](const char* key) { return summary.at(key).get<std::size_t>(); };
  Lines lines = {entry("configuration", summary.at("name").get<std::string>()),
                 entry("data", summary.at("config").at("data").at("dataset").get<std::string>()),
                 entry("epochs", std::to_string(count("epochs"))),
                 entry("steps", std::to_string(count("steps"))),
                 entry("seconds", fmt::format("{:.3g}", summary.at("seconds").get<double>())),
                 entry("ranks x threads", fmt::format("{} x {}", count("ranks"), count("threads"))),
                 entry("parameters", std::to_string(count("parameters")))};
  for (const char* split : {"train", "test"})
    if (const std::string text = describe_score(summary, split); !text.empty())
      lines.push_back(entry(split, text));
  lines.push_back(entry("weights", summary.at("weights_hash").get<std::string>()));
  if (summary.contains("average_hash"))
    lines.push_back(entry("averaged weights", summary.at("average_hash").get<std::string>()));
  for (const auto& [name, value] : summary.at("provenance").items())
    lines.push_back(entry(name, value.get<std::string>()));
  return lines;
}

Lines read_summary(const fs::path& path, std::string& weights) {
  try {
    const ordered_json summary = ordered_json::parse(read_file(path));
    weights =
        summary.at(summary.contains("average_hash") ? "average_hash" : "weights_hash").get<std::string>();
    return describe_summary(summary);
  } catch (const ordered_json::exception& error) {
    throw ConfigError(fmt::format("{}: is not readable: {}, expected what lockstep train writes",
                                  path.string(), error.what()));
  }
}

// "NAME: whole, " and what describe(file) says of it, or why it is not.
std::string describe_file(const fs::path& path,
                          const std::function<std::string(const nn::SafetensorsFile&)>& describe) {
  try {
    return fmt::format("{}: whole, {}", path.filename().string(), describe(nn::SafetensorsFile::read(path)));
  } catch (const ModelError& error) {
    return fmt::format("broken: {}", error.what());
  }
}

}  // namespace

std::string entry(const std::string& name, const std::string& text) {
  return fmt::format("{:<17}{}", name, text);
}

std::string describe_score(const ordered_json& summary, const std::string& split) {
  const ordered_json &loss = summary.at(split + "_loss"), &accuracy = summary.at(split + "_accuracy");
  if (loss.is_null()) return "";
  std::string text = fmt::format("loss {:#.10g}", loss.get<double>());
  if (!accuracy.is_null()) text += fmt::format(", accuracy {:.2f}%", 100.0 * accuracy.get<double>());
  return text;
}

Lines inspect_run(const fs::path& path) {
  const fs::path summary = path / "summary.json";
  const bool finished = fs::exists(summary);
  Lines lines = {fmt::format("{}: a run, {}", path.string(), finished ? "finished" : "not finished")};
  std::string expected;  // the hash of the model's weights
  if (finished)
    for (std::string& line : read_summary(summary, expected)) lines.push_back(std::move(line));
  if (const fs::path model = path / "model.safetensors"; fs::exists(model))
    lines.push_back(entry("model", describe_file(model, [&](const nn::SafetensorsFile& file) {
                            return describe_weights(model, file, expected);
                          })));
  std::vector<fs::path> checkpoints = train::CheckpointFolder::files(path / "checkpoints");
  if (const fs::path best = path / "checkpoints/best.safetensors"; fs::exists(best))
    checkpoints.push_back(best);
  for (const fs::path& checkpoint : checkpoints)
    lines.push_back(entry("checkpoint", describe_file(checkpoint, [&](const nn::SafetensorsFile& file) {
                            return describe_checkpoint(file, checkpoint.string());
                          })));
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(path))
    if (file.is_regular_file() && !file.path().filename().string().starts_with('.'))
      files.push_back(file.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files)
    lines.push_back(
        entry("file", fmt::format("{}, {} bytes", file.filename().string(), fs::file_size(file))));
  return lines;
}

}  // namespace lockstep::run
