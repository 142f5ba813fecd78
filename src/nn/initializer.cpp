#include "nn/initializer.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "nn/tensor.h"

namespace lockstep::nn {
namespace {

// The x of "name(x)", if `text` is that, with x finite and at least 0.
std::optional<double> argument_of(std::string_view text, std::string_view name) {
  if (!text.starts_with(name) || !text.ends_with(')')) return std::nullopt;
  text.remove_prefix(name.size());
  text.remove_suffix(1);
  if (!text.starts_with('(')) return std::nullopt;
  text.remove_prefix(1);
  double value = 0.0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || !std::isfinite(value) || value < 0.0)
    return std::nullopt;
  return value;
}

std::optional<Initializer> parse_plain(const std::string& text) {
  using Kind = Initializer::Kind;
  if (text == "zeros") return Initializer{Kind::kZeros};
  if (const auto sigma = argument_of(text, "normal")) return Initializer{Kind::kNormal, *sigma};
  if (const auto half_width = argument_of(text, "uniform")) return Initializer{Kind::kUniform, *half_width};
  return std::nullopt;
}

double draw_dirac(const Tensor& tensor, const RandomStream& stream, std::uint32_t index) {
  const std::size_t channels = tensor.shape[1], rows = tensor.shape[2], cols = tensor.shape[3];
  const std::size_t channel = index % channels, tap = index / channels % (rows * cols),
                    filter = index / channels / (rows * cols);
  if (filter < channels) return channel == filter && tap == rows / 2 * cols + cols / 2 ? 1.0 : 0.0;
  return (2.0 * stream.uniform(index) - 1.0) / std::sqrt(static_cast<double>(tensor.fan_in));
}

double draw(const Tensor& tensor, const RandomStream& stream, std::uint32_t index) {
  const double out = static_cast<double>(tensor.fan_out), in = static_cast<double>(tensor.fan_in);
  switch (tensor.init.kind) {
    case Initializer::Kind::kGlorot:
      return (2.0 * stream.uniform(index) - 1.0) * std::sqrt(6.0 / (in + out));
    case Initializer::Kind::kHe:
      return stream.normal(index) * std::sqrt(2.0 / in);
    case Initializer::Kind::kNormal:
      return stream.normal(index) * tensor.init.parameter;
    case Initializer::Kind::kUniform:
      return (2.0 * stream.uniform(index) - 1.0) * tensor.init.parameter;
    case Initializer::Kind::kZeros:
    case Initializer::Kind::kWhitening:
      return 0.0;
    case Initializer::Kind::kConstant:
      return tensor.init.parameter;
    case Initializer::Kind::kDirac:
      return draw_dirac(tensor, stream, index);
  }
  return 0.0;
}

Initializer parse_of_layer(const std::string& text, const std::string& key, bool filters) {
  using Kind = Initializer::Kind;
  if (filters && text == "dirac") return {Kind::kDirac};
  if (text == "glorot") return {Kind::kGlorot};
  if (text == "he") return {Kind::kHe};
  if (const auto plain = parse_plain(text)) return *plain;
  throw ConfigError(fmt::format(
      "{} is \"{}\"{}, expected \"glorot\", \"he\", {}\"normal(SIGMA)\", \"uniform(A)\" or \"zeros\", "
      "SIGMA and A at least 0",
      key, text, !filters && text == "dirac" ? ", which only conv layers take" : "",
      filters ? "\"dirac\", " : ""));
}

}  // namespace

Initializer Initializer::parse_weight(const std::string& text, const std::string& key) {
  return parse_of_layer(text, key, false);
}

Initializer Initializer::parse_filters(const std::string& text, const std::string& key) {
  return parse_of_layer(text, key, true);
}

Initializer Initializer::parse_bias(const std::string& text, const std::string& key) {
  if (const auto plain = parse_plain(text)) return *plain;
  throw ConfigError(fmt::format(
      "{} is \"{}\", expected \"zeros\", \"normal(SIGMA)\" or \"uniform(A)\", SIGMA and A at least 0", key,
      text));
}

void initialize(const std::vector<Tensor>& tensors, std::uint64_t seed, std::span<float> arena) {
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const RandomStream stream(seed, Purpose::kInitialisation, static_cast<std::uint32_t>(t));
    const auto values = tensors[t].slice(arena);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(draw(tensors[t], stream, static_cast<std::uint32_t>(i)));
  }
}

}  // namespace lockstep::nn
