// Images seen another way than they are kept: shifted, mirrored, with a hole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "data/normalizer.h"
#include "data/options.h"
#include "data/shard_plan.h"

namespace lockstep::data {

// Of an image n (channels, height, width) whose features are normalised:
//   1. shifted:   s(c, y, x) = n(c, r(y - down), r(x - right)). Beyond the edge, r(-k) is k and
//                 r(side-1 + k) is side-1 - k: the picture is reflected and its outermost row is not
//                 repeated, as PyTorch's ReflectionPad2d has it. Or s is 0 there.
//   2. mirrored:  m(c, y, x) = s(c, y, width-1 - x), or m = s.
//   3. with a hole: 0 in these rows and columns of every channel, m elsewhere.
// 0 is the mean where data.normalize takes it away.
struct View {
  std::ptrdiff_t down = 0, right = 0;  // pixels, each less than its side
  ShiftPadding padding = ShiftPadding::kReflect;
  bool mirrored = false;
  Range hole_rows = {}, hole_columns = {};  // empty: no hole
};

// x (features) <- sample i, which is such an image, normalised and seen so. Overwritten. Allocates nothing.
// Safe to call concurrently.
void apply_view(const View& view, const ImageSize& image, const Normalizer& normalizer,
                const SampleStore& samples, std::size_t i, std::span<float> x);

}  // namespace lockstep::data
