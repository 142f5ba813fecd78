#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "data/schema.h"
#include "nn/model_file.h"
#include "nn/tensor_values.h"
#include "run/inspect.h"
#include "run/run_record.h"
#include "run/statistics.h"
#include "train/checkpoint.h"

namespace lockstep::run {
namespace {

Lines tensor_table(const nn::SafetensorsFile& file) {
  std::vector<std::string> shapes;
  std::size_t names = 6, widest = 5;
  for (const nn::TensorView& tensor : file.tensors) {
    shapes.push_back(fmt::format("({})", fmt::join(tensor.shape, ", ")));
    names = std::max(names, tensor.name.size());
    widest = std::max(widest, shapes.back().size());
  }
  Lines lines = {
      fmt::format("{:<{}}  {:<4}  {:<{}}{}", "tensor", names, "type", "shape", widest, Statistics::header())};
  for (std::size_t t = 0; t < shapes.size(); ++t) {
    const nn::TensorView& tensor = file.tensors[t];
    Statistics numbers;
    nn::for_each_value(tensor, [&](double x) { numbers.add(x); });
    lines.push_back(fmt::format("{:<{}}  {:<4}  {:<{}}{}", tensor.name, names, tensor.dtype, shapes[t],
                                widest, numbers.columns()));
  }
  return lines;
}

// "circle, exact reduction".
std::string describe_experiment(const SavedRun& run, const std::string& name) {
  try {
    return fmt::format("{}, {} reduction", run.config.at("data").at("dataset").get<std::string>(),
                       run.config.at("reduce").at("mode").get<std::string>());
  } catch (const nlohmann::json::exception& error) {
    throw ModelError(
        fmt::format("{}: the configuration that it keeps is not readable: {}", name, error.what()));
  }
}

}  // namespace

std::string weights_hash(const nn::SafetensorsFile& file) {
  const std::vector<nn::TensorView> found = train::network_tensors(file);
  const std::vector<nn::Tensor> tensors = nn::tensors_of_network(found);
  if (tensors.empty()) return "";
  std::vector<float> arena(tensors.back().offset + tensors.back().size);
  nn::load_model(found, "", tensors, arena);
  return hash_hex(std::as_bytes(std::span(arena)));
}

std::string describe_weights(const std::filesystem::path& path, const nn::SafetensorsFile& file,
                             const std::string& expected) {
  const std::string found = weights_hash(file);
  if (!expected.empty() && found != expected)
    throw ModelError(fmt::format("{}: its weights are {}, expected {} as in summary.json", path.string(),
                                 found.empty() ? "not a network's" : found, expected));
  return fmt::format("weights {}", found);
}

std::string describe_checkpoint(const nn::SafetensorsFile& file, const std::string& name) {
  const train::Checkpoint checkpoint = train::parse_checkpoint(file, name);
  const SavedRun run = from_metadata(checkpoint.run, name);
  const train::TrainingState& state = checkpoint.training;
  const auto hash = [](const std::vector<float>& arena) { return hash_hex(std::as_bytes(std::span(arena))); };
  return fmt::format("step {}, {} epoch{} done, weights {}{}", state.step, run.record.last.epoch,
                     run.record.last.epoch == 1 ? "" : "s", hash(state.parameters),
                     state.average.empty() ? "" : fmt::format(", averaged {}", hash(state.average)));
}

Lines inspect_weights(const std::filesystem::path& path, const nn::SafetensorsFile& file) {
  const std::string name = path.string();
  Lines lines;
  if (train::is_checkpoint(file)) {
    lines = {fmt::format("{}: a checkpoint, whole", name), describe_checkpoint(file, name),
             describe_experiment(from_metadata(file.metadata, name), name)};
  } else {
    std::size_t numbers = 0;
    for (const nn::TensorView& tensor : file.tensors) {
      std::size_t size = 1;
      for (const std::size_t n : tensor.shape) size *= n;
      numbers += size;
    }
    lines = {fmt::format("{}: safetensors, {} tensor{} of {} numbers", name, file.tensors.size(),
                         file.tensors.size() == 1 ? "" : "s", numbers)};
    if (const std::string hash = weights_hash(file); !hash.empty())
      lines.push_back(fmt::format("weights {}", hash));
    for (const auto& [key, value] : file.metadata)
      if (key != data::Schema::kKey) lines.push_back(fmt::format("{} = {}", one_line(key), one_line(value)));
  }
  if (const auto entry = file.metadata.find(data::Schema::kKey); entry != file.metadata.end()) {
    const data::Schema schema = data::Schema::parse(entry->second, name);
    lines.push_back(fmt::format("trained on {}", schema.description()));
    lines.push_back(
        fmt::format("data {}{}", schema.fingerprint.train,
                    schema.fingerprint.test.empty() ? "" : ", tested on " + schema.fingerprint.test));
  }
  for (std::string& line : tensor_table(file)) lines.push_back(one_line(line));
  return lines;
}

}  // namespace lockstep::run
