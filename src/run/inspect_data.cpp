#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "npz/array_rows.h"
#include "run/inspect.h"
#include "run/statistics.h"

namespace lockstep::run {
namespace {

// What is counted of a split, a block of samples at a time.
struct Counts {
  std::vector<std::size_t> of_class;
  std::vector<Statistics> of_channel;
  Statistics of_values;  // targets that are not classes

  Counts(const data::Dataset& dataset, data::Split split) {
    const data::DatasetInfo info = dataset.info();
    of_class.resize(info.classes);
    of_channel.resize(info.channels);
    constexpr std::size_t kBlock = 10000;
    for (std::size_t begin = 0; begin < info.samples(split); begin += kBlock) {
      std::vector<std::uint32_t> samples(std::min(kBlock, info.samples(split) - begin));
      std::iota(samples.begin(), samples.end(), static_cast<std::uint32_t>(begin));
      add(info, dataset.load(split, samples));
    }
  }

 private:
  void add(const data::DatasetInfo& info, const data::SampleStore& store) {
    for (const float target : store.targets) {
      if (info.classes == 0)
        of_values.add(target);
      else
        ++of_class[static_cast<std::size_t>(target)];
    }
    for (std::size_t c = 0; c < info.channels; ++c) {
      std::array<std::size_t, 256> times{};
      for (std::size_t i = 0; i < store.size(); ++i) {
        if (info.pixels)
          for (const std::uint8_t x : store.pixel_row(i).subspan(c * info.channel_size, info.channel_size))
            ++times[x];
        else
          for (const double x : store.value_row(i).subspan(c * info.channel_size, info.channel_size))
            of_channel[c].add(x);
      }
      for (std::size_t x = 0; x < times.size(); ++x) of_channel[c].add(static_cast<double>(x), times[x]);
    }
  }
};

// The names, or numbers from `first` on where there are none.
std::vector<std::string> named(const std::vector<std::string>& names, std::size_t count, std::size_t first) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back(names.empty() ? std::to_string(first + i) : one_line(names[i]));
  return all;
}

std::size_t widest_of(const std::vector<std::string>& names, const char* header) {
  std::size_t width = std::string(header).size();
  for (const std::string& name : names) width = std::max(width, name.size());
  return width;
}

}  // namespace

Lines describe_columns(const data::DatasetInfo& info) {
  if (info.columns.empty()) return {};
  std::vector<std::string> names;
  for (const data::ColumnUse& column : info.columns) names.push_back(one_line(column.name));
  const std::size_t width = widest_of(names, "column");
  Lines lines = {fmt::format("{:<{}}{:>10}  used as", "column", width, "missing")};
  for (std::size_t c = 0; c < names.size(); ++c)
    lines.push_back(fmt::format("{:<{}}{:>10}  {}", names[c], width, info.columns[c].missing,
                                one_line(info.columns[c].use)));
  return lines;
}

std::string describe_data(const data::DatasetInfo& info) {
  return fmt::format("{} training and {} test samples of {} feature{}, {}", info.train_samples,
                     info.test_samples, info.features(), info.features() == 1 ? "" : "s",
                     info.classes == 0 ? "targets are values" : fmt::format("{} classes", info.classes));
}

Lines inspect_data(const std::filesystem::path& path, const std::string& kind, const data::Dataset& dataset) {
  const data::DatasetInfo info = dataset.info();
  const Counts train(dataset, data::Split::kTrain), test(dataset, data::Split::kTest);
  Lines lines = {fmt::format("{}: {}, {}", path.string(), kind, describe_data(info))};
  for (const std::string& line : describe_columns(info)) lines.push_back(line);
  const auto classes = named(info.class_names, info.classes, 0);
  if (!classes.empty()) {
    const std::size_t width = widest_of(classes, "class");
    lines.push_back(fmt::format("{:<{}}{:>10}{:>10}", "class", width, "training", "test"));
    for (std::size_t c = 0; c < classes.size(); ++c)
      lines.push_back(
          fmt::format("{:<{}}{:>10}{:>10}", classes[c], width, train.of_class[c], test.of_class[c]));
  }
  constexpr std::size_t kMaxUnnamed = 20;
  const bool many = !info.csv && info.channel_names.empty() && info.channels > kMaxUnnamed;
  auto channels = named(info.channel_names, many ? kMaxUnnamed : info.channels, 1);
  const std::size_t shown = channels.size();
  if (classes.empty()) channels.emplace_back("target");
  const std::size_t width = widest_of(channels, "feature");
  lines.push_back(fmt::format("{:<{}}{}", "feature", width, Statistics::header()));
  for (std::size_t c = 0; c < channels.size(); ++c)
    lines.push_back(fmt::format("{:<{}}{}", channels[c], width,
                                (c < shown ? train.of_channel[c] : train.of_values).columns()));
  if (many) lines.push_back(fmt::format("and {} more features", info.channels - kMaxUnnamed));
  return lines;
}

std::unique_ptr<data::Dataset> open_samples(const std::filesystem::path& path, const char* dataset) {
  data::DataOptions options;
  options.dataset = dataset;
  options.file = path;
  options.missing = data::Missing::kMean;  // which are counted
  try {
    return data::open_dataset(options);
  } catch (const DataError& no_classes) {
    options.task = data::Task::kRegression;
    try {
      return data::open_dataset(options);
    } catch (const DataError& no_values) {
      if (std::strcmp(no_classes.what(), no_values.what()) == 0) throw;
      throw DataError(
          fmt::format("{}; and with data.task = \"regression\": {}", no_classes.what(), no_values.what()));
    }
  }
}

Lines inspect_arrays(const std::filesystem::path& path) {
  const npz::ArrayRows arrays(path);
  std::vector<std::string> names;
  for (const npz::ArrayInfo& array : arrays.arrays()) names.push_back(one_line(array.name));
  const std::size_t width = widest_of(names, "array");
  Lines table = {fmt::format("{:<{}}{:>8}  shape", "array", width, "type")};
  for (std::size_t i = 0; i < names.size(); ++i)
    table.push_back(fmt::format("{:<{}}{:>8}  {}", names[i], width, one_line(arrays.arrays()[i].type.descr),
                                npz::shape_text(arrays.arrays()[i].type.shape)));
  Lines lines;
  try {
    lines = inspect_data(path, "arrays of NumPy", *open_samples(path, "numpy"));
  } catch (const ConfigError& unclear) {
    lines = {
        fmt::format("{}: {} arrays of NumPy; no samples: {}", path.string(), names.size(), unclear.what())};
  }
  lines.insert(lines.begin() + 1, table.begin(), table.end());
  return lines;
}

}  // namespace lockstep::run
