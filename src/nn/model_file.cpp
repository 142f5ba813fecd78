#include "nn/model_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "nn/tensor_values.h"

namespace lockstep::nn {
namespace {

std::string shape_text(const std::vector<std::size_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

// Throws ModelError unless `found` can be `wanted`.
void check(const TensorView& found, const Tensor& wanted) {
  if (found.dtype != "F32" && found.dtype != "F64" && found.dtype != "F16" && found.dtype != "BF16")
    throw ModelError(fmt::format("{} has type {}, expected F32, F64, F16 or BF16", wanted.name, found.dtype));
  if (found.shape != wanted.shape)
    throw ModelError(fmt::format("{} has shape {}, expected {}", wanted.name, shape_text(found.shape),
                                 shape_text(wanted.shape)));
}

// Throws ModelError where a number cannot be a variance.
void expect_variances(const TensorView& found, const Tensor& wanted) {
  for_each_value(found, [&](double x) {
    if (!(x >= 0.0 && std::isfinite(x)))
      throw ModelError(fmt::format("{} has {:g}, expected variances, of at least 0", wanted.name, x));
  });
}

// The tensors under the names of our own files, where all of them are called as in an nn.Sequential of
// PyTorch
// ("0.weight", "0.bias", "2.weight": modules are counted, those without parameters too), and without the
// prefix "module." of its wrappers; else as they are.
std::vector<TensorView> with_our_names(std::span<const TensorView> found) {
  constexpr std::string_view kWrapper = "module.";
  constexpr std::string_view kCount =
      ".num_batches_tracked";  // of PyTorch's batch norm, which nothing depends on
  std::vector<TensorView> tensors(found.begin(), found.end());
  std::erase_if(tensors, [&](const TensorView& tensor) { return tensor.name.ends_with(kCount); });
  std::map<std::size_t, std::size_t> layers;  // by the module's number
  for (TensorView& tensor : tensors)
    if (tensor.name.starts_with(kWrapper)) tensor.name.erase(0, kWrapper.size());
  const auto module_of = [](const std::string& name, std::size_t& number) {
    const char* const end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data(), end, number);
    return error == std::errc() && stop != end && *stop == '.' ? std::string(stop, end) : std::string();
  };
  std::size_t module = 0;
  for (const TensorView& tensor : tensors) {
    if (module_of(tensor.name, module).empty()) return tensors;
    layers.try_emplace(module);
  }
  std::size_t count = 0;
  for (auto& [number, layer] : layers) layer = count++;
  for (TensorView& tensor : tensors) {
    const std::string kind = module_of(tensor.name, module);
    tensor.name = fmt::format("layers.{}{}", layers[module], kind);
  }
  return tensors;
}

}  // namespace

ArenaInFile::ArenaInFile(const std::vector<Tensor>& tensors, std::span<const float> arena,
                         const std::string& prefix) {
  for (const Tensor& tensor : tensors) {
    std::span<const float> values = tensor.slice(arena);
    if (tensor.reordered_in_files()) values = reordered_.emplace_back(to_file_order(tensor, values));
    views_.push_back({prefix + tensor.name, "F32", tensor.shape, std::as_bytes(values)});
  }
}

void save_model(const std::filesystem::path& path, const std::vector<Tensor>& tensors,
                std::span<const float> arena, TensorMetadata metadata) {
  const ArenaInFile in_file(tensors, arena);
  metadata.insert_or_assign("format", "pt");
  metadata.insert_or_assign("weights_hash", hash_hex(std::as_bytes(arena)));
  write_safetensors_with_checksum(path, in_file.views(), std::move(metadata));
}

std::vector<Tensor> tensors_of_network(std::span<const TensorView> found) {
  constexpr std::string_view kPrefix = "layers.";
  constexpr std::string_view kKinds[] = {".weight", ".bias", ".running_mean",
                                         ".running_var"};          // in this order
  std::map<std::pair<std::size_t, std::size_t>, Tensor> by_place;  // layer, kind
  for (const TensorView& tensor : found) {
    std::size_t layer = 0;
    const char* const end = tensor.name.data() + tensor.name.size();
    if (!tensor.name.starts_with(kPrefix) || tensor.dtype != "F32") return {};
    const auto [stop, error] = std::from_chars(tensor.name.data() + kPrefix.size(), end, layer);
    const std::string_view kind(stop, end);
    const auto place = std::ranges::find(kKinds, kind);
    if (error != std::errc() || place == std::end(kKinds)) return {};
    Tensor named{.name = tensor.name,
                 .shape = tensor.shape,
                 .offset = 0,
                 .size = tensor.bytes.size() / sizeof(float),
                 .init = {}};
    if (!by_place.try_emplace({layer, static_cast<std::size_t>(place - kKinds)}, std::move(named)).second)
      return {};
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
  load_model(file.tensors, path.string(), tensors, arena);
}

void load_model(std::span<const TensorView> tensors_of_file, const std::string& name,
                const std::vector<Tensor>& tensors, std::span<float> arena) {
  const std::vector<TensorView> found = with_our_names(tensors_of_file);
  const auto named = [](const auto& list, const std::string& wanted) {
    return std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.name == wanted; });
  };
  try {
    for (const Tensor& wanted : tensors) {
      const auto view = named(found, wanted.name);
      if (view == found.end()) throw ModelError(fmt::format("{} is missing", wanted.name));
      check(*view, wanted);
      if (wanted.name.ends_with(".running_var")) expect_variances(*view, wanted);
    }
    for (const TensorView& view : found)
      if (named(tensors, view.name) == tensors.end())
        throw ModelError(fmt::format("{} is not a tensor of this network, whose last one is {}", view.name,
                                     tensors.back().name));
  } catch (const ModelError& error) {
    throw ModelError(fmt::format("{}: {}", name, error.what()));
  }
  for (const Tensor& wanted : tensors) {
    const TensorView& view = *named(found, wanted.name);
    std::vector<float> values(wanted.size);
    float* to = values.data();
    if (view.dtype == "F32")
      std::memcpy(to, view.bytes.data(), view.bytes.size());
    else
      for_each_value(view, [&](double x) { *to++ = static_cast<float>(x); });
    from_file_order(wanted, values, wanted.slice(arena));
  }
}

}  // namespace lockstep::nn
