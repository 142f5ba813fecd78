// The sets of points in the plane: the shape of each, what noise does to it, and what a point depends on.
#include "data/planar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "base/error.h"
#include "data/points.h"
#include "support.h"

namespace lockstep::data {
namespace {

constexpr const char* kNames[] = {"circle", "xor", "gaussian", "spiral", "flower"};

Planar set_of(const std::string& name, std::size_t n, double noise = 0.0, std::uint64_t seed = 1) {
  DataOptions options;
  options.dataset = name;
  options.n = n;
  options.noise = noise;
  options.seed = seed;
  return {planar_shape(name).value(), options};
}

struct Point {
  double x, y;
  int label;
  double radius() const { return std::hypot(x, y); }
};

std::vector<Point> points_of(const std::string& name, std::size_t n, double noise = 0.0,
                             std::uint64_t seed = 1) {
  const SampleStore store = test::load_all(set_of(name, n, noise, seed));
  std::vector<Point> points;
  for (std::size_t i = 0; i < store.size(); ++i)
    points.push_back({store.value_row(i)[0], store.value_row(i)[1], static_cast<int>(store.targets[i])});
  return points;
}

// Of a noisy set against the same without noise.
struct Changes {
  std::size_t moved = 0, flipped = 0;
  double farthest = 0.0;  // along an axis
};
Changes changes(const std::vector<Point>& calm, const std::vector<Point>& noisy) {
  Changes found;
  for (std::size_t i = 0; i < calm.size(); ++i) {
    const double along = std::max(std::fabs(noisy[i].x - calm[i].x), std::fabs(noisy[i].y - calm[i].y));
    found.moved += along > 0.0;
    found.farthest = std::max(found.farthest, along);
    found.flipped += noisy[i].label != calm[i].label;
  }
  return found;
}

TEST(Planar, IsTwoClassesOfPointsToTrainOn) {
  for (const char* name : kNames) {
    SCOPED_TRACE(name);
    const DatasetInfo info = set_of(name, 33).info();
    EXPECT_EQ(info.name, name);
    EXPECT_FALSE(info.pixels);
    EXPECT_EQ(info.features(), 2U);
    EXPECT_EQ(info.channels, 2U);
    EXPECT_EQ(info.classes, 2U);
    EXPECT_EQ(info.train_samples, 33U);
    EXPECT_EQ(info.test_samples, 0U);
  }
  EXPECT_FALSE(planar_shape("square").has_value());
}

TEST(Planar, APointDoesNotDependOnWhatIsLoadedWithIt) {
  for (const char* name : kNames) {
    SCOPED_TRACE(name);
    const Planar set = set_of(name, 101, 0.2);
    const SampleStore whole = test::load_all(set);
    for (const std::vector<std::uint32_t>& some :
         {std::vector<std::uint32_t>{0}, {100}, {3, 4, 50, 99}, {}}) {
      const SampleStore part = set.load(Split::kTrain, some);
      ASSERT_EQ(part.size(), some.size());
      for (std::size_t i = 0; i < some.size(); ++i) {
        EXPECT_TRUE(test::same_bits(part.value_row(i), whole.value_row(some[i])));
        EXPECT_EQ(part.targets[i], whole.targets[some[i]]);
      }
    }
  }
}

TEST(Planar, TheSameOptionsGiveTheSamePointsAndAnotherSeedOthers) {
  for (const char* name : kNames) {
    SCOPED_TRACE(name);
    const SampleStore one = test::load_all(set_of(name, 50, 0.1, 7));
    EXPECT_TRUE(test::same_bits(one.values, test::load_all(set_of(name, 50, 0.1, 7)).values));
    for (const std::uint64_t seed : {std::uint64_t{8}, (std::uint64_t{1} << 32) + 7}) {
      const SampleStore other = test::load_all(set_of(name, 50, 0.1, seed));
      for (std::size_t k = 0; k < one.values.size(); ++k) EXPECT_NE(one.values[k], other.values[k]) << k;
    }
  }
}

TEST(Planar, ShapesHaveDrawsOfTheirOwn) {
  const auto circle = points_of("circle", 200), square = points_of("xor", 200);
  double apart = 0.0;  // of what their first uniform draws must have been
  for (std::size_t i = 1; i < 200; i += 2)
    apart +=
        std::fabs(circle[i].radius() / 2.5 - (square[i].x - std::copysign(0.3, square[i].x) + 5.0) / 10.0);
  EXPECT_NEAR(apart / 100.0, 1.0 / 3.0, 5.0 * std::sqrt(1.0 / 18.0) / 10.0);
}

TEST(Planar, ClassesTakeTurnsAndAreBalanced) {
  for (const char* name : {"circle", "gaussian", "spiral", "flower"}) {
    SCOPED_TRACE(name);
    for (const std::size_t n : {2, 3, 50, 51}) {
      const auto points = points_of(name, n);
      for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(points[i].label, static_cast<int>(i % 2));
    }
  }
  constexpr std::size_t kPoints = 4000;
  const auto points = points_of("xor", kPoints);
  const auto ones =
      std::count_if(points.begin(), points.end(), [](const Point& point) { return point.label == 1; });
  EXPECT_NEAR(static_cast<double>(ones), kPoints / 2.0, 5.0 * std::sqrt(kPoints * 0.25));
}

TEST(Planar, ACircleIsADiscInsideARing) {
  const auto points = points_of("circle", 4000);
  double nearest[2] = {1e9, 1e9}, farthest[2] = {0.0, 0.0};
  int quadrants[4] = {};
  for (const Point& p : points) {
    nearest[p.label] = std::min(nearest[p.label], p.radius());
    farthest[p.label] = std::max(farthest[p.label], p.radius());
    ++quadrants[2 * (p.x > 0.0) + (p.y > 0.0)];
  }
  EXPECT_LT(nearest[1], 0.01);  // each filled to its borders, and not beyond
  EXPECT_LE(farthest[1], 2.5);
  EXPECT_GT(farthest[1], 2.49);
  EXPECT_GE(nearest[0], 3.5 - 1e-6);
  EXPECT_LT(nearest[0], 3.51);
  EXPECT_LE(farthest[0], 5.0 + 1e-6);
  EXPECT_GT(farthest[0], 4.99);
  for (const int count : quadrants) EXPECT_NEAR(count, 1000, 5.0 * std::sqrt(4000 * 0.1875));
}

TEST(Planar, XorIsFourSquaresWithACrossBetweenThem) {
  const auto points = points_of("xor", 4000);
  int quadrants[4] = {};
  double nearest = 1e9, farthest = 0.0;
  for (const Point& p : points) {
    EXPECT_EQ(p.label, p.x * p.y >= 0.0);
    nearest = std::min({nearest, std::fabs(p.x), std::fabs(p.y)});
    farthest = std::max({farthest, std::fabs(p.x), std::fabs(p.y)});
    ++quadrants[2 * (p.x > 0.0) + (p.y > 0.0)];
  }
  EXPECT_GE(nearest, 0.3 - 1e-6);
  EXPECT_LT(nearest, 0.31);
  EXPECT_LE(farthest, 5.3 + 1e-6);
  EXPECT_GT(farthest, 5.29);
  for (const int count : quadrants) EXPECT_NEAR(count, 1000, 5.0 * std::sqrt(4000 * 0.1875));
}

TEST(Planar, GaussianIsTwoNormalCloudsWhoseVarianceGrowsWithTheNoise) {
  constexpr std::size_t kPoints = 20000;
  constexpr double kOfClass = kPoints / 2.0;
  for (const double noise : {0.0, 0.1, 0.5}) {
    const double variance = 0.5 + 7.0 * noise;
    double sum[2][2] = {}, squares[2][2] = {}, product[2] = {};
    for (const Point& p : points_of("gaussian", kPoints, noise)) {
      const double centre = p.label == 1 ? 2.0 : -2.0, z[] = {p.x - centre, p.y - centre};
      for (const int axis : {0, 1}) {
        sum[p.label][axis] += z[axis];
        squares[p.label][axis] += z[axis] * z[axis];
      }
      product[p.label] += z[0] * z[1];
    }
    for (const int label : {0, 1}) {
      for (const int axis : {0, 1}) {
        EXPECT_NEAR(sum[label][axis] / kOfClass, 0.0, 5.0 * std::sqrt(variance / kOfClass));
        EXPECT_NEAR(squares[label][axis] / kOfClass, variance, 5.0 * variance * std::sqrt(2.0 / kOfClass));
      }
      EXPECT_NEAR(product[label] / kOfClass, 0.0, 5.0 * variance / std::sqrt(kOfClass));
    }
  }
}

// Angles are counted from the y axis, clockwise.
TEST(Planar, ASpiralIsTwoArmsHalfATurnApart) {
  constexpr std::size_t kPoints = 400;
  const auto points = points_of("spiral", kPoints);
  for (std::size_t i = 0; i < kPoints; ++i) {
    const double t = static_cast<double>(i / 2) / (kPoints / 2.0);
    const double turns = 1.75 * t + (points[i].label == 1 ? 0.0 : 0.5);
    EXPECT_NEAR(points[i].x, 5.0 * t * std::sin(2.0 * std::numbers::pi * turns), 1e-6);
    EXPECT_NEAR(points[i].y, 5.0 * t * std::cos(2.0 * std::numbers::pi * turns), 1e-6);
  }
}

TEST(Planar, AFlowerHasItsPetalsWhereTheSineOfFourTimesTheAngleIs) {
  for (const std::size_t n : {400, 7}) {
    const auto points = points_of("flower", n);
    double farthest = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t of_class = points[i].label == 0 ? (n + 1) / 2 : n / 2;
      const double along = static_cast<double>(i / 2) / static_cast<double>(of_class - 1);  // 0 to 1
      const double angle = 3.12 * (points[i].label + along), radius = 4.0 * std::sin(4.0 * angle);
      EXPECT_NEAR(points[i].x, radius * std::sin(angle), 2e-6);
      EXPECT_NEAR(points[i].y, radius * std::cos(angle), 2e-6);
      farthest = std::max(farthest, points[i].radius());
    }
    EXPECT_LE(farthest, 4.0 + 1e-6);
  }
}

// As many in each quadrant as other draws of the same noise carry over the border, and none that it cannot.
TEST(Planar, NoiseFlipsPointsOfCircleAndXorAndMovesNone) {
  std::mt19937_64 engine(1);
  for (const bool circle : {true, false}) {
    SCOPED_TRACE(circle ? "circle" : "xor");
    const auto label_at = [&](double x, double y) { return circle ? std::hypot(x, y) < 2.5 : x * y >= 0.0; };
    const auto calm = points_of(circle ? "circle" : "xor", 4000);
    for (const double noise : {0.1, 0.3, 0.5}) {
      const auto noisy = points_of(circle ? "circle" : "xor", 4000, noise);
      EXPECT_EQ(changes(calm, noisy).moved, 0U);
      const double reach = 5.0 * noise;
      std::uniform_real_distribution<double> move(-reach, reach);
      double flipped[2][4] = {}, expected[2][4] = {};  // by class and quadrant
      for (std::size_t i = 0; i < calm.size(); ++i) {
        const auto& [x, y, label] = calm[i];
        const int quadrant = 2 * (x > 0.0) + (y > 0.0);
        flipped[label][quadrant] += noisy[i].label != label;
        for (int round = 0; round < 25; ++round)
          expected[label][quadrant] += (label_at(x + move(engine), y + move(engine)) != label) / 25.0;
        const double to_border = circle ? std::fabs(calm[i].radius() - 2.5) / std::numbers::sqrt2
                                        : std::min(std::fabs(x), std::fabs(y));
        EXPECT_TRUE(noisy[i].label == label || to_border <= reach);
      }
      for (const int label : {0, 1})
        for (const int quadrant : {0, 1, 2, 3})
          EXPECT_NEAR(flipped[label][quadrant], expected[label][quadrant],
                      5.0 * std::sqrt(expected[label][quadrant]) + 1e-9);
    }
  }
}

TEST(Planar, NoiseMovesPointsOfASpiralByItsSizeAtMost) {
  const auto calm = points_of("spiral", 4000);
  for (const double noise : {0.1, 0.5}) {
    const Changes found = changes(calm, points_of("spiral", 4000, noise));
    EXPECT_EQ(found.flipped, 0U);
    EXPECT_EQ(found.moved, 4000U);
    EXPECT_LE(found.farthest, noise + 1e-6);
    EXPECT_GT(found.farthest, 0.99 * noise);
  }
}

TEST(Planar, NoiseIsTheDeviationOfAFlowersAngleAndRadius) {
  constexpr std::size_t kPoints = 20000;
  constexpr double kNoise = 0.05;
  const auto points = points_of("flower", kPoints, kNoise);
  double angles = 0.0, radii = 0.0, counted = 0.0;
  for (std::size_t i = 0; i < kPoints; ++i) {
    const double expected = 3.12 * (points[i].label + static_cast<double>(i / 2) / (kPoints / 2.0 - 1.0));
    const double angle = std::atan2(points[i].x, points[i].y), petal = 4.0 * std::sin(4.0 * angle);
    if (std::fabs(petal) < 1.0) continue;  // where the point's side of the centre is not certain
    angles += std::pow(std::remainder(angle - expected, std::numbers::pi), 2);
    radii += std::pow(points[i].radius() - std::fabs(petal), 2);
    ++counted;
  }
  const double tolerance = 5.0 * kNoise / std::sqrt(2.0 * counted);
  EXPECT_NEAR(std::sqrt(angles / counted), kNoise, tolerance);
  EXPECT_NEAR(std::sqrt(radii / counted), kNoise, tolerance);
}

TEST(Planar, NeedsTwoPoints) {
  for (const char* name : kNames) {
    EXPECT_NO_THROW(points_of(name, 2));
    for (const std::size_t n : {0, 1})
      test::expect_line_with(test::message_of<ConfigError>([&] { set_of(name, n); }),
                             {"data.n is " + std::to_string(n), "at least 2"});
  }
}

}  // namespace
}  // namespace lockstep::data
