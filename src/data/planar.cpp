#include "data/planar.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/elementary.h"
#include "base/error.h"
#include "base/random.h"

namespace lockstep::data {
namespace {

constexpr double kTwoPi = 6.283185307179586477;

struct Point {
  double x = 0.0, y = 0.0;
  std::size_t label = 0;
};

// The point at this distance and angle, which is counted from the y axis, clockwise.
Point polar(double radius, double turns, std::size_t label) {
  const auto cosine = [](double t) { return stable_cos_turns(t - std::floor(t)); };
  return {radius * cosine(turns - 0.25), radius * cosine(turns), label};
}

// One sample's draws, numbered 0, 1, ...
struct Draws {
  RandomStream stream;
  double between(std::uint32_t index, double low, double high) const {
    return low + (high - low) * stream.uniform(index);
  }
  double normal(std::uint32_t index) const { return stream.normal(index); }
};

Point circle(const Draws& draws, std::size_t i, double noise) {
  constexpr double kRadius = 5.0, kBorder = 0.5 * kRadius;
  const bool inside = i % 2 == 1;
  const double radius = inside ? draws.between(0, 0.0, kBorder) : draws.between(0, 0.7 * kRadius, kRadius);
  Point point = polar(radius, draws.between(1, 0.0, 1.0), 0);
  const double moved_x = point.x + noise * draws.between(2, -kRadius, kRadius);
  const double moved_y = point.y + noise * draws.between(3, -kRadius, kRadius);
  point.label = std::sqrt(moved_x * moved_x + moved_y * moved_y) < kBorder ? 1 : 0;
  return point;
}

Point exclusive_or(const Draws& draws, double noise) {
  constexpr double kSide = 5.0, kGap = 0.3;
  const auto off_axis = [](double x) { return x > 0.0 ? x + kGap : x - kGap; };
  Point point{off_axis(draws.between(0, -kSide, kSide)), off_axis(draws.between(1, -kSide, kSide)), 0};
  const double moved_x = point.x + noise * draws.between(2, -kSide, kSide);
  const double moved_y = point.y + noise * draws.between(3, -kSide, kSide);
  point.label = moved_x * moved_y >= 0.0 ? 1 : 0;
  return point;
}

Point gaussian(const Draws& draws, std::size_t i, double noise) {
  const double centre = i % 2 == 1 ? 2.0 : -2.0, stddev = std::sqrt(0.5 + 7.0 * noise);
  return {centre + stddev * draws.normal(0), centre + stddev * draws.normal(1), i % 2};
}

// Sample i is the i/2-th of its class.
Point spiral(const Draws& draws, std::size_t i, std::size_t n, double noise) {
  const double t = static_cast<double>(i / 2) / (0.5 * static_cast<double>(n));
  Point point = polar(5.0 * t, 1.75 * t + (i % 2 == 1 ? 0.0 : 0.5), i % 2);
  point.x += noise * draws.between(0, -1.0, 1.0);
  point.y += noise * draws.between(1, -1.0, 1.0);
  return point;
}

Point flower(const Draws& draws, std::size_t i, std::size_t n, double noise) {
  constexpr double kArc = 3.12;
  const std::size_t label = i % 2, of_class = (n + 1 - label) / 2;
  const double along = of_class > 1 ? static_cast<double>(i / 2) / static_cast<double>(of_class - 1) : 0.0;
  const double turns = (kArc * (static_cast<double>(label) + along) + noise * draws.normal(0)) / kTwoPi;
  const double radius = 4.0 * polar(1.0, 4.0 * turns, 0).x + noise * draws.normal(1);
  return polar(radius, turns, label);
}

Point make_point(PlanarShape shape, const Draws& draws, std::size_t i, std::size_t n, double noise) {
  switch (shape) {
    case PlanarShape::kCircle:
      return circle(draws, i, noise);
    case PlanarShape::kXor:
      return exclusive_or(draws, noise);
    case PlanarShape::kGaussian:
      return gaussian(draws, i, noise);
    case PlanarShape::kSpiral:
      return spiral(draws, i, n, noise);
    case PlanarShape::kFlower:
      return flower(draws, i, n, noise);
  }
  return {};
}

}  // namespace

std::optional<PlanarShape> planar_shape(std::string_view dataset) {
  constexpr std::array<std::string_view, 5> kNames = {"circle", "xor", "gaussian", "spiral", "flower"};
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == dataset) return static_cast<PlanarShape>(i);
  return std::nullopt;
}

Planar::Planar(PlanarShape shape, const DataOptions& options)
    : shape_(shape), name_(options.dataset), n_(options.n), noise_(options.noise), seed_(options.seed) {
  if (n_ < 2) throw ConfigError(fmt::format("data.n is {}, expected at least 2 points", n_));
}

DatasetInfo Planar::info() const {
  return {.name = name_,
          .pixels = false,
          .channels = 2,
          .channel_size = 1,
          .classes = 2,
          .class_names = {},
          .train_samples = n_,
          .test_samples = 0,
          .function = {},
          .note = {}};
}

SampleStore Planar::load(Split, std::span<const std::uint32_t> samples) const {
  SampleStore store = SampleStore::of_values(samples.size(), 2);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Draws draws{
        RandomStream(seed_, Purpose::kPlanarSample, static_cast<std::uint32_t>(shape_), samples[i])};
    const Point point = make_point(shape_, draws, samples[i], n_, noise_);
    store.value_row(i)[0] = static_cast<float>(point.x);
    store.value_row(i)[1] = static_cast<float>(point.y);
    store.targets[i] = static_cast<float>(point.label);
  }
  return store;
}

}  // namespace lockstep::data
