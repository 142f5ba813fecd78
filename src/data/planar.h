// Two classes of points in the plane, made up point by point: the sets of the TensorFlow playground and the
// "flower".
//
// Sample i of n is a function of (shape, data.seed, noise, i, n); classes take turns, but in xor, where the
// point decides. u is uniform on [-1, 1), z standard normal, `noise` the configuration's.
//   circle    class 1 within radius 2.5, class 0 between 3.5 and 5, at any angle; moved by 5 noise u, a point
//             has the class of the side of radius 2.5 that it comes to lie on
//   xor       uniform on the square +-5, moved 0.3 away from the axes; moved by 5 noise u, a point has
//             class 1 where x y >= 0
//   gaussian  normal around (2, 2), class 1, and (-2, -2), class 0, of variance 0.5 + 7 noise
//   spiral    class k: radius 5 t, at 1.75 t + (1-k)/2 turns, t from 0 up to 1, moved by noise u
//   flower    class k: angle evenly from 3.12 k to 3.12 (k+1), moved by noise z, and radius 4 sin(4 angle),
//             moved by noise z
// What decides the class of circle and xor is the moved point; the sample is the point before. Angles are
// counted from the y axis, clockwise.
// Sources: TensorFlow playground, src/dataset.ts (2016), whose noise slider 0..50 is 100 noise; Ng, "Neural
// Networks and Deep Learning", week 3 (2017), for the flower, whose noise there is 0.2.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "data/dataset.h"

namespace lockstep::data {

enum class PlanarShape { kCircle, kXor, kGaussian, kSpiral, kFlower };

// The shape of the data set of this name, if it is one of these.
std::optional<PlanarShape> planar_shape(std::string_view dataset);

class Planar final : public Dataset {
 public:
  // Throws ConfigError if options.n is below 2.
  Planar(PlanarShape shape, const DataOptions& options);

  // All points are training samples.
  DatasetInfo info() const override;
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override;

 private:
  PlanarShape shape_;
  std::string name_;
  std::size_t n_;
  double noise_;
  std::uint64_t seed_;
};

}  // namespace lockstep::data
