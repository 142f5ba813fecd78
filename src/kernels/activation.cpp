#include "kernels/activation.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/elementary.h"
#include "base/error.h"
#include "base/simd.h"

namespace lockstep::kernels {
namespace {

constexpr std::size_t kGrain = 4096;  // floats: a page's worth of work and more

// e^(x - rest) = 2^n (1 + m): n an integer, m as exact as floats are. For -87 <= x <= 88, clamped outside;
// NaN stays NaN. rest: what is too small for x's last digit. Range reduction and minimax polynomial: Moshier,
// Cephes library, expf.
struct PartsOfExp {
  float power;     // 2^n
  float mantissa;  // m
};
inline PartsOfExp parts_of_exp(float x, float rest = 0.0F) {
  x = x < -87.0F ? -87.0F : x;
  x = x > 88.0F ? 88.0F : x;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  const float shifted = x * 1.44269504088896341F + kRound;
  const float n = shifted - kRound;
  const float r = ((x - n * 0.693359375F) - n * -2.12194440e-4F) - rest;
  float p = 1.9875691500E-4F;
  p = p * r + 1.3981999507E-3F;
  p = p * r + 8.3334519073E-3F;
  p = p * r + 4.1665795894E-2F;
  p = p * r + 1.6666665459E-1F;
  p = p * r + 5.0000001201E-1F;
  const auto exponent = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(kRound);
  return {std::bit_cast<float>((exponent + 127U) << 23), p * (r * r) + r};
}

// e^x to 1-2 units in the last place.
inline float exp_clamped(float x) {
  const auto [power, mantissa] = parts_of_exp(x);
  return (mantissa + 1.0F) * power;
}

// e^x - 1, for x <= 0 to a few units in the last place.
inline float expm1_clamped(float x) {
  const auto [power, mantissa] = parts_of_exp(x);
  return mantissa * power + (power - 1.0F);
}

// tanh x to a few units in the last place: a polynomial near 0 (Moshier, Cephes library, tanhf), 1 - 2 /
// (e^2x + 1) elsewhere.
inline float tanh_of(float x) {
  const float square = x * x;
  float p = -5.70498872745E-3F;
  p = p * square + 2.06390887954E-2F;
  p = p * square - 5.37397155531E-2F;
  p = p * square + 1.33314422036E-1F;
  p = p * square - 3.33332819422E-1F;
  const float near = p * square * x + x;
  const float magnitude = std::fabs(x);
  const float far = std::copysign(1.0F - 2.0F / (exp_clamped(2.0F * magnitude) + 1.0F), x);
  return magnitude < 0.625F ? near : far;
}

// The upper tail of the normal distribution from t on, for 0 <= t <= kFarTail (clamped outside; NaN stays
// NaN): Q(t) = bell * ratio with bell = e^(-t^2 / 2), to 3 units in the last place. The ratio is a minimax
// polynomial in 1 / (t + 2), which is what Q(t) / bell goes like (Mills); t^2 is taken in two parts, since
// e^x magnifies what it loses.
constexpr float kFarTail = 13.1F;  // Q is 2e-39 there: beyond are no normal floats
struct NormalTail {
  float t, bell, ratio;
};
inline NormalTail normal_tail(float t) {
  t = t > kFarTail ? kFarTail : t;
  const float head =
      std::bit_cast<float>(std::bit_cast<std::uint32_t>(t) & 0xfffff000U);  // 12 bits: squares fit
  const float rest = 0.5F * (t - head) * (t + head);
  const auto [power, mantissa] = parts_of_exp(-0.5F * (head * head), rest);
  const float u = 1.0F / (t + 2.0F), v = u * 4.6060605F - 1.3030303F;
  float p = -1.657432040e-05F;
  p = p * v - 3.725414354e-05F;
  p = p * v + 1.983720576e-04F;
  p = p * v - 5.952578795e-05F;
  p = p * v - 1.010236796e-03F;
  p = p * v + 2.482865006e-03F;
  p = p * v + 1.939269947e-03F;
  p = p * v - 2.351221628e-02F;
  p = p * v + 1.085811295e-02F;
  p = p * v + 2.927282751e-01F;
  p = p * v + 7.164288759e-01F;
  return {t, mantissa * power + power, u * p};
}

// gelu(x) = max(x, 0) - |x| Q(|x|): without cancellation on either side.
inline float gelu_of(float x) {
  const auto [t, bell, ratio] = normal_tail(std::fabs(x));
  return (x < 0.0F ? 0.0F : x) - (t < kFarTail ? t * ratio * bell : 0.0F);
}

// With the density p: Q(t) - t p(t) at x = -t, and 1 less that at x = t.
inline float gelu_slope(float x) {
  constexpr float kInverseRootOfTwoPi = 0.398942280401432678F;
  const auto [t, bell, ratio] = normal_tail(std::fabs(x));
  const float left = t < kFarTail ? (ratio - t * kInverseRootOfTwoPi) * bell : 0.0F;
  return x < 0.0F ? left : 1.0F - left;
}

LOCKSTEP_CLONES void sigmoid(float* x, std::size_t n, float) {
  for (std::size_t i = 0; i < n; ++i) x[i] = 1.0F / (1.0F + exp_clamped(-x[i]));
}

LOCKSTEP_CLONES void sigmoid_backward(const float* y, float* dy, std::size_t n, float) {
  for (std::size_t i = 0; i < n; ++i) dy[i] *= y[i] * (1.0F - y[i]);
}

LOCKSTEP_CLONES void relu(float* x, std::size_t n, float) {
  for (std::size_t i = 0; i < n; ++i) x[i] = x[i] < 0.0F ? 0.0F : x[i];
}

LOCKSTEP_CLONES void relu_backward(const float* y, float* dy, std::size_t n, float) {
  for (std::size_t i = 0; i < n; ++i) dy[i] = y[i] > 0.0F ? dy[i] : 0.0F;
}

LOCKSTEP_CLONES void tanh(float* x, std::size_t n, float) {
  for (std::size_t i = 0; i < n; ++i) x[i] = tanh_of(x[i]);
}

LOCKSTEP_CLONES void tanh_backward(const float* y, float* dy, std::size_t n, float) {
  for (std::size_t i = 0; i < n; ++i) dy[i] *= 1.0F - y[i] * y[i];
}

LOCKSTEP_CLONES void leaky_relu(float* x, std::size_t n, float slope) {
  for (std::size_t i = 0; i < n; ++i) x[i] = x[i] < 0.0F ? slope * x[i] : x[i];
}

LOCKSTEP_CLONES void leaky_relu_backward(const float* y, float* dy, std::size_t n, float slope) {
  for (std::size_t i = 0; i < n; ++i) dy[i] = y[i] > 0.0F ? dy[i] : slope * dy[i];
}

LOCKSTEP_CLONES void elu(float* x, std::size_t n, float alpha) {
  for (std::size_t i = 0; i < n; ++i) x[i] = x[i] > 0.0F ? x[i] : alpha * expm1_clamped(x[i]);
}

LOCKSTEP_CLONES void elu_backward(const float* y, float* dy, std::size_t n, float alpha) {
  for (std::size_t i = 0; i < n; ++i) dy[i] = y[i] > 0.0F ? dy[i] : dy[i] * (y[i] + alpha);
}

LOCKSTEP_CLONES void gelu(float* x, std::size_t n, float) {
  for (std::size_t i = 0; i < n; ++i) x[i] = gelu_of(x[i]);
}

LOCKSTEP_CLONES void gelu_backward(const float* x, float* dy, std::size_t n, float) {
  for (std::size_t i = 0; i < n; ++i) dy[i] *= gelu_slope(x[i]);
}

// The function's own parameter, or 0.
float parameter_of(Activation activation, const ActivationParameters& parameters) {
  if (activation == Activation::kLeakyRelu) return static_cast<float>(parameters.leaky_slope);
  if (activation == Activation::kElu) return static_cast<float>(parameters.elu_alpha);
  return 0.0F;
}

}  // namespace

std::string_view name(Activation activation) {
  switch (activation) {
    case Activation::kIdentity:
      return "identity";
    case Activation::kSigmoid:
      return "sigmoid";
    case Activation::kTanh:
      return "tanh";
    case Activation::kRelu:
      return "relu";
    case Activation::kLeakyRelu:
      return "leaky_relu";
    case Activation::kElu:
      return "elu";
    case Activation::kGelu:
      return "gelu";
  }
  return "?";
}

void activate(Activation activation, std::span<float> x, int threads,
              const ActivationParameters& parameters) {
  const float parameter = parameter_of(activation, parameters);
  const auto on_parts = [&](auto kernel) {
    parallel_ranges(x.size(), kGrain, threads, [&](std::size_t begin, std::size_t end) {
      kernel(x.data() + begin, end - begin, parameter);
    });
  };
  switch (activation) {
    case Activation::kIdentity:
      return;
    case Activation::kSigmoid:
      return on_parts(sigmoid);
    case Activation::kTanh:
      return on_parts(tanh);
    case Activation::kRelu:
      return on_parts(relu);
    case Activation::kLeakyRelu:
      return on_parts(leaky_relu);
    case Activation::kElu:
      return on_parts(elu);
    case Activation::kGelu:
      return on_parts(gelu);
  }
}

bool slope_from_input(Activation activation) { return activation == Activation::kGelu; }

void activate_backward(Activation activation, std::span<const float> values, std::span<float> dy, int threads,
                       const ActivationParameters& parameters) {
  require(values.size() == dy.size(), "activate_backward: the values and dy differ in length");
  const float parameter = parameter_of(activation, parameters);
  const auto on_parts = [&](auto kernel) {
    parallel_ranges(values.size(), kGrain, threads, [&](std::size_t begin, std::size_t end) {
      kernel(values.data() + begin, dy.data() + begin, end - begin, parameter);
    });
  };
  switch (activation) {
    case Activation::kIdentity:
      return;
    case Activation::kSigmoid:
      return on_parts(sigmoid_backward);
    case Activation::kTanh:
      return on_parts(tanh_backward);
    case Activation::kRelu:
      return on_parts(relu_backward);
    case Activation::kLeakyRelu:
      return on_parts(leaky_relu_backward);
    case Activation::kElu:
      return on_parts(elu_backward);
    case Activation::kGelu:
      return on_parts(gelu_backward);
  }
}

double activate(Activation activation, double x, const ActivationParameters& parameters) {
  switch (activation) {
    case Activation::kIdentity:
      return x;
    case Activation::kSigmoid:
      return 1.0 / (1.0 + stable_exp(-x));
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kRelu:
      return x < 0.0 ? 0.0 : x;
    case Activation::kLeakyRelu:
      return x < 0.0 ? parameters.leaky_slope * x : x;
    case Activation::kElu:
      return x > 0.0 ? x : parameters.elu_alpha * std::expm1(x);
    case Activation::kGelu:
      return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
  }
  return x;
}

double slope(Activation activation, double x, const ActivationParameters& parameters) {
  const double y = activate(activation, x, parameters);
  switch (activation) {
    case Activation::kIdentity:
      return 1.0;
    case Activation::kSigmoid:
      return y * (1.0 - y);
    case Activation::kTanh:
      return 1.0 - y * y;
    case Activation::kRelu:
      return x > 0.0 ? 1.0 : 0.0;
    case Activation::kLeakyRelu:
      return x > 0.0 ? 1.0 : parameters.leaky_slope;
    case Activation::kElu:
      return x > 0.0 ? 1.0 : y + parameters.elu_alpha;
    case Activation::kGelu:
      return 0.5 * std::erfc(-x / std::numbers::sqrt2) +
             x * std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi);
  }
  return 1.0;
}

}  // namespace lockstep::kernels
