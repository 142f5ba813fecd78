#include "run/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "data/function_table.h"
#include "report/csv_cell.h"

namespace lockstep::run {
namespace {

data::SampleStore load_all(const data::Dataset& dataset, data::Split split) {
  std::vector<std::uint32_t> samples(dataset.info().samples(split));
  std::iota(samples.begin(), samples.end(), 0U);
  return dataset.load(split, samples);
}

struct Interval {
  double low = 0.0, high = 0.0;
  double at(std::size_t i, std::size_t steps) const {
    return low + (high - low) * static_cast<double>(i) / static_cast<double>(steps - 1);
  }
};

// The range of feature j over all samples, with a margin on both sides, as a part of it.
Interval range_of(const data::Dataset& dataset, std::size_t j, double margin) {
  Interval range{INFINITY, -INFINITY};
  for (const data::Split split : {data::Split::kTrain, data::Split::kTest}) {
    const data::SampleStore store = load_all(dataset, split);
    for (std::size_t i = 0; i < store.size(); ++i) {
      range.low = std::min(range.low, store.value_row(i)[j]);
      range.high = std::max(range.high, store.value_row(i)[j]);
    }
  }
  const double room = margin * (range.high - range.low);
  return {range.low - room, range.high + room};
}

// Appends the probability of each class.
void add_probabilities(std::string& table, kernels::Loss loss, std::span<const float> outputs,
                       std::span<double> room) {
  kernels::class_probabilities(loss, outputs, room);
  for (const double p : room) table += fmt::format(",{:.6g}", p);
}

// A target or output in the file's units. Standardised ones have float32's digits of the deviation.
std::string value_text(const data::DatasetInfo& info, double x) {
  if (info.target_mean == 0.0 && info.target_stddev == 1.0) return fmt::format("{:.9g}", x);
  const double value = x * info.target_stddev + info.target_mean;
  const double units = std::max(1.0, std::fabs(value) / info.target_stddev);
  return fmt::format("{:.{}g}", value, std::min(17, 7 + static_cast<int>(std::log10(units))));
}

std::string plane_table(const data::Dataset& dataset, const train::Evaluator::Network& network, int threads) {
  constexpr std::size_t kSide = 200;
  const data::DatasetInfo info = dataset.info();
  train::Evaluator points(plane_points(dataset, kSide));
  const auto begin = [&](std::span<const double> point, std::size_t predicted) {
    return fmt::format("{:.6g},{:.6g},{}", point[0], point[1], report::csv_cell(info.class_name(predicted)));
  };
  return "x0,x1,predicted" + probability_columns(info) + '\n' +
         plane_rows(info, points, network, threads, begin);
}

std::string line_table(const data::Dataset& dataset, const train::Evaluator::Network& network, int threads) {
  constexpr std::size_t kPoints = 1001;
  const Interval range = range_of(dataset, 0, 0.0);
  data::SampleStore points = data::SampleStore::of_values(kPoints, 1);
  for (std::size_t i = 0; i < kPoints; ++i) points.values[i] = range.at(i, kPoints);
  train::Evaluator evaluator(std::move(points));
  const std::vector<float> outputs = evaluator.outputs(network, threads);

  const data::DatasetInfo info = dataset.info();
  const std::optional<data::Function> function = info.function;
  std::string table = function ? "x0,output,target\n" : "x0,output\n";
  for (std::size_t i = 0; i < kPoints; ++i) {
    const double x = evaluator.samples().values[i];
    table += fmt::format("{:.6g},{}", x, value_text(info, outputs[i]));
    table += function ? fmt::format(",{:.9g}\n", data::function_value(*function, x)) : "\n";
  }
  return table;
}

// A sample's class by its name, or its value.
std::string target_text(const data::DatasetInfo& info, float target) {
  return info.classes > 0 ? report::csv_cell(info.class_name(static_cast<std::size_t>(target)))
                          : value_text(info, target);
}

}  // namespace

data::SampleStore plane_points(const data::Dataset& dataset, std::size_t side) {
  const Interval across = range_of(dataset, 0, 0.1), up = range_of(dataset, 1, 0.1);
  data::SampleStore points = data::SampleStore::of_values(side * side, 2);
  for (std::size_t i = 0; i < points.size(); ++i) {
    points.value_row(i)[0] = across.at(i % side, side);
    points.value_row(i)[1] = up.at(i / side, side);
  }
  return points;
}

std::string probability_columns(const data::DatasetInfo& info) {
  std::string columns;
  for (std::size_t c = 0; c < info.classes; ++c) columns += "," + report::csv_cell("p_" + info.class_name(c));
  return columns;
}

std::string plane_rows(
    const data::DatasetInfo& info, train::Evaluator& points, const train::Evaluator::Network& network,
    int threads,
    const std::function<std::string(std::span<const double> point, std::size_t predicted)>& begin) {
  const std::vector<float> outputs = points.outputs(network, threads);
  const std::size_t width = network.model.outputs();
  std::string table;
  std::vector<double> probabilities(info.classes);
  for (std::size_t i = 0; i < points.samples().size(); ++i) {
    const auto row = std::span(outputs).subspan(i * width, width);
    table += begin(points.samples().value_row(i), kernels::predicted_class(network.loss, row));
    add_probabilities(table, network.loss, row, probabilities);
    table += '\n';
  }
  return table;
}

std::string grid_table(const data::Dataset& dataset, const train::Evaluator::Network& network, int threads) {
  const data::DatasetInfo info = dataset.info();
  if (!info.pixels && info.features() == 2 && info.classes > 0) return plane_table(dataset, network, threads);
  if (!info.pixels && info.features() == 1 && info.classes == 0) return line_table(dataset, network, threads);
  throw ConfigError(fmt::format(
      "--grid: the network has {} input{} and {}, expected 2 inputs and classes, or 1 input and a value",
      info.features(), info.features() == 1 ? "" : "s", info.classes > 0 ? "classes" : "a value"));
}

std::string points_table(const data::Dataset& dataset) {
  const data::DatasetInfo info = dataset.info();
  std::string table;
  for (std::size_t j = 0; j < info.features(); ++j) table += fmt::format("x{},", j);
  table += info.classes > 0 ? "class,split\n" : "target,split\n";
  for (const data::Split split : {data::Split::kTrain, data::Split::kTest}) {
    const data::SampleStore store = load_all(dataset, split);
    for (std::size_t i = 0; i < store.size(); ++i) {
      for (const double x : store.value_row(i)) table += fmt::format("{:.6g},", x);
      table += fmt::format("{},{}\n", target_text(info, store.targets[i]),
                           split == data::Split::kTrain ? "train" : "test");
    }
  }
  return table;
}

std::string confusion_table(const data::DatasetInfo& info, std::span<const std::int64_t> counts) {
  std::string table = "actual";
  for (std::size_t c = 0; c < info.classes; ++c)
    table += fmt::format(",{}", report::csv_cell(info.class_name(c)));
  table += '\n';
  for (std::size_t actual = 0; actual < info.classes; ++actual) {
    table += report::csv_cell(info.class_name(actual));
    for (const std::int64_t count : counts.subspan(actual * info.classes, info.classes))
      table += fmt::format(",{}", count);
    table += '\n';
  }
  return table;
}

std::string prediction_header(const data::DatasetInfo& info, const nn::Model& model, bool labelled) {
  std::string header = labelled ? "row,actual,predicted" : "row,predicted";
  if (info.classes > 0) {
    header += probability_columns(info);
    for (std::size_t k = 0; k < model.outputs(); ++k) header += fmt::format(",o{}", k);
  }
  return header + '\n';
}

std::string prediction_rows(const data::DatasetInfo& info, const Predicted& samples,
                            train::Evaluator& evaluator, const train::Evaluator::Network& network,
                            int threads) {
  const std::size_t width = network.model.outputs();
  const std::vector<float> outputs = evaluator.outputs(network, threads);
  std::vector<double> probabilities(info.classes);
  std::string rows;
  for (std::size_t i = 0; i < evaluator.samples().size(); ++i) {
    const auto row = std::span(outputs).subspan(i * width, width);
    rows += std::to_string(samples.file_rows[i]);
    if (samples.labelled) rows += "," + target_text(info, evaluator.samples().targets[i]);
    if (info.classes == 0) {
      rows += "," + value_text(info, row[0]) + '\n';
      continue;
    }
    const std::size_t predicted = kernels::predicted_class(network.loss, row);
    rows += "," + report::csv_cell(info.class_name(predicted));
    add_probabilities(rows, network.loss, row, probabilities);
    for (const float output : row) rows += fmt::format(",{:.9g}", output);
    rows += '\n';
  }
  return rows;
}

std::string class_line(const data::DatasetInfo& info, std::span<const std::int64_t> counts,
                       std::size_t label) {
  const auto row = counts.subspan(label * info.classes, info.classes);
  const std::int64_t all = std::accumulate(row.begin(), row.end(), std::int64_t{0});
  if (all == 0) return fmt::format("{:<12} no samples", info.class_name(label));
  return fmt::format("{:<12} {:6.2f}% of {}", info.class_name(label),
                     100.0 * static_cast<double>(row[label]) / static_cast<double>(all), all);
}

std::optional<Tiles> weight_tiles(const data::DatasetInfo& info, const nn::Model& model,
                                  std::span<const float> arena) {
  const nn::Tensor& weight = model.tensors().front();
  const auto& image = info.image;
  const bool square =
      image && image->height == image->width && (image->channels == 1 || image->channels == 3);
  const bool filters = square && weight.shape.size() == 4 && weight.shape[1] == image->channels;
  if (!filters && !(square && weight.cols() == info.features())) return std::nullopt;
  const std::size_t side = filters ? weight.shape[2] : image->height, channel = side * side;
  Tiles tiles(weight.rows(), side, side);
  const std::vector<float> weights = nn::to_file_order(weight, weight.slice(arena));  // channel by channel
  for (std::size_t unit = 0; unit < weight.rows(); ++unit) {
    const auto w = std::span(weights).subspan(unit * weight.cols(), weight.cols());
    float largest = 0.0F;
    for (const float x : w) largest = std::max(largest, std::fabs(x));
    const auto level = [&](std::size_t colour, std::size_t i) {
      const float value = w[(image->channels == 1 ? 0 : colour) * channel + i];
      return static_cast<std::uint8_t>(
          std::lround(largest > 0.0F ? 127.5F + 127.5F * value / largest : 127.5F));
    };
    for (std::size_t i = 0; i < channel; ++i)
      tiles.paint(unit, i / side, i % side, {level(0, i), level(1, i), level(2, i)});
  }
  return tiles;
}

std::string weight_images(const data::DatasetInfo& info, const nn::Model& model,
                          std::span<const float> arena) {
  if (const auto tiles = weight_tiles(info, model, arena)) return tiles->ppm();
  const nn::Tensor& weight = model.tensors().front();
  throw ConfigError(
      fmt::format("--weights: the first layer's weights are {} x {}, expected those of square images with 1 "
                  "or 3 channels",
                  weight.rows(), weight.cols()));
}

Tiles confusion_tiles(std::size_t classes, std::span<const std::int64_t> counts) {
  constexpr std::size_t kSide = 320;  // of the image, about
  const std::size_t side = std::max<std::size_t>(1, kSide / classes);
  Tiles image(1, side * classes, side * classes);
  for (std::size_t actual = 0; actual < classes; ++actual) {
    const auto row = counts.subspan(actual * classes, classes);
    const std::int64_t all = std::accumulate(row.begin(), row.end(), std::int64_t{0});
    for (std::size_t taken = 0; taken < classes; ++taken) {
      const double part = all > 0 ? static_cast<double>(row[taken]) / static_cast<double>(all) : 0.0;
      const auto grey = static_cast<std::uint8_t>(std::lround(255.0 * (1.0 - part)));
      for (std::size_t i = 0; i < side * side; ++i)
        image.paint(0, actual * side + i / side, taken * side + i % side, {grey, grey, grey});
    }
  }
  return image;
}

}  // namespace lockstep::run
