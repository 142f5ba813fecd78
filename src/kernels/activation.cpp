#include "kernels/activation.h"

#include <bit>
#include <cstdint>

#include "base/error.h"
#include "kernels/simd.h"

namespace lockstep::kernels {
namespace {

constexpr std::size_t kGrain = 4096;  // floats: a page's worth of work and more

// e^x to 1-2 units in the last place for -87 <= x <= 88, clamped outside; NaN stays NaN.
// Range reduction and minimax polynomial: Moshier, Cephes library, expf.
inline float exp_clamped(float x) {
  x = x < -87.0F ? -87.0F : x;
  x = x > 88.0F ? 88.0F : x;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  const float shifted = x * 1.44269504088896341F + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  float p = 1.9875691500E-4F;
  p = p * r + 1.3981999507E-3F;
  p = p * r + 8.3334519073E-3F;
  p = p * r + 4.1665795894E-2F;
  p = p * r + 1.6666665459E-1F;
  p = p * r + 5.0000001201E-1F;
  p = p * (r * r) + r + 1.0F;
  const auto exponent = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(kRound);
  return p * std::bit_cast<float>((exponent + 127U) << 23);
}

LOCKSTEP_CLONES void sigmoid(float* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] = 1.0F / (1.0F + exp_clamped(-x[i]));
}

LOCKSTEP_CLONES void sigmoid_backward(const float* y, float* dy, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) dy[i] *= y[i] * (1.0F - y[i]);
}

LOCKSTEP_CLONES void relu(float* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] = x[i] < 0.0F ? 0.0F : x[i];
}

LOCKSTEP_CLONES void relu_backward(const float* y, float* dy, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) dy[i] = y[i] > 0.0F ? dy[i] : 0.0F;
}

}  // namespace

std::string_view name(Activation activation) {
  switch (activation) {
    case Activation::kIdentity:
      return "identity";
    case Activation::kSigmoid:
      return "sigmoid";
    case Activation::kRelu:
      return "relu";
  }
  return "?";
}

void activate(Activation activation, std::span<float> x, int threads) {
  const auto on_parts = [&](auto kernel) {
    parallel_ranges(x.size(), kGrain, threads,
                    [&](std::size_t begin, std::size_t end) { kernel(x.data() + begin, end - begin); });
  };
  switch (activation) {
    case Activation::kIdentity:
      return;
    case Activation::kSigmoid:
      return on_parts(sigmoid);
    case Activation::kRelu:
      return on_parts(relu);
  }
}

void activate_backward(Activation activation, std::span<const float> y, std::span<float> dy, int threads) {
  require(y.size() == dy.size(), "activate_backward: y and dy differ in length");
  const auto on_parts = [&](auto kernel) {
    parallel_ranges(y.size(), kGrain, threads, [&](std::size_t begin, std::size_t end) {
      kernel(y.data() + begin, dy.data() + begin, end - begin);
    });
  };
  switch (activation) {
    case Activation::kIdentity:
      return;
    case Activation::kSigmoid:
      return on_parts(sigmoid_backward);
    case Activation::kRelu:
      return on_parts(relu_backward);
  }
}

}  // namespace lockstep::kernels
