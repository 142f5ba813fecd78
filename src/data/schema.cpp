#include "data/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "data/csv_columns.h"

namespace lockstep::data {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// A list, or the one number that all of it is.
json shortened(const std::vector<double>& numbers) {
  const bool alike = !numbers.empty() && std::ranges::count(numbers, numbers.front()) ==
                                             static_cast<std::ptrdiff_t>(numbers.size());
  return alike ? json(numbers.front()) : json(numbers);
}

std::vector<double> numbers_of(const json& value, std::size_t count) {
  auto numbers =
      value.is_array() ? value.get<std::vector<double>>() : std::vector<double>(count, value.get<double>());
  if (numbers.size() != count || !std::ranges::all_of(numbers, [](double x) { return std::isfinite(x); }))
    throw ModelError(
        fmt::format("{} statistics of its features, expected {} finite numbers", numbers.size(), count));
  return numbers;
}

// A name as JSON: a text, or a list of bytes where it is no UTF-8.
json written(const std::string& name) {
  try {
    json(name).dump();
    return name;
  } catch (const json::type_error&) {
    return std::vector<std::uint8_t>(name.begin(), name.end());
  }
}
json written(const std::vector<std::string>& names) {
  json list = json::array();
  for (const std::string& name : names) list.push_back(written(name));
  return list;
}

std::string name_of(const json& value) {
  if (!value.is_array()) return value.get<std::string>();
  const auto bytes = value.get<std::vector<std::uint8_t>>();
  return {bytes.begin(), bytes.end()};
}

std::vector<std::string> names_of(const json& value, std::size_t count) {
  std::vector<std::string> names;
  for (const json& name : value) names.push_back(name_of(name));
  if (!names.empty() && names.size() != count)
    throw ModelError(fmt::format("{} names, expected {} or none", names.size(), count));
  return names;
}

Normalization normalization_named(const std::string& text) {
  for (const Normalization kind :
       {Normalization::kNone, Normalization::kScale, Normalization::kMean, Normalization::kMeanStd})
    if (text == name(kind)) return kind;
  throw ModelError(fmt::format("the normalisation \"{}\", expected one of {}", text,
                               fmt::join(kNormalizationNames, ", ")));
}

// " (a, b, c)", the first of many; "" without names.
std::string shown(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 10;
  if (names.empty()) return "";
  const auto end = names.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, names.size()));
  return fmt::format(" ({}{})", fmt::join(names.begin(), end, ", "), names.size() > kShown ? ", ..." : "");
}

// How the columns of CSV files become features.
ordered_json written(const CsvColumns& columns) {
  ordered_json features = json::array();
  for (const CsvColumn& column : columns.features) {
    ordered_json& feature = features.emplace_back(
        ordered_json{{"name", written(column.name)}, {"place", column.place}, {"means", column.means}});
    if (column.categorical) feature["categories"] = written(column.categories);
  }
  return {{"file", written(columns.file)},
          {"named", columns.named},
          {"width", columns.width},
          {"features", features},
          {"target",
           {{"name", written(columns.target.name)},
            {"place", columns.target.place},
            {"mean", columns.target_mean},
            {"deviation", columns.target_stddev},
            {"scaled", columns.target_scaled}}}};
}

std::shared_ptr<const CsvColumns> columns_of(const json& object, const DatasetInfo& info) {
  CsvColumns columns;
  columns.file = name_of(object.at("file"));
  object.at("named").get_to(columns.named);
  object.at("width").get_to(columns.width);
  columns.classes = info.class_names;
  for (const json& feature : object.at("features")) {
    CsvColumn& column = columns.features.emplace_back();
    column.name = name_of(feature.at("name"));
    feature.at("place").get_to(column.place);
    column.categorical = feature.contains("categories");
    if (column.categorical)
      for (const json& category : feature.at("categories")) column.categories.push_back(name_of(category));
    column.means = numbers_of(feature.at("means"), column.features());
    if (std::adjacent_find(column.categories.begin(), column.categories.end(), std::greater_equal()) !=
        column.categories.end())
      throw ModelError(fmt::format("categories of {} out of order", column.name));
  }
  const json& target = object.at("target");
  columns.target.name = name_of(target.at("name"));
  target.at("place").get_to(columns.target.place);
  columns.target_mean = numbers_of(target.at("mean"), 1).front();
  columns.target_stddev = numbers_of(target.at("deviation"), 1).front();
  columns.target_scaled = target.value("scaled", columns.target_mean != 0.0 || columns.target_stddev != 1.0);
  const auto beyond = [&](const CsvColumn& column) { return column.place >= columns.width; };
  if (columns.feature_count() != info.features() || columns.target_stddev <= 0.0 || beyond(columns.target) ||
      std::ranges::any_of(columns.features, beyond))
    throw ModelError(fmt::format("columns of {} features, expected {} of {} columns", columns.feature_count(),
                                 info.features(), columns.width));
  return std::make_shared<const CsvColumns>(std::move(columns));
}

ImageSize image_of(const json& object, std::size_t features) {
  const auto [channels, height, width] = object.get<std::array<std::size_t, 3>>();
  if (channels == 0 || height == 0 || width == 0 || features / channels / height != width ||
      channels * height * width != features)
    throw ModelError(
        fmt::format("images of {} x {} x {}, expected {} features", channels, height, width, features));
  return {channels, height, width};
}

}  // namespace

std::string Schema::to_json() const {
  const Normalizer::Statistics statistics = normalizer.statistics();
  ordered_json object = {{"dataset", written(info.name)},
                         {"pixels", info.pixels},
                         {"channels", info.channels},
                         {"channel_size", info.channel_size},
                         {"channel_names", written(info.channel_names)},
                         {"classes", info.classes},
                         {"class_names", written(info.class_names)},
                         {"normalize",
                          {{"kind", name(normalizer.kind())},
                           {"shift", shortened(statistics.shift)},
                           {"scale", shortened(statistics.scale)}}},
                         {"fingerprint", {{"train", fingerprint.train}, {"test", fingerprint.test}}}};
  if (info.image) object["image"] = {info.image->channels, info.image->height, info.image->width};
  if (info.csv) object["csv"] = written(*info.csv);
  return object.dump();
}

Schema Schema::parse(const std::string& text, const std::string& name) {
  try {
    const json object = json::parse(text);
    DatasetInfo info;
    info.name = name_of(object.at("dataset"));
    object.at("pixels").get_to(info.pixels);
    object.at("channels").get_to(info.channels);
    object.at("channel_size").get_to(info.channel_size);
    object.at("classes").get_to(info.classes);
    constexpr std::size_t kMax = std::size_t{1} << 32;  // features
    if (info.channels > kMax || info.channel_size > kMax || info.features() > kMax)
      throw ModelError(fmt::format("{} channels of {}", info.channels, info.channel_size));
    info.channel_names = names_of(object.at("channel_names"), info.channels);
    info.class_names = names_of(object.at("class_names"), info.classes);
    if (object.contains("image")) info.image = image_of(object.at("image"), info.features());
    if (object.contains("csv")) {
      info.csv = columns_of(object.at("csv"), info);
      info.target_mean = info.csv->target_mean;
      info.target_stddev = info.csv->target_stddev;
    }
    const json& normalize = object.at("normalize");
    const Normalization kind = normalization_named(normalize.at("kind").get<std::string>());
    const Normalizer::Statistics statistics{.shift = numbers_of(normalize.at("shift"), info.features()),
                                            .scale = numbers_of(normalize.at("scale"), info.features())};
    const json& fingerprint = object.at("fingerprint");
    return {info,
            Normalizer(kind, info.pixels, statistics),
            {fingerprint.at("train").get<std::string>(), fingerprint.at("test").get<std::string>()}};
  } catch (const std::exception& error) {
    throw ModelError(
        fmt::format("{}: what it says of its training data is not readable: {}", name, error.what()));
  }
}

std::string Schema::description() const {
  const std::string inputs =
      info.pixels ? fmt::format("{} channels of {} pixels", info.channels, info.channel_size)
                  : fmt::format("{} feature{}", info.features(), info.features() == 1 ? "" : "s");
  const std::string targets =
      info.classes == 0 ? "targets are values" : fmt::format("{} classes", info.classes);
  return fmt::format("{}: {}{}, {}{}, data.normalize = {}", info.name, inputs, shown(info.channel_names),
                     targets, shown(info.class_names), name(normalizer.kind()));
}

}  // namespace lockstep::data
