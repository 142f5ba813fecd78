#include "shipped.h"

#include <algorithm>
#include <cctype>
#include <regex>
#include <stdexcept>

#include "files.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> found(bool sweeps) {
  const fs::path root = LOCKSTEP_CONFIGS_FOLDER;
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string name = entry.path().lexically_relative(root).string();
    if (entry.path().extension() == ".toml" && name.starts_with("sweeps/") == sweeps) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The string that a line `key = "..."` of the file gives.
std::string value_of(const std::string& key, const fs::path& file) {
  const std::string text = read_text(file);
  std::smatch match;
  if (!std::regex_search(text, match, std::regex("(^|\n)" + key + " *= *\"([^\"]*)\"")))
    throw std::runtime_error(file.string() + " has no " + key);
  return match[2];
}

}  // namespace

std::vector<std::string> shipped_configurations() { return found(false); }
std::vector<std::string> shipped_sweeps() { return found(true); }
fs::path shipped(const std::string& name) { return fs::path(LOCKSTEP_CONFIGS_FOLDER) / name; }

std::string name_of_shipped(const testing::TestParamInfo<std::string>& info) {
  std::string name = fs::path(info.param).replace_extension().string();
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

std::vector<std::pair<std::string, std::string>> shortening(const fs::path& configuration) {
  std::vector<std::pair<std::string, std::string>> values = {{"train.epochs", "2"}};
  const std::string dataset = value_of("dataset", configuration);
  if (dataset == "cifar10" || dataset == "synthetic")
    values.insert(values.end(), {{"data.dataset", "\"synthetic\""}, {"data.test_samples", "57"}});
  if (dataset != "csv") values.emplace_back("data.train_samples", "101");
  return values;
}

std::vector<std::string> shortened(const fs::path& configuration) {
  std::vector<std::string> words = {"--set", "compute.threads=1"};
  for (const auto& [key, value] : shortening(configuration))
    words.insert(words.end(), {"--set", key + "=" + value});
  return words;
}

std::string shortened_sweep(const fs::path& sweep) {
  const std::string named = value_of("config", sweep);
  const fs::path configuration = (sweep.parent_path() / named).lexically_normal();
  std::string text = read_text(sweep);
  text.replace(text.find('"' + named + '"'), named.size() + 2, '"' + configuration.string() + '"');
  if (text.find("[set]\n") == std::string::npos) text.insert(text.find("[parameters]\n"), "[set]\n");
  std::string set;
  for (const auto& [key, value] : shortening(configuration)) {
    text =
        std::regex_replace(text, std::regex("\n\"?" + key + "\"? *= *[^\\[\n]*"), "");  // set to all trials
    set += "\"" + key + "\" = " + value + "\n";
  }
  return text.insert(text.find("[set]\n") + 6, set);
}

}  // namespace lockstep::program
