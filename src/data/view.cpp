#include "data/view.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"

namespace lockstep::data {
namespace {

// Places [to, to + length) of a line of pixels, which show [from, from + length) of the line as it is kept,
// the last one first if backwards.
struct Stretch {
  std::size_t to = 0, from = 0, length = 0;
  bool backwards = false;
};

// What a line of n pixels shows that is moved by `move`, then mirrored or not: what stays of it, and what the
// edge reflects.
std::array<Stretch, 2> stretches(std::size_t n, std::ptrdiff_t move, bool mirrored) {
  const auto m = static_cast<std::size_t>(move < 0 ? -move : move);
  std::array<Stretch, 2> both = {
      move < 0 ? Stretch{0, m, n - m, false} : Stretch{m, 0, n - m, false},
      move < 0 ? Stretch{n - m, n - 1 - m, m, true} : Stretch{0, 1, m, true},
  };
  if (mirrored)
    for (Stretch& stretch : both) {
      stretch.to = n - stretch.to - stretch.length;
      stretch.backwards = !stretch.backwards;
    }
  return both;
}

// The row as it is kept that row y shows; nothing beyond the edge if that is not reflected.
std::optional<std::size_t> source_row(const View& view, std::size_t height, std::size_t y) {
  const auto last = static_cast<std::ptrdiff_t>(height) - 1;
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(y) - view.down;
  if (row >= 0 && row <= last) return static_cast<std::size_t>(row);
  if (view.padding == ShiftPadding::kZero) return std::nullopt;
  return static_cast<std::size_t>(row < 0 ? -row : 2 * last - row);
}

}  // namespace

void apply_view(const View& view, const ImageSize& image, const Normalizer& normalizer,
                const SampleStore& samples, std::size_t i, std::span<float> x) {
  const auto [channels, height, width] = image;
  require(x.size() == channels * height * width, "apply_view: x is not as large as the image");
  const auto [kept, edge] = stretches(width, view.right, view.mirrored);
  const auto show = [&](const Stretch& stretch, std::size_t source, std::span<float> row) {
    const auto shown = row.subspan(stretch.to, stretch.length);
    normalizer.apply(samples, i, source + stretch.from, shown);
    if (stretch.backwards) std::reverse(shown.begin(), shown.end());
  };
  for (std::size_t line = 0; line < channels * height; ++line) {
    const std::size_t y = line % height;
    const auto row = x.subspan(line * width, width);
    const auto source = source_row(view, height, y);
    if (!source) {
      std::ranges::fill(row, 0.0F);
      continue;
    }
    const std::size_t first = (line - y + *source) * width;
    show(kept, first, row);
    if (view.padding == ShiftPadding::kReflect)
      show(edge, first, row);
    else
      std::ranges::fill(row.subspan(edge.to, edge.length), 0.0F);
    if (y >= view.hole_rows.begin && y < view.hole_rows.end)
      std::ranges::fill(row.subspan(view.hole_columns.begin, view.hole_columns.size()), 0.0F);
  }
}

}  // namespace lockstep::data
