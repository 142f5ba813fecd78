#include "nn/model_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace lockstep::nn {
namespace {

std::string shape_text(const std::vector<std::size_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

// Throws ModelError unless `found` can be `wanted`.
void check(const TensorView& found, const Tensor& wanted) {
  if (found.dtype != "F32")
    throw ModelError(fmt::format("{} has type {}, expected F32", wanted.name, found.dtype));
  if (found.shape != wanted.shape)
    throw ModelError(fmt::format("{} has shape {}, expected {}", wanted.name, shape_text(found.shape),
                                 shape_text(wanted.shape)));
}

}  // namespace

void save_model(const std::filesystem::path& path, const std::vector<Tensor>& tensors,
                std::span<const float> arena) {
  std::vector<TensorView> views;
  for (const Tensor& tensor : tensors)
    views.push_back({tensor.name, "F32", tensor.shape, std::as_bytes(tensor.slice(arena))});
  write_safetensors(path, views, {{"format", "pt"}});
}

std::vector<Tensor> tensors_of_network(std::span<const TensorView> found) {
  constexpr std::string_view kPrefix = "layers.";
  std::map<std::pair<std::size_t, bool>, Tensor> by_place;  // layer, bias
  for (const TensorView& tensor : found) {
    std::size_t layer = 0;
    const char* const end = tensor.name.data() + tensor.name.size();
    if (!tensor.name.starts_with(kPrefix) || tensor.dtype != "F32") return {};
    const auto [stop, error] = std::from_chars(tensor.name.data() + kPrefix.size(), end, layer);
    const std::string_view kind(stop, end);
    if (error != std::errc() || (kind != ".weight" && kind != ".bias")) return {};
    Tensor named{.name = tensor.name,
                 .shape = tensor.shape,
                 .offset = 0,
                 .size = tensor.bytes.size() / sizeof(float),
                 .init = {}};
    if (!by_place.try_emplace({layer, kind == ".bias"}, std::move(named)).second) return {};
  }
  std::vector<Tensor> tensors;
  std::size_t offset = 0;
  for (auto& [place, tensor] : by_place) {
    tensor.offset = std::exchange(offset, offset + tensor.size);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

void load_model(const std::filesystem::path& path, const std::vector<Tensor>& tensors,
                std::span<float> arena) {
  const SafetensorsFile file = SafetensorsFile::read(path);
  const auto named = [](const auto& list, const std::string& name) {
    return std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.name == name; });
  };
  try {
    for (const Tensor& wanted : tensors) {
      const auto found = named(file.tensors, wanted.name);
      if (found == file.tensors.end()) throw ModelError(fmt::format("{} is missing", wanted.name));
      check(*found, wanted);
    }
    for (const TensorView& found : file.tensors)
      if (named(tensors, found.name) == tensors.end())
        throw ModelError(fmt::format("{} is not a tensor of this network, whose last one is {}", found.name,
                                     tensors.back().name));
  } catch (const ModelError& error) {
    throw ModelError(fmt::format("{}: {}", path.string(), error.what()));
  }
  for (const Tensor& wanted : tensors) {
    const auto bytes = named(file.tensors, wanted.name)->bytes;
    std::memcpy(wanted.slice(arena).data(), bytes.data(), bytes.size());
  }
}

}  // namespace lockstep::nn
