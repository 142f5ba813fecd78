#include "report/layers_file.h"

#include <fmt/format.h>

#include "report/csv_cell.h"

namespace lockstep::report {
namespace {

std::string header() {
  std::string columns = "epoch,layer,description";
  const auto add = [&](const char* of) {
    columns += fmt::format(",{0}_mean,{0}_std", of);
    for (const double quantile : Distribution::kQuantiles)
      columns += fmt::format(",{}_p{:02.0f}", of, 100.0 * quantile);
  };
  add("output");
  columns += ",dead";
  add("gradient");
  return columns + ",update";
}

std::string cells(const Distribution& distribution) {
  std::string text = fmt::format(",{:.6g},{:.6g}", distribution.mean, distribution.stddev);
  for (const double quantile : distribution.quantiles) text += fmt::format(",{:.6g}", quantile);
  return text;
}

}  // namespace

LayersFile::LayersFile(const std::filesystem::path& path, std::size_t epochs)
    : file_(path, header(), rows_up_to(path, epochs)) {}

void LayersFile::write(std::size_t epoch, std::span<const LayerRow> rows) {
  for (const LayerRow& row : rows)
    file_.add(fmt::format("{},{},{}{},{:.6g}{},{:.6g}\n", epoch, row.layer, csv_cell(row.description),
                          cells(row.outputs), row.dead, cells(row.gradients), row.update));
  file_.flush();
}

}  // namespace lockstep::report
