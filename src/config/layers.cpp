#include "config/layers.h"

#include <fmt/format.h>

#include <charconv>

#include "base/error.h"
#include "config/ranges.h"
#include "nn/initializer.h"

namespace lockstep::config {
namespace {

using Kind = nn::LayerOptions::Kind;

constexpr std::pair<const char*, Kind> kKinds[] = {{"dense", Kind::kDense},
                                                   {"conv", Kind::kConv},
                                                   {"max_pool", Kind::kMaxPool},
                                                   {"average_pool", Kind::kAveragePool},
                                                   {"global_average_pool", Kind::kGlobalAveragePool},
                                                   {"batch_norm", Kind::kBatchNorm},
                                                   {"whiten", Kind::kWhiten},
                                                   {"multiply", Kind::kMultiply},
                                                   {"add", Kind::kAdd},
                                                   {"flatten", Kind::kFlatten},
                                                   {"dropout", Kind::kDropout}};

void read_type(Reader& in, nn::LayerOptions& layer) {
  std::vector<std::string> types;
  for (const auto& [name, kind] : kKinds) types.emplace_back(name);
  for (const auto& [name, activation] : activations()) types.push_back(name);
  std::string type = "dense";
  in.read_name("type", type, types);
  for (const auto& [name, kind] : kKinds)
    if (name == type) layer.kind = kind;
  for (const auto& [name, activation] : activations()) {
    if (name != type) continue;
    layer.kind = Kind::kActivation;
    layer.activation = activation;
  }
}

void read_initializers(Reader& in, nn::LayerOptions& layer) {
  in.read("bias", layer.bias);
  in.read("init", layer.init);
  in.check("init", [&] {
    const auto parse =
        layer.kind == Kind::kConv ? nn::Initializer::parse_filters : nn::Initializer::parse_weight;
    if (!layer.init.empty()) parse(layer.init, in.full_name("init"));
  });
  in.read("bias_init", layer.bias_init);
  in.check("bias_init", [&] {
    if (!layer.bias && !layer.bias_init.empty())
      throw ConfigError(fmt::format("{} has no effect where {} is false, expected one of the two",
                                    in.full_name("bias_init"), in.full_name("bias")));
  });
  in.check("bias_init", [&] {
    if (!layer.bias_init.empty()) nn::Initializer::parse_bias(layer.bias_init, in.full_name("bias_init"));
  });
}

void read_factors(Reader& in, nn::LayerOptions& layer) {
  const double usual_decay = layer.decay_factor();
  layer.weight_decay_factor = usual_decay;
  in.read("frozen", layer.frozen);
  in.read("learning_rate_factor", layer.learning_rate_factor, kAboveZeroText, kAboveZero);
  in.read("weight_decay_factor", *layer.weight_decay_factor, kAtLeastZeroText, kAtLeastZero);
  for (const auto& [key, changed] :
       {std::pair("learning_rate_factor", layer.learning_rate_factor != 1.0),
        std::pair("weight_decay_factor", *layer.weight_decay_factor != usual_decay)})
    in.check(key, [&, name = key, is_set = changed] {
      if (layer.frozen && is_set)
        throw ConfigError(fmt::format("{} has no effect where {} is true, expected one of the two",
                                      in.full_name(name), in.full_name("frozen")));
    });
}

void require_key(Reader& in, const std::string& key, const char* what) {
  in.check("type", [&] {
    if (!in.has(key)) throw ConfigError(fmt::format("{} is missing, expected {}", in.full_name(key), what));
  });
}

// After all keys are read: one that is missing may be there under another name, which is then the mistake.
void require_keys(Reader& in, Kind kind) {
  in.finish();
  if (kind == Kind::kConv) require_key(in, "filters", "the number of filters");
  if (kind == Kind::kConv || kind == Kind::kWhiten)
    require_key(in, "size", "the filters' height and width in pixels");
  if (kind == Kind::kMaxPool || kind == Kind::kAveragePool)
    require_key(in, "size", "the windows' height and width in pixels");
  if (kind == Kind::kMultiply) require_key(in, "factor", "the number to multiply by");
  if (kind == Kind::kAdd) require_key(in, "from", "the name of an earlier layer");
}

// "same", "valid" or a number of pixels.
void read_padding(Reader& in, nn::LayerOptions& layer) {
  const std::string expected = "\"same\", \"valid\" or a number of pixels, at most 1024";
  std::string padding = "same";
  in.read_text("padding", padding, expected);
  in.check("stride", [&] {
    if (padding == "same" && layer.stride > 1)
      throw ConfigError(fmt::format("{} is \"same\" with {} = {}, expected \"valid\" or a number of pixels",
                                    in.full_name("padding"), in.full_name("stride"), layer.stride));
  });
  if (padding == "same") return;
  in.check("padding", [&] {
    std::size_t pixels = 0;
    const char* const end = padding.data() + padding.size();
    const auto [stop, error] = std::from_chars(padding.data(), end, pixels);
    if (padding != "valid" && (error != std::errc() || stop != end || pixels > 1024))
      throw ConfigError(fmt::format("{} is \"{}\", expected {}", in.full_name("padding"), padding, expected));
    layer.padding = pixels;
  });
}

void expect_at_most(Reader& in, const std::string& key, std::size_t value, std::size_t most) {
  in.check(key, [&] {
    if (value > most)
      throw ConfigError(fmt::format("{} is {}, expected at most {}", in.full_name(key), value, most));
  });
}

void read_conv(Reader& in, nn::LayerOptions& layer) {
  in.read("filters", layer.filters, 1);
  expect_at_most(in, "filters", layer.filters, 1 << 20);
  in.read("size", layer.size, 1);
  expect_at_most(in, "size", layer.size, 1024);
  in.read("stride", layer.stride, 1);
  expect_at_most(in, "stride", layer.stride, 1024);
  read_padding(in, layer);
  read_initializers(in, layer);
  read_factors(in, layer);
}

void read_whiten(Reader& in, nn::LayerOptions& layer) {
  in.read("size", layer.size, 1);
  expect_at_most(in, "size", layer.size, 1024);
  in.read("epsilon", layer.epsilon, kAboveZeroText, kAboveZero);
  in.read("bias", layer.bias);
  read_factors(in, layer);
}

void read_pool(Reader& in, nn::LayerOptions& layer) {
  in.read("size", layer.size, 1);
  expect_at_most(in, "size", layer.size, 1024);
  layer.stride = layer.size;
  in.read("stride", layer.stride, 1);
  expect_at_most(in, "stride", layer.stride, 1024);
}

void read_batch_norm(Reader& in, nn::LayerOptions& layer) {
  in.read("momentum", layer.batch_norm.momentum, "a number above 0, at most 1",
          [](double x) { return x > 0.0 && x <= 1.0; });
  in.read("epsilon", layer.batch_norm.epsilon, kAboveZeroText, kAboveZero);
  in.read("scale", layer.batch_norm.scale);
  in.read("shift", layer.batch_norm.shift);
  read_factors(in, layer);
}

void read_multiply(Reader& in, nn::LayerOptions& layer) {
  in.read("factor", layer.factor, "a number, its magnitude below 1e30",
          [](double x) { return x > -1e30 && x < 1e30; });
}

// Of every layer.
void read_name(Reader& in, nn::LayerOptions& layer) {
  if (!in.has("name")) return;
  in.read("name", layer.name);
  in.check("name", [&] {
    if (layer.name.empty())
      throw ConfigError(fmt::format("{} is empty, expected a name", in.full_name("name")));
  });
}

void read_keys_of_type(Reader& in, nn::LayerOptions& layer) {
  switch (layer.kind) {
    case Kind::kDense:
      in.read("units", layer.units, 0);
      read_initializers(in, layer);
      return read_factors(in, layer);
    case Kind::kConv:
      return read_conv(in, layer);
    case Kind::kWhiten:
      return read_whiten(in, layer);
    case Kind::kMaxPool:
    case Kind::kAveragePool:
      return read_pool(in, layer);
    case Kind::kBatchNorm:
      return read_batch_norm(in, layer);
    case Kind::kAdd:
      return in.read("from", layer.from);
    case Kind::kMultiply:
      return read_multiply(in, layer);
    case Kind::kDropout:
      return in.read("rate", layer.rate, kRateText, kRate);
    case Kind::kActivation:
    case Kind::kGlobalAveragePool:
    case Kind::kFlatten:
      return;
  }
}

}  // namespace

std::vector<std::pair<std::string, kernels::Activation>> activations() {
  std::vector<std::pair<std::string, kernels::Activation>> choices;
  for (const kernels::Activation activation : kernels::kActivations)
    choices.emplace_back(kernels::name(activation), activation);
  return choices;
}

void read_layer(Reader& in, nn::LayerOptions& layer) {
  read_type(in, layer);
  read_keys_of_type(in, layer);
  read_name(in, layer);
  require_keys(in, layer.kind);
}

}  // namespace lockstep::config
