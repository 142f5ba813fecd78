#include "data/numpy_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "data/csv_table.h"

namespace lockstep::data {
namespace {

// Names that pairs of features and targets usually have, to train on and to test on.
struct UsualNames {
  const char *features, *target, *test_features, *test_target;
};
constexpr UsualNames kUsual[] = {{"x_train", "y_train", "x_test", "y_test"},
                                 {"X_train", "y_train", "X_test", "y_test"},
                                 {"train_images", "train_labels", "test_images", "test_labels"},
                                 {"x", "y", "x_test", "y_test"},
                                 {"X", "y", "X_test", "y_test"},
                                 {"images", "labels", "test_images", "test_labels"},
                                 {"data", "target", "test_data", "test_target"},
                                 {"arr_0", "arr_1", "arr_2", "arr_3"}};

struct Pair {
  std::size_t features, target;
};

std::optional<Pair> find_pair(const npz::ArrayRows& arrays, const std::string& features,
                              const std::string& target) {
  const Pair pair{arrays.index_of(features), arrays.index_of(target)};
  if (pair.features == arrays.arrays().size() || pair.target == arrays.arrays().size()) return std::nullopt;
  return pair;
}

// The arrays that two keys name; nothing where neither is set.
std::optional<Pair> named_pair(const npz::ArrayRows& arrays, const char* features_key,
                               const std::string& features, const char* target_key,
                               const std::string& target) {
  if (features.empty() && target.empty()) return std::nullopt;
  for (const auto& [key, name] : {std::pair(features_key, features), std::pair(target_key, target)})
    if (arrays.index_of(name) == arrays.arrays().size())
      throw ConfigError(fmt::format(R"({} is "{}", expected one of the arrays of {}: {})", key, name,
                                    arrays.path().string(), arrays.list()));
  return find_pair(arrays, features, target);
}

std::vector<std::uint32_t> all_rows(std::size_t n) {
  std::vector<std::uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

// An array's rows as doubles.
std::vector<double> row_values(npz::ArrayRows& arrays, std::size_t index,
                               std::span<const std::uint32_t> rows) {
  npz::ArrayType type = arrays.arrays()[index].type;
  type.shape[0] = rows.size();
  type.fortran_order = false;  // as rows() gives them
  return npz::values_of(type, arrays.rows(index, rows));
}

// What a rank would read of a class's name.
std::string class_text(double value) { return fmt::format("{:.0f}", value); }

}  // namespace

std::string NumpySet::Part::name(const npz::ArrayInfo& array) const {
  return fmt::format("{}: {}", arrays->path().string(), array.name);
}

void NumpySet::find_parts(const DataOptions& options) {
  if (options.file.empty())
    throw ConfigError(
        "data.file is not set, expected an .npz file or a folder of .npy files with data.dataset = "
        "\"numpy\"");
  train_.arrays = std::make_shared<npz::ArrayRows>(options.file);
  auto train = named_pair(*train_.arrays, "data.features", options.features, "data.target", options.target);
  auto test_arrays = train_.arrays;
  if (!options.test_file.empty()) test_arrays = std::make_shared<npz::ArrayRows>(options.test_file);
  auto test = named_pair(*test_arrays, "data.test_features", options.test_features, "data.test_target",
                         options.test_target);
  for (const UsualNames& usual : kUsual) {
    if (!train) train = find_pair(*train_.arrays, usual.features, usual.target);
    if (!test) test = find_pair(*test_arrays, usual.test_features, usual.test_target);
    if (!test && !options.test_file.empty()) test = find_pair(*test_arrays, usual.features, usual.target);
  }
  if (!train)
    throw ConfigError(fmt::format(
        "{}: has no arrays with usual names (x_train and y_train, X and y, ...), expected data.features and "
        "data.target to name two of {}",
        options.file.string(), train_.arrays->list()));
  if (!test && !options.test_file.empty())
    throw ConfigError(
        fmt::format("{}: has no arrays with usual names, expected data.test_features and "
                    "data.test_target to name two of {}",
                    options.test_file.string(), test_arrays->list()));
  if (test && options.test_fraction > 0.0)
    throw ConfigError(fmt::format(
        "data.test_fraction is {}, and {} is there to test on, expected one of them at most",
        options.test_fraction,
        fmt::format("{} of {}", test_arrays->arrays()[test->features].name, test_arrays->path().string())));
  train_.features = train->features;
  train_.target = train->target;
  if (test) {
    test_.arrays = test_arrays;
    test_.features = test->features;
    test_.target = test->target;
  }
}

NumpySet::Layout NumpySet::layout_of(const Part& part, const DataOptions& options) {
  const npz::ArrayInfo& array = part.feature_info();
  const std::vector<std::size_t>& shape = array.type.shape;
  const std::string shape_text = npz::shape_text(shape);
  if (array.type.kind() == 'U' || shape.empty() || shape.size() > 4 || array.type.count() == 0)
    throw DataError(
        fmt::format("{} has shape {} of {}, expected numbers: (samples, features), (samples, height, "
                    "width) or (samples, channels, height, width)",
                    part.name(array), shape_text, array.type.descr));
  Layout layout{.features = array.type.count() / shape[0]};
  const std::vector<std::size_t>& wanted = options.image;
  const auto refuse_image = [&] {
    throw ConfigError(fmt::format("data.image = [{}] and {} of shape {}, expected images of that size",
                                  fmt::join(wanted, ", "), part.name(array), shape_text));
  };
  if (shape.size() == 4) {
    constexpr std::size_t kMaxChannels = 4;
    const ImageSize first{shape[1], shape[2], shape[3]}, last{shape[3], shape[1], shape[2]};
    const auto is_wanted = [&](const ImageSize& size) {
      return wanted == std::vector<std::size_t>{size.channels, size.height, size.width};
    };
    const auto has_few = [&](const ImageSize& size) { return size.channels <= kMaxChannels; };
    if (wanted.empty() && has_few(first) == has_few(last))
      throw ConfigError(
          fmt::format("{} has shape {}, which may be channels first or last, expected data.image = "
                      "[channels, height, width]",
                      part.name(array), shape_text));
    const auto fits = [&](const ImageSize& size) { return wanted.empty() ? has_few(size) : is_wanted(size); };
    if (!fits(first) && !fits(last)) refuse_image();
    layout.channels_last = !fits(first);
    layout.image = layout.channels_last ? last : first;
  } else if (shape.size() == 3) {
    layout.image = ImageSize{1, shape[1], shape[2]};
    if (!wanted.empty() && wanted != std::vector<std::size_t>{1, shape[1], shape[2]}) refuse_image();
  } else if (!wanted.empty()) {
    layout.image = ImageSize{wanted[0], wanted[1], wanted[2]};
    if (wanted[0] * wanted[1] * wanted[2] != layout.features) refuse_image();
  }
  layout.pixels = layout.image && array.type.kind() == 'u' && array.type.item_size() == 1;
  return layout;
}

void NumpySet::read_targets(Part& part, const DataOptions& options) {
  const npz::ArrayInfo &array = part.target_info(), &features = part.feature_info();
  const std::vector<std::size_t>& shape = array.type.shape;
  const bool one_each = shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
  if (array.type.kind() == 'U' || !one_each)
    throw DataError(
        fmt::format("{} has shape {} of {}, expected a number for each sample: (samples,) or (samples, 1){}",
                    part.name(array), npz::shape_text(shape), array.type.descr,
                    shape.size() == 2 ? "; of one-hot rows numpy.argmax(y, axis=1) makes classes" : ""));
  if (shape[0] != features.type.shape[0])
    throw DataError(fmt::format("{} has {} targets, expected {} as {} has samples", part.name(array),
                                shape[0], features.type.shape[0], features.name));
  part.values = row_values(*part.arrays, part.target, all_rows(shape[0]));
  const bool classes = options.task == Task::kClassification;
  for (std::size_t i = 0; i < part.values.size(); ++i) {
    const double value = part.values[i];
    if (!std::isfinite(value) || (classes && (value != std::floor(value) || std::fabs(value) > 1e15)))
      throw DataError(fmt::format(
          "{}[{}] is {}, expected {}", part.name(array), i, value,
          classes ? "a class: a whole number (data.task = \"regression\" fits values)" : "a finite number"));
  }
}

void NumpySet::set_classes(const DataOptions& options, const DatasetInfo* trained) {
  if (options.task == Task::kRegression) {
    for (Part* part : {&train_, &test_}) part->targets.assign(part->values.begin(), part->values.end());
    return;
  }
  std::set<double> distinct;  // of the numbers
  if (trained != nullptr && trained->classes > 0) {
    for (std::size_t c = 0; c < trained->classes; ++c)
      distinct.insert(number_in(trained->class_name(c)).value_or(static_cast<double>(c)));
    info_.class_names = trained->class_names;
  } else {
    distinct.insert(train_.values.begin(), train_.values.end());
  }
  const std::vector<double> classes(distinct.begin(), distinct.end());
  info_.classes = classes.size();
  constexpr std::size_t kMaxClasses = 1000;
  if (classes.size() < 2 || classes.size() > kMaxClasses)
    throw DataError(fmt::format("{} has {} class{}, expected 2 to {}", train_.name(train_.target_info()),
                                classes.size(), classes.size() == 1 ? "" : "es", kMaxClasses));
  const bool as_numbered =
      classes.front() == 0.0 && classes.back() == static_cast<double>(classes.size() - 1);
  std::vector<std::string> names;
  for (const double value : classes) names.push_back(class_text(value));
  if (info_.class_names.empty() && !as_numbered) info_.class_names = names;
  const auto shown = [&] {
    constexpr std::size_t kShown = 10;
    return fmt::format("{}{}", fmt::join(std::span(names).first(std::min(kShown, names.size())), ", "),
                       names.size() > kShown ? ", ..." : "");
  };
  if (!as_numbered)
    info_.note = fmt::format("{}: labels {} are classes 0 to {}", train_.arrays->path().string(), shown(),
                             classes.size() - 1);
  for (Part* part : {&train_, &test_})
    for (std::size_t i = 0; i < part->values.size(); ++i) {
      const auto place = std::ranges::lower_bound(classes, part->values[i]);
      if (place == classes.end() || *place != part->values[i])
        throw DataError(fmt::format("{}[{}] is {}, expected one of the classes {}",
                                    part->name(part->target_info()), i, class_text(part->values[i]),
                                    shown()));
      part->targets.push_back(static_cast<float>(place - classes.begin()));
    }
}

NumpySet::NumpySet(const DataOptions& options, const DatasetInfo* trained) {
  find_parts(options);
  layout_ = layout_of(train_, options);
  read_targets(train_, options);
  if (test_.arrays) {
    const Layout test = layout_of(test_, options);
    const auto &wanted = train_.feature_info(), &found = test_.feature_info();
    if (test.features != layout_.features || test.pixels != layout_.pixels ||
        test.channels_last != layout_.channels_last || test.image.has_value() != layout_.image.has_value() ||
        !std::equal(found.type.shape.begin() + 1, found.type.shape.end(), wanted.type.shape.begin() + 1))
      throw DataError(fmt::format("{} has samples of shape {} of {}, expected them as in {} {} of {}",
                                  test_.name(found), npz::shape_text(found.type.shape), found.type.descr,
                                  wanted.name, npz::shape_text(wanted.type.shape), wanted.type.descr));
    read_targets(test_, options);
  }
  set_classes(options, trained);
  for (Part* part : {&train_, &test_}) part->values = {};
  info_.name = options.file.filename().string();
  info_.pixels = layout_.pixels;
  info_.image = layout_.image;
  info_.channels = layout_.pixels ? layout_.image->channels : layout_.features;
  info_.channel_size = layout_.features / info_.channels;
  info_.train_samples = train_.targets.size();
  info_.test_samples = test_.targets.size();
}

SampleStore NumpySet::load(Split split, std::span<const std::uint32_t> samples) const {
  const Part& from = part(split);
  const std::size_t width = layout_.features;
  SampleStore store = layout_.pixels ? SampleStore::of_pixels(samples.size(), width)
                                     : SampleStore::of_values(samples.size(), width);
  if (samples.empty()) return store;
  const std::size_t channels = layout_.channels_last ? layout_.image->channels : 1, size = width / channels;
  const auto arrange = [&](const auto& rows, auto& features) {  // channel by channel
    for (std::size_t i = 0; i < samples.size(); ++i)
      for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t p = 0; p < size; ++p)
          features[i * width + c * size + p] =
              static_cast<std::decay_t<decltype(features[0])>>(rows[i * width + p * channels + c]);
  };
  if (layout_.pixels) {
    arrange(from.arrays->rows(from.features, samples), store.pixels);
  } else {
    const std::vector<double> rows = row_values(*from.arrays, from.features, samples);
    for (std::size_t k = 0; k < rows.size(); ++k)
      if (!std::isfinite(rows[k]))
        throw DataError(fmt::format("{} has {} in sample {}, expected finite numbers",
                                    from.name(from.feature_info()), rows[k], samples[k / width]));
    arrange(rows, store.values);
  }
  for (std::size_t i = 0; i < samples.size(); ++i) store.targets[i] = from.targets[samples[i]];
  return store;
}

std::vector<FileHash> NumpySet::files() const {
  constexpr std::uint32_t kEvery = 500;  // samples that are hashed
  std::vector<FileHash> hashes;
  for (const Part* part : {&train_, &test_}) {
    if (!part->arrays) continue;
    std::vector<std::uint32_t> rows;
    for (std::uint32_t row = 0; row < part->targets.size(); row += kEvery) rows.push_back(row);
    const std::string features = part->arrays->rows(part->features, rows);
    hashes.push_back({part->arrays->path(), hash64(std::as_bytes(std::span(features)),
                                                   hash64(std::as_bytes(std::span(part->targets))))});
  }
  return hashes;
}

}  // namespace lockstep::data
