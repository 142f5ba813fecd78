#include "run/published_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "run/embedded.h"

namespace lockstep::run {
namespace {

using Json = nlohmann::ordered_json;

bool is_hash(const std::string& text) {
  constexpr std::size_t kDigits = 16;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

PublishedRun run_of(const Json& entry, const std::string& name) {
  PublishedRun run;
  run.name = entry.at("name");
  run.configuration = entry.at("configuration");
  run.settings = entry.at("settings").get<std::vector<std::string>>();
  run.weights_hash = entry.at("weights_hash");
  run.step_hashes = entry.at("step_hashes").get<std::vector<std::string>>();
  const auto check = [&](const std::string& hash) {
    if (!hash.empty() && !is_hash(hash))
      throw ConfigError(
          fmt::format("{}: {} has the hash \"{}\", expected 16 hex digits", name, run.name, one_line(hash)));
  };
  check(run.weights_hash);
  std::ranges::for_each(run.step_hashes, check);
  return run;
}

}  // namespace

std::string PublishedRun::arguments() const {
  std::string words = "configs/" + configuration;
  for (const std::string& setting : settings) words += " --set " + setting;
  return words;
}

config::RunConfig PublishedRun::config() const {
  for (const EmbeddedFile& file : embedded_configurations())
    if (file.name == configuration) return config::parse(std::string(file.text), configuration, settings);
  throw ConfigError(fmt::format("{}: configs/{} is none that this program comes with", name, configuration));
}

std::string_view published_list() { return embedded_hashes(); }

std::vector<PublishedRun> parse_published_runs(std::string_view text, const std::string& name) {
  std::vector<PublishedRun> runs;
  try {
    const Json list = Json::parse(text);
    for (const Json& entry : list.at("runs")) runs.push_back(run_of(entry, name));
  } catch (const Json::exception& error) {
    throw ConfigError(fmt::format("{}: {}, expected a list of published runs, as results/hashes.json is",
                                  name, one_line(error.what())));
  }
  if (runs.empty())
    throw ConfigError(fmt::format("{}: has no runs, expected a list of published runs", name));
  return runs;
}

std::string to_text(const std::vector<PublishedRun>& runs) {
  Json list = Json::array();
  for (const PublishedRun& run : runs)
    list.push_back({{"name", run.name},
                    {"configuration", run.configuration},
                    {"settings", run.settings},
                    {"weights_hash", run.weights_hash},
                    {"step_hashes", run.step_hashes}});
  return Json{{"runs", list}}.dump(2) + '\n';
}

}  // namespace lockstep::run
