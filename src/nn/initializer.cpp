#include "nn/initializer.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "base/random.h"

namespace lockstep::nn {

Initializer Initializer::parse(const std::string& text) {
  if (text == "glorot") return {Kind::kGlorot};
  if (text == "he") return {Kind::kHe};
  constexpr std::string_view kOpening = "normal(";
  if (text.starts_with(kOpening) && text.ends_with(')')) {
    const char* begin = text.data() + kOpening.size();
    const char* end = text.data() + text.size() - 1;
    double sigma = 0.0;
    const auto [stop, error] = std::from_chars(begin, end, sigma);
    if (error == std::errc() && stop == end && std::isfinite(sigma) && sigma >= 0.0)
      return {Kind::kNormal, sigma};
  }
  throw ConfigError(fmt::format(
      "model.init is \"{}\", expected \"glorot\", \"he\" or \"normal(SIGMA)\" with a SIGMA of at least 0",
      text));
}

void initialize(const Initializer& initializer, const std::vector<Tensor>& tensors, std::uint64_t seed,
                std::span<float> arena) {
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const auto values = tensors[t].slice(arena);
    if (!tensors[t].is_weight()) {
      std::fill(values.begin(), values.end(), 0.0F);
      continue;
    }
    const RandomStream stream(seed, Purpose::kInitialisation, static_cast<std::uint32_t>(t));
    const auto out = static_cast<double>(tensors[t].shape[0]);
    const auto in = static_cast<double>(tensors[t].shape[1]);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto index = static_cast<std::uint32_t>(i);
      double value = 0.0;
      switch (initializer.kind) {
        case Initializer::Kind::kGlorot:
          value = (2.0 * stream.uniform(index) - 1.0) * std::sqrt(6.0 / (in + out));
          break;
        case Initializer::Kind::kHe:
          value = stream.normal(index) * std::sqrt(2.0 / in);
          break;
        case Initializer::Kind::kNormal:
          value = stream.normal(index) * initializer.sigma;
          break;
      }
      values[i] = static_cast<float>(value);
    }
  }
}

}  // namespace lockstep::nn
