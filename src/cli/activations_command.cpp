// lockstep activations: every activation and its slope, as the network computes them, as a table for a
// picture.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "cli/commands.h"
#include "kernels/activation.h"

namespace lockstep::cli {
namespace {

// Prints "x,sigmoid,sigmoid_slope,..." and a row for each of 401 points on -4..4.
void print_activations(run::Job& job) {
  constexpr std::size_t kPoints = 401;
  constexpr double kHalfWidth = 4.0;
  std::vector<float> x(kPoints);
  for (std::size_t i = 0; i < kPoints; ++i)
    x[i] = static_cast<float>(kHalfWidth * (2.0 * static_cast<double>(i) / (kPoints - 1) - 1.0));
  std::string header = "x";
  std::vector<std::vector<float>> columns;
  for (const kernels::Activation activation : kernels::kActivations) {
    header += fmt::format(",{0},{0}_slope", kernels::name(activation));
    std::vector<float>& y = columns.emplace_back(x);
    kernels::activate(activation, y, /*threads=*/1);
    std::vector<float> slope(kPoints, 1.0F);
    kernels::activate_backward(activation, kernels::slope_from_input(activation) ? x : y, slope,
                               /*threads=*/1);
    columns.push_back(std::move(slope));
  }
  job.console.line(header);
  for (std::size_t i = 0; i < kPoints; ++i) {
    std::string row = fmt::format("{:.6g}", x[i]);
    for (const auto& column : columns) row += fmt::format(",{:.6g}", column[i]);
    job.console.line(row);
  }
}

}  // namespace

Run activations_command(Options&) {
  return [](run::Job& job) {
    print_activations(job);
    return 0;
  };
}

}  // namespace lockstep::cli
