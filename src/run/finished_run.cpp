#include "run/finished_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "config/keys.h"
#include "config/run_config.h"
#include "data/schema.h"
#include "run/inspect.h"
#include "run/run_record.h"
#include "train/checkpoint.h"
#include "train/checkpoint_folder.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kReceipt = "lockstep-receipt";
constexpr std::size_t kScores = 5;  // the columns of metrics.csv up to test_accuracy, which times follow

double number(const ordered_json& value) { return value.is_null() ? std::nan("") : value.get<double>(); }

std::string read(const fs::path& path) {
  try {
    return read_file(path);
  } catch (const std::system_error& error) {
    throw ModelError(fmt::format("{}: cannot be read: {}", path.string(), error.code().message()));
  }
}

// Throws ModelError unless both are the same.
void expect(const fs::path& file, const std::string& what, const std::string& found,
            const std::string& expected, const std::string& source = "summary.json") {
  if (found != expected)
    throw ModelError(
        fmt::format("{}: {} {}, expected {} as in {}", file.string(), what, found, expected, source));
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

// The first columns of a row of metrics.csv.
std::string scores(const std::string& row) {
  const std::vector<std::string> cells = split(row, ',');
  std::string text;
  for (std::size_t i = 0; i < std::min(kScores, cells.size()); ++i) text += (i == 0 ? "" : ",") + cells[i];
  return text;
}
std::string scores(const report::EpochRow& row) { return scores(report::metrics_row(row)); }

std::string text_of(const data::Fingerprint& data) {
  return data.train + (data.test.empty() ? "" : "/" + data.test);
}

std::string compare_config(const FinishedRun& run) {
  const fs::path file = run.folder / "config.toml";
  ordered_json resolved;
  try {
    config::parse(read(file), file.string(), {}, &resolved);
  } catch (const ConfigError& error) {
    throw ModelError(error.what());
  }
  const std::map<std::string, std::string> values = config::deciding_values(resolved);
  for (const auto& [key, expected] : run.values) {
    const auto found = values.find(key);
    expect(file, key + " is", found == values.end() ? "not set" : found->second, expected);
  }
  return fmt::format("configuration {}", run.config_hash());
}

std::string compare_model(const FinishedRun& run) {
  const fs::path path = run.folder / "model.safetensors";
  const nn::SafetensorsFile file = nn::SafetensorsFile::read(path);
  std::string weights = describe_weights(path, file, run.weights);
  const auto trained_on = file.metadata.find(data::Schema::kKey);
  if (trained_on == file.metadata.end())
    throw ModelError(
        fmt::format("{}: does not say what it was trained on, expected data {} as in summary.json",
                    path.string(), text_of(run.data)));
  expect(path, "its data is", text_of(data::Schema::parse(trained_on->second, path.string()).fingerprint),
         text_of(run.data));
  return weights;
}

// The rows of metrics.csv, without its header.
std::string metrics_rows(const FinishedRun& run) {
  const std::string text = read(run.folder / "metrics.csv");
  return text.substr(std::min(text.find('\n'), text.size() - 1) + 1);
}

std::string compare_metrics(const FinishedRun& run) {
  const fs::path file = run.folder / "metrics.csv";
  const std::vector<std::string> rows = split(metrics_rows(run), '\n');
  expect(file, "its rows are", std::to_string(rows.size()), std::to_string(run.epochs));
  for (std::size_t i = 0; i < rows.size(); ++i)
    expect(file, fmt::format("row {} is of epoch", i + 1), rows[i].substr(0, rows[i].find(',')),
           std::to_string(i + 1), "every run");
  if (run.row.epoch == 0 || run.row.epoch > rows.size()) return "no epochs";
  expect(file, fmt::format("the row of epoch {} is", run.row.epoch), scores(rows[run.row.epoch - 1]),
         scores(run.row));
  return fmt::format("{} epochs", rows.size());
}

std::string compare_steps(const FinishedRun& run) {
  const fs::path file = run.folder / "steps.csv";
  const std::vector<std::string> rows = split(read(file), '\n');
  const std::vector<std::string> last = split(rows.empty() ? "" : rows.back(), ',');
  expect(file, "its last step is", last.empty() ? "none" : last.front(), std::to_string(run.steps));
  if (!run.last_weights.empty())
    expect(file, "its last weights are", last.size() < kScores ? "none" : last[kScores - 1],
           run.last_weights);
  return fmt::format("{} steps", run.steps);
}

std::string compare_checkpoint(const FinishedRun& run, const fs::path& path) {
  const nn::SafetensorsFile file = nn::SafetensorsFile::read(path);
  const std::string name = path.string();
  const train::Checkpoint checkpoint = train::parse_checkpoint(file, name);
  if (checkpoint.training.step == run.steps) {
    if (!run.last_weights.empty())
      expect(path, "its weights are", hash_hex(std::as_bytes(std::span(checkpoint.training.parameters))),
             run.last_weights);
    const std::vector<std::string> kept = split(from_metadata(checkpoint.run, name).metrics, '\n'),
                                   rows = split(metrics_rows(run), '\n');
    for (std::size_t i = 0; i < std::min(kept.size(), rows.size()); ++i)
      expect(run.folder / "metrics.csv", fmt::format("row {} is", i + 1), scores(rows[i]), scores(kept[i]),
             name);
  }
  return fmt::format("whole, {}", describe_checkpoint(file, name));
}

std::map<std::string, std::string> words_of(const std::string& receipt) {
  std::map<std::string, std::string> words;
  for (const std::string& word : split(receipt, ' '))
    if (const auto at = word.find('='); at != std::string::npos)
      words[word.substr(0, at)] = word.substr(at + 1);
  return words;
}

FinishedRun parse_summary(const fs::path& folder, ordered_json document) {
  FinishedRun run;
  const auto text = [&](const char* key) { return document.at(key).get<std::string>(); };
  run.folder = folder;
  run.name = text("name");
  run.values = config::deciding_values(document.at("config"));
  run.data = {document.at("data").at("train").get<std::string>(),
              document.at("data").at("test").get<std::string>()};
  const bool averaged = document.contains("average_hash"), best = text("weights_of") == "best";
  run.weights = text(averaged ? "average_hash" : "weights_hash");
  if (averaged || !best) run.last_weights = text("weights_hash");
  run.epochs = document.at("epochs").get<std::size_t>();
  run.steps = document.at("steps").get<std::size_t>();
  const ordered_json& train = document.at("config").at("train");
  const auto patience = train.at("patience").get<std::size_t>();
  run.out_of_time = run.epochs < train.at("epochs").get<std::size_t>() && patience == 0;
  run.row.epoch = best ? document.at("best_epoch").get<std::size_t>() : run.epochs;
  run.row.train_loss = number(document.at("train_loss"));
  run.row.train_accuracy = number(document.at("train_accuracy"));
  run.row.test_loss = number(document.at("test_loss"));
  run.row.test_accuracy = number(document.at("test_accuracy"));
  run.version = document.at("provenance").at("version").get<std::string>();
  run.commit = document.at("provenance").at("commit").get<std::string>();
  run.began_from = document.value("began_from", "");
  run.summary = std::move(document);
  return run;
}

}  // namespace

std::string FinishedRun::config_hash() const {
  std::string text;
  for (const auto& [key, value] : values) text += fmt::format("{} = {}\n", key, value);
  return hash_hex(std::as_bytes(std::span(text)));
}

std::string FinishedRun::receipt() const {
  const auto as_word = [](std::string text) {
    for (char& c : text)
      if (static_cast<unsigned char>(c) <= ' ' || c == '=') c = '_';
    return text;
  };
  std::string line = fmt::format("{} name={} configuration={} data={} weights={} steps={}", kReceipt,
                                 as_word(name), config_hash(), text_of(data), weights, steps);
  for (const auto& [key, value] :
       {std::pair("train_loss", row.train_loss), std::pair("train_accuracy", row.train_accuracy),
        std::pair("test_loss", row.test_loss), std::pair("test_accuracy", row.test_accuracy)})
    if (!std::isnan(value)) line += fmt::format(" {}={:.6g}", key, value);
  return fmt::format("{} version={} commit={}", line, as_word(version), as_word(commit));
}

FinishedRun read_finished_run(const fs::path& folder) {
  const fs::path file = folder / "summary.json";
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    if (!fs::exists(folder / "config.toml", ignored))
      throw ConfigError(fmt::format("{}: is not the folder of a run, expected one that lockstep train wrote",
                                    folder.string()));
    throw ModelError(
        fmt::format("{}: there is no such file, expected that of a finished run", file.string()));
  }
  try {
    return parse_summary(folder, ordered_json::parse(read(file)));
  } catch (const ordered_json::exception& error) {
    throw ModelError(fmt::format("{}: is not readable: {}, expected what lockstep train writes",
                                 file.string(), error.what()));
  }
}

std::vector<Check> compare_files(const FinishedRun& run) {
  std::vector<Check> checks = {check("config.toml", [&] { return compare_config(run); }),
                               check("model.safetensors", [&] { return compare_model(run); }),
                               check("metrics.csv", [&] { return compare_metrics(run); })};
  std::error_code ignored;
  if (fs::exists(run.folder / "steps.csv", ignored))
    checks.push_back(check("steps.csv", [&] { return compare_steps(run); }));
  std::vector<fs::path> checkpoints = train::CheckpointFolder::files(run.folder / "checkpoints");
  if (const fs::path best = run.folder / "checkpoints/best.safetensors"; fs::exists(best, ignored))
    checkpoints.push_back(best);
  for (const fs::path& path : checkpoints)
    checks.push_back(check(path.filename().string(), [&] { return compare_checkpoint(run, path); }));
  return checks;
}

Check compare_receipt(const FinishedRun& run, const std::string& receipt) {
  if (!receipt.starts_with(kReceipt))
    throw ConfigError(
        fmt::format("--against \"{}\": is not a receipt, expected the line that lockstep receipt "
                    "prints, from {} on",
                    receipt, kReceipt));
  return check("receipt", [&] {
    const auto found = words_of(receipt);
    for (const auto& [key, expected] : words_of(run.receipt())) {
      if (key == "version" || key == "commit" || key == "name") continue;
      const auto word = found.find(key);
      if (word == found.end() || word->second != expected)
        throw ModelError(fmt::format("the receipt has {}={}, expected {} as in {}", key,
                                     word == found.end() ? "" : word->second, expected,
                                     (run.folder / "summary.json").string()));
    }
    return std::string("is of this run");
  });
}

std::vector<Check> compare_runs(const FinishedRun& run, const FinishedRun& again) {
  const std::string folder = run.folder.string();
  const auto same = [&](const char* what, const std::string& found, const std::string& expected) {
    return check(fmt::format("trained again: {}", what), [&] {
      if (found != expected)
        throw ModelError(fmt::format("{}: trained again, its {} are {}, expected {} as in summary.json",
                                     folder, what, found, expected));
      return found;
    });
  };
  return {same("weights", again.weights, run.weights),
          same("steps", std::to_string(again.steps), std::to_string(run.steps)),
          same("scores", scores(again.row), scores(run.row))};
}

}  // namespace lockstep::run
