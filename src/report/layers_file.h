// layers.csv: what each layer of a network does at the end of each epoch, a row for each.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "report/run_files.h"

namespace lockstep::report {

// Of numbers: NaN where there are none.
struct Distribution {
  static constexpr std::array kQuantiles = {0.05, 0.25, 0.5, 0.75, 0.95};
  double mean = std::nan(""), stddev = std::nan("");
  std::array<double, kQuantiles.size()> quantiles = {std::nan(""), std::nan(""), std::nan(""), std::nan(""),
                                                     std::nan("")};
};

struct LayerRow {
  std::size_t layer = 0;         // from 1 on, as lockstep inspect shows them
  std::string description;       // "Dense 2 -> 8"
  Distribution outputs;          // over the samples and the layer's units
  double dead = std::nan("");    // the share of units that give the same for all samples
  Distribution gradients;        // of the mean loss by the outputs, where a layer before learns
  double update = std::nan("");  // norm of the epoch's last update over that of the parameters
};

class LayersFile {
 public:
  // Keeps the rows of the file's epochs up to `epochs`.
  explicit LayersFile(const std::filesystem::path& path, std::size_t epochs = 0);
  void write(std::size_t epoch, std::span<const LayerRow> rows);

 private:
  RowsFile file_;
};

}  // namespace lockstep::report
