#include "nn/dropout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "base/simd.h"

namespace lockstep::nn {

using kernels::ConstMatrix;
using kernels::Matrix;

Dropout::Dropout(double rate, std::size_t width, std::size_t layer)
    : Elementwise(width), rate_(rate), layer_(layer) {
  if (!(rate >= 0.0 && rate < 1.0))
    throw ConfigError(fmt::format("a dropout layer has rate {}, expected 0 up to, not including, 1", rate));
  if (layer >= (1U << 8) || width > (1U << 26))
    throw ConfigError(
        fmt::format("dropout layer {} has {} units, expected at most 2^8 layers of 2^26", layer, width));
}

std::string Dropout::description() const { return fmt::format("dropout {:g}", rate_); }

void Dropout::draw_mask(const PassContext& pass, std::uint32_t sample, std::span<float> mask) const {
  const RandomStream stream(pass.seed, Purpose::kDropout, pass.step, sample);
  const auto kept_below = static_cast<std::uint64_t>(std::ldexp(1.0 - rate_, 32));
  const auto growth = static_cast<float>(1.0 / (1.0 - rate_));
  for (std::size_t unit = 0; unit < mask.size(); unit += 4) {
    const auto words = stream.words(static_cast<std::uint32_t>(layer_ << 24 | unit / 4));
    for (std::size_t k = 0; k < std::min<std::size_t>(4, mask.size() - unit); ++k)
      mask[unit + k] = words[k] < kept_below ? growth : 0.0F;
  }
}

void Dropout::apply(Matrix x, const PassContext& pass) const {
  if (pass.sample_ids.empty()) return;
  require(pass.sample_ids.size() == x.rows, "Dropout: one sample per row is needed");
  parallel_ranges(x.rows, rows_worth_a_thread(inputs()), pass.threads,
                  [&](std::size_t begin, std::size_t end) {
                    std::vector<float> mask(inputs());
                    for (std::size_t i = begin; i < end; ++i) {
                      draw_mask(pass, pass.sample_ids[i], mask);
                      float* row = x.data + i * x.row_stride;
                      for (std::size_t j = 0; j < inputs(); ++j)
                        row[j] = mask[j] == 0.0F ? 0.0F : row[j] * mask[j];
                    }
                  });
}

void Dropout::forward(ConstMatrix x, std::span<const float>, Matrix y, const PassContext& pass) const {
  if (x.data != y.data) std::copy_n(x.data, y.rows * y.cols, y.data);
  apply(y, pass);
}

void Dropout::backward(ConstMatrix, ConstMatrix, Matrix dy, std::span<const float>, std::size_t,
                       GradientSink&, Matrix dx, const PassContext& pass) const {
  require(dx.data == dy.data, "Dropout: dx takes dy's place");
  apply(dy, pass);
}

void Dropout::forward_in_double(std::span<const double> x, std::span<const double>, std::span<double> y,
                                const PassContext& pass) const {
  std::copy(x.begin(), x.end(), y.begin());
  std::vector<float> mask(inputs());
  for (std::size_t i = 0; i < pass.sample_ids.size(); ++i) {
    draw_mask(pass, pass.sample_ids[i], mask);
    for (std::size_t j = 0; j < inputs(); ++j) y[i * inputs() + j] *= mask[j];
  }
}

void Dropout::backward_in_double(std::span<const double>, std::span<const double>, std::span<const double> dy,
                                 std::span<const double> params, std::span<double>, std::span<double> dx,
                                 const PassContext& pass) const {
  forward_in_double(dy, params, dx, pass);
}

}  // namespace lockstep::nn
