#include "kernels/window_terms.h"

#include <algorithm>

namespace lockstep::kernels {
namespace {

// runs, of which those from `first` on are of the same chunk, and one more, which may continue the last.
void append(const Run& run, std::size_t first, std::vector<Run>& runs) {
  if (runs.size() > first && runs.back().first + runs.back().count == run.first &&
      runs.back().source + runs.back().count == run.source)
    runs.back().count += run.count;
  else
    runs.push_back(run);
}

}  // namespace

WindowTerms::WindowTerms(const Windows& windows, std::size_t chunk)
    : chunks_((windows.cols + chunk - 1) / chunk), first_{0} {
  const std::vector<WindowRun> columns = window_runs(windows, chunk);
  WindowCursor window(Windows(windows.images, windows.grid));  // of the first image
  for (std::size_t w = 0; w < windows.per_image(); ++w, window.next()) {
    auto next = columns.begin();
    for (std::size_t c = 0; c < chunks_; ++c) {
      for (; next != columns.end() && next->first / chunk == c; ++next)
        if (const float* const from = window.find(*next))
          append({next->first % chunk, next->count, static_cast<std::size_t>(from - windows.images.data)},
                 first_.back(), runs_);
      first_.push_back(runs_.size());
    }
  }
}

TapTerms::TapTerms(const Windows& windows) {
  const std::size_t channels = windows.images.channels;
  for (const WindowRun& tap : window_runs(windows, windows.cols)) {
    std::vector<Run>& runs = of_image_.emplace_back();
    WindowCursor window(Windows(windows.images, windows.grid));  // of the first image
    for (std::size_t w = 0; w < windows.per_image(); ++w, window.next())
      if (const float* const from = window.find(tap))
        append({w, 1, static_cast<std::size_t>(from - windows.images.data) / channels}, 0, runs);
  }
}

void TapTerms::move_to(const Windows& chunk) {
  const std::size_t begin = chunk.first_row, end = begin + chunk.rows, windows = chunk.per_image(),
                    pixels = chunk.images.height * chunk.images.width;
  runs_.clear();
  first_.assign(1, 0);
  std::size_t first_pixel = static_cast<std::size_t>(-1), end_pixel = 0;
  for (const std::vector<Run>& tap : of_image_) {
    for (std::size_t image = begin / windows; image * windows < end; ++image)
      for (const Run& run : tap) {
        const std::size_t first = image * windows + run.first, from = std::max(first, begin),
                          to = std::min(first + run.count, end);
        if (from >= to) continue;
        const std::size_t source = image * pixels + run.source + (from - first);
        runs_.push_back({from - begin, to - from, source});
        first_pixel = std::min(first_pixel, source);
        end_pixel = std::max(end_pixel, source + (to - from));
      }
    first_.push_back(runs_.size());
  }
  first_pixel_ = runs_.empty() ? 0 : first_pixel;
  pixels_ = end_pixel - first_pixel_;
  for (Run& run : runs_) run.source -= first_pixel_;
}

}  // namespace lockstep::kernels
