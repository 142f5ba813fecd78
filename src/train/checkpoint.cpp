#include "train/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <nlohmann/json.hpp>
#include <span>

#include "base/error.h"
#include "nn/model_file.h"

namespace lockstep::train {
namespace {

using nlohmann::json;

constexpr const char* kVersionKey = "lockstep_checkpoint";
constexpr const char* kVersion = "1";
constexpr const char* kStateKey = "state";
constexpr const char* kAverage = "average";
constexpr const char* kReducer = "reducer";

json to_json(const TrainingStateView& state) {
  const kernels::LossSums& sums = state.progress.sums;
  return {{"step", state.step},
          {"loss", {sums.loss.whole, sums.loss.fraction, sums.loss.invalid}},
          {"correct", sums.correct},
          {"samples", sums.samples},
          {"weighted_l2", state.progress.weighted_l2}};
}

void from_json(const json& object, TrainingState& state) {
  kernels::LossSums& sums = state.progress.sums;
  object.at("step").get_to(state.step);
  object.at("loss").at(0).get_to(sums.loss.whole);
  object.at("loss").at(1).get_to(sums.loss.fraction);
  object.at("loss").at(2).get_to(sums.loss.invalid);
  object.at("correct").get_to(sums.correct);
  object.at("samples").get_to(sums.samples);
  object.at("weighted_l2").get_to(state.progress.weighted_l2);
}

// The tensor's bytes. Throws ModelError unless the file has it with this type and shape.
std::span<const std::byte> bytes_of(const nn::SafetensorsFile& file, const std::string& name,
                                    const std::string& dtype, const std::vector<std::size_t>& shape) {
  const auto found = std::find_if(file.tensors.begin(), file.tensors.end(),
                                  [&](const nn::TensorView& tensor) { return tensor.name == name; });
  if (found == file.tensors.end()) throw ModelError(fmt::format("{} is missing", name));
  if (found->dtype != dtype || found->shape != shape)
    throw ModelError(fmt::format("{} has another type or shape than this network's", name));
  return found->bytes;
}

void read_arena(const nn::SafetensorsFile& file, const std::string& prefix,
                const std::vector<nn::Tensor>& tensors, std::vector<float>& arena) {
  arena.resize(tensors.back().offset + tensors.back().size);
  for (const nn::Tensor& tensor : tensors) {
    const auto bytes = bytes_of(file, fmt::format("{}{}", prefix, tensor.name), "F32", tensor.shape);
    std::vector<float> values(tensor.size);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    nn::from_file_order(tensor, values, tensor.slice(std::span(arena)));
  }
}

// The names of a checkpoint's arenas beside the parameters; of a tensor in one, "momentum.layers.0.weight"
// say, the arena's.
bool is_of(const nn::TensorView& tensor, const std::string& arena) {
  return tensor.name.starts_with(arena + ".");
}

bool is_of_network(const nn::TensorView& tensor) {
  return tensor.name != kReducer && !is_of(tensor, kAverage) &&
         std::ranges::none_of(optim::kStateNames, [&](const char* name) { return is_of(tensor, name); });
}

TrainingState parse_state(const nn::SafetensorsFile& file, const std::vector<nn::Tensor>& tensors) {
  TrainingState state;
  from_json(json::parse(file.metadata.at(kStateKey)), state);
  read_arena(file, "", tensors, state.parameters);
  std::size_t known = tensors.size();
  const auto read_if_there = [&](const std::string& arena, auto&& place) {
    if (std::ranges::none_of(file.tensors, [&](const auto& tensor) { return is_of(tensor, arena); })) return;
    read_arena(file, arena + ".", tensors, place());
    known += tensors.size();
  };
  for (const char* name : optim::kStateNames)
    read_if_there(
        name, [&]() -> auto& { return state.optimizer[name]; });
  read_if_there(
      kAverage, [&]() -> auto& { return state.average; });
  for (const nn::TensorView& tensor : file.tensors) {
    if (tensor.name == kReducer) {
      if (tensor.dtype != "I32") throw ModelError("reducer is not of integers");
      state.reducer.resize(tensor.bytes.size() / sizeof(std::int32_t));
      std::memcpy(state.reducer.data(), tensor.bytes.data(), tensor.bytes.size());
      ++known;
    }
  }
  if (known != file.tensors.size()) throw ModelError("it has tensors that are not this network's");
  return state;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const std::vector<nn::Tensor>& tensors,
                     const TrainingStateView& state, nn::TensorMetadata run) {
  std::list<nn::ArenaInFile> arenas;
  std::vector<nn::TensorView> views;
  const auto add = [&](const std::string& prefix, std::span<const float> arena) {
    const auto& more = arenas.emplace_back(tensors, arena, prefix).views();
    views.insert(views.end(), more.begin(), more.end());
  };
  add("", state.parameters);
  for (const auto& [name, arena] : state.optimizer) add(name + ".", arena);
  if (!state.average.empty()) add(fmt::format("{}.", kAverage), state.average);
  if (!state.reducer.empty())
    views.push_back({kReducer, "I32", {state.reducer.size()}, std::as_bytes(std::span(state.reducer))});
  run.insert_or_assign(kVersionKey, std::string(kVersion));
  run.insert_or_assign(kStateKey, to_json(state).dump());
  nn::write_safetensors_with_checksum(path, views, std::move(run));
}

void save_checkpoint(const std::filesystem::path& path, const std::vector<nn::Tensor>& tensors,
                     const Checkpoint& checkpoint) {
  const TrainingState& state = checkpoint.training;
  save_checkpoint(path, tensors,
                  {state.step,
                   state.parameters,
                   {state.optimizer.begin(), state.optimizer.end()},
                   state.average,
                   state.reducer,
                   state.progress},
                  checkpoint.run);
}

void expect_checkpoint(const nn::SafetensorsFile& file, const std::string& name) {
  if (!is_checkpoint(file))
    throw ModelError(fmt::format("{}: is not a checkpoint: it has no {}", name, kVersionKey));
  if (const std::string& version = file.metadata.at(kVersionKey); version != kVersion)
    throw ModelError(fmt::format("{}: is a checkpoint of version {}, expected {}", name, version, kVersion));
  file.check_checksum(name);
}

Checkpoint parse_checkpoint(const nn::SafetensorsFile& file, const std::string& name,
                            const std::vector<nn::Tensor>& tensors) {
  expect_checkpoint(file, name);
  Checkpoint checkpoint;
  try {
    checkpoint.training = parse_state(file, tensors);
  } catch (const ModelError& error) {
    throw ModelError(fmt::format("{}: {}", name, error.what()));
  } catch (const std::exception& error) {
    throw ModelError(fmt::format("{}: its state is not readable: {}", name, error.what()));
  }
  checkpoint.run = file.metadata;
  for (const char* own : {kVersionKey, kStateKey, "checksum"}) checkpoint.run.erase(own);
  return checkpoint;
}

std::vector<nn::TensorView> network_tensors(const nn::SafetensorsFile& file) {
  if (!is_checkpoint(file)) return file.tensors;
  std::vector<nn::TensorView> tensors, averaged;
  for (const nn::TensorView& tensor : file.tensors) {
    if (is_of_network(tensor)) tensors.push_back(tensor);
    if (is_of(tensor, kAverage))
      averaged.emplace_back(tensor).name.erase(0, std::string_view(kAverage).size() + 1);
  }
  return averaged.empty() ? tensors : averaged;
}

bool is_checkpoint(const nn::SafetensorsFile& file) { return file.metadata.contains(kVersionKey); }

Checkpoint parse_checkpoint(std::string content, const std::string& name,
                            const std::vector<nn::Tensor>& tensors) {
  return parse_checkpoint(nn::SafetensorsFile::parse(std::move(content), name), name, tensors);
}

Checkpoint parse_checkpoint(const nn::SafetensorsFile& file, const std::string& name) {
  const std::vector<nn::Tensor> tensors = nn::tensors_of_network(network_tensors(file));
  if (tensors.empty())
    throw ModelError(
        fmt::format("{}: its tensors are not a network's, expected layers.0.weight and so on", name));
  return parse_checkpoint(file, name, tensors);
}

}  // namespace lockstep::train
