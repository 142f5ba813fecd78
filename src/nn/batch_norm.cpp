#include "nn/batch_norm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "kernels/batch_norm.h"

namespace lockstep::nn {

using kernels::ConstMatrix;
using kernels::Matrix;

namespace {

// The pixels of each micro-batch.
std::vector<std::size_t> groups_of(const PassContext& pass, const ImageShape& image) {
  std::vector<std::size_t> groups(pass.micro_batches.begin(), pass.micro_batches.end());
  for (std::size_t& rows : groups) rows *= image.pixels();
  return groups;
}

}  // namespace

BatchNorm::BatchNorm(const ImageShape& image, const BatchNormOptions& options)
    : image_(image), options_(options) {
  require(image.size() > 0, "BatchNorm: a layer needs inputs");
}

std::string BatchNorm::description() const { return fmt::format("batch norm of {}", image_.channels); }

std::vector<Tensor> BatchNorm::tensors() const {
  const std::vector<std::size_t> shape = {image_.channels};
  const auto constant = [](double value) { return Initializer{Initializer::Kind::kConstant, value}; };
  std::vector<Tensor> tensors;
  const auto learned = [&](const char* name, double from) {
    tensors.push_back({.name = name, .shape = shape, .init = constant(from), .weight_decay_factor = 1.0});
  };
  if (options_.scale) learned("weight", 1.0);
  if (options_.shift) learned("bias", 0.0);
  tensors.push_back(
      {.name = "running_mean", .shape = shape, .init = constant(0.0), .averaged = options_.momentum});
  tensors.push_back(
      {.name = "running_var", .shape = shape, .init = constant(1.0), .averaged = options_.momentum});
  return tensors;
}

template <typename T>
BatchNorm::Parameters<T> BatchNorm::parameters(std::span<const T> params) const {
  const std::size_t n = image_.channels;
  Parameters<T> parts;
  const auto take = [&] {
    const auto part = params.first(n);
    params = params.subspan(n);
    return part;
  };
  if (options_.scale) parts.scale = take();
  if (options_.shift) parts.shift = take();
  parts.running_mean = take();
  parts.running_variance = take();
  return parts;
}

void BatchNorm::forward(ConstMatrix x, std::span<const float> params, Matrix y,
                        const PassContext& pass) const {
  const auto [scale, shift, running_mean, running_variance] = parameters(params);
  const ConstMatrix pixels = by_pixel(x, image_);
  if (pass.training()) {
    const std::vector<std::size_t> groups = groups_of(pass, image_);
    kernels::normalize_groups(pixels, groups, kernels::group_statistics(pixels, groups, pass.threads),
                              options_.epsilon, scale, shift, by_pixel(y, image_), pass.threads);
    return;
  }
  const std::size_t all[] = {pixels.rows};
  const kernels::GroupStatistics running{{running_mean.begin(), running_mean.end()},
                                         {running_variance.begin(), running_variance.end()}};
  kernels::normalize_groups(pixels, all, running, options_.epsilon, scale, shift, by_pixel(y, image_),
                            pass.threads);
}

void BatchNorm::backward(ConstMatrix x, ConstMatrix, Matrix dy, std::span<const float> params,
                         std::size_t first_tensor, GradientSink& sink, Matrix dx,
                         const PassContext& pass) const {
  const std::vector<std::size_t> groups = groups_of(pass, image_);
  const ConstMatrix pixels = by_pixel(x, image_);
  // Computed again: a layer keeps nothing from forward, and two reads of x are little beside a convolution.
  const kernels::GroupStatistics statistics = kernels::group_statistics(pixels, groups, pass.threads);
  const std::size_t n = image_.channels, count = groups.size();
  std::vector<float> dscale(count * n), dshift(count * n), mean(count * n), variance(count * n);
  kernels::normalize_groups_backward(pixels, groups, statistics, options_.epsilon, parameters(params).scale,
                                     by_pixel(dy, image_), dscale, dshift,
                                     dx.data == nullptr ? Matrix() : by_pixel(dx, image_), pass.threads);
  for (std::size_t i = 0; i < count * n; ++i) {
    const auto rows = static_cast<double>(groups[i / n]);
    mean[i] = static_cast<float>(statistics.mean[i]);
    variance[i] = static_cast<float>(statistics.variance[i] * rows / (rows - 1.0));
  }
  std::size_t tensor = first_tensor + tensors().size();
  const auto add = [&](const std::vector<float>& of_groups) {
    sink.add({.tensor = --tensor, .dy = {of_groups.data(), count, n}, .rows_per_sample = 0});
  };
  add(variance);
  add(mean);
  if (options_.shift) add(dshift);
  if (options_.scale) add(dscale);
}

void BatchNorm::forward_in_double(std::span<const double> x, std::span<const double> params,
                                  std::span<double> y, const PassContext& pass) const {
  const auto [scale, shift, running_mean, running_variance] = parameters(params);
  const std::size_t n = image_.channels;
  std::vector<std::size_t> groups = groups_of(pass, image_);
  if (!pass.training()) groups = {x.size() / n};
  std::size_t first = 0;  // pixel of the group
  for (const std::size_t rows : groups) {
    for (std::size_t c = 0; c < n; ++c) {
      const auto at = [&](std::size_t i) { return x[(first + i) * n + c]; };
      double mean = 0.0, variance = 0.0;
      for (std::size_t i = 0; i < rows; ++i) mean += at(i) / static_cast<double>(rows);
      for (std::size_t i = 0; i < rows; ++i)
        variance += (at(i) - mean) * (at(i) - mean) / static_cast<double>(rows);
      if (!pass.training()) {
        mean = running_mean[c];
        variance = running_variance[c];
      }
      const double factor = (scale.empty() ? 1.0 : scale[c]) / std::sqrt(variance + options_.epsilon);
      for (std::size_t i = 0; i < rows; ++i)
        y[(first + i) * n + c] = (at(i) - mean) * factor + (shift.empty() ? 0.0 : shift[c]);
    }
    first += rows;
  }
}

void BatchNorm::backward_in_double(std::span<const double> x, std::span<const double>,
                                   std::span<const double> dy, std::span<const double> params,
                                   std::span<double> dparams, std::span<double> dx,
                                   const PassContext&) const {
  const std::span<const double> scale = parameters(params).scale;
  double* to = dparams.data();
  const auto part = [&](bool has) {
    double* const begin = to;
    if (has) to += image_.channels;
    return has ? begin : nullptr;
  };
  double *const dscale = part(options_.scale), *const dshift = part(options_.shift),
                *const means = part(true), *const variances = part(true);
  const std::size_t n = image_.channels, rows = x.size() / n;
  const auto count = static_cast<double>(rows);
  for (std::size_t c = 0; c < n; ++c) {
    double mean = 0.0, variance = 0.0, sum = 0.0, product = 0.0;
    for (std::size_t i = c; i < x.size(); i += n) mean += x[i] / count;
    for (std::size_t i = c; i < x.size(); i += n) variance += (x[i] - mean) * (x[i] - mean) / count;
    const double inverse = 1.0 / std::sqrt(variance + options_.epsilon);
    for (std::size_t i = c; i < x.size(); i += n) {
      sum += dy[i];
      product += dy[i] * (x[i] - mean) * inverse;
    }
    const double factor = (scale.empty() ? 1.0 : scale[c]) * inverse;
    for (std::size_t i = c; i < x.size(); i += n)
      dx[i] = factor * (dy[i] - sum / count - (x[i] - mean) * inverse * product / count);
    if (dscale != nullptr) dscale[c] += product;
    if (dshift != nullptr) dshift[c] += sum;
    means[c] += mean;
    variances[c] += variance * count / (count - 1.0);
  }
}

}  // namespace lockstep::nn
