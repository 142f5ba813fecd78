#include "compare/student_arrays.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/nearest.h"

namespace lockstep::compare {
namespace {

using train::ArrayKind;
using train::StepArray;
using Shape = std::vector<std::size_t>;

// What a file of lockstep trace-step has beside the arrays.
constexpr const char* kBeside[] = {"README",  "sample_ids",  "micro_batches", "step",
                                   "classes", "target_unit", "config"};

Shape without_ones(const Shape& shape) {
  Shape result;
  std::ranges::copy_if(shape, std::back_inserter(result), [](std::size_t n) { return n != 1; });
  return result;
}

// Images as rows.
Shape flat(const Shape& shape) {
  return shape.size() == 4 ? Shape{shape[0], shape[1] * shape[2] * shape[3]} : shape;
}

bool fits(const Shape& found, const Shape& wanted) {
  const Shape plain = without_ones(found);
  return plain == without_ones(wanted) || plain == without_ones(flat(wanted));
}
bool fits_transposed(const Shape& found, const Shape& wanted) {
  const Shape two = flat(wanted);
  return found.size() == 2 && two.size() == 2 && found[0] == two[1] && found[1] == two[0];
}

// (rows, cols) from its transpose.
std::vector<double> transposed(const std::vector<double>& values, std::size_t rows, std::size_t cols) {
  std::vector<double> result(values.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < cols; ++j) result[i * cols + j] = values[j * rows + i];
  return result;
}

// Arrays whose files may lie the other way round, all alike.
enum class Group { kNone, kWeights, kSamples };
Group group_of(const StepArray& array) {
  switch (array.kind) {
    case ArrayKind::kParameter:
    case ArrayKind::kStateBefore:
    case ArrayKind::kParameterGradient:
    case ArrayKind::kState:
    case ArrayKind::kUpdated:
      return array.shape.size() == 2 ? Group::kWeights : Group::kNone;
    case ArrayKind::kInputs:
    case ArrayKind::kMask:
    case ArrayKind::kOutput:
    case ArrayKind::kProbabilities:
    case ArrayKind::kProbabilitiesGradient:
    case ArrayKind::kOutputGradient:
    case ArrayKind::kInputsGradient:
      return flat(array.shape).size() == 2 ? Group::kSamples : Group::kNone;
    default:
      return Group::kNone;
  }
}

struct Raw {
  Shape shape;
  std::vector<double> values;
};

class Reading {
 public:
  Reading(const std::string& path, npz::NpzFile& file, const train::StepLayout& layout,
          const train::StepStart& start)
      : path_(path), file_(file), layout_(layout), start_(start) {}

  StudentArrays take() {
    for (std::size_t i = 0; i < file_.arrays().size(); ++i)
      if (std::ranges::find(kBeside, file_.arrays()[i].name) == std::end(kBeside)) read(i);
    if (raw_.empty()) fail("has no array of the step, expected such as outputs.1 or layers.0.weight.grad");
    StudentArrays result;
    for (const Group group : {Group::kWeights, Group::kSamples}) {
      turned_[group] = is_turned(group);
      if (!turned_[group]) continue;
      result.conventions.emplace_back(
          group == Group::kWeights
              ? "weights are (inputs, outputs) in this file: they are compared transposed"
              : "samples are columns in this file: arrays are compared transposed");
    }
    for (auto& [place, raw] : raw_) result.arrays.push_back(shaped(place, raw));
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(fmt::format("{}: {}", path_, what));
  }

  std::size_t place_of(const std::string& name) const {
    const auto& arrays = layout_.arrays();
    std::vector<std::string> names;
    for (std::size_t place = 0; place < arrays.size(); ++place) {
      if (name == arrays[place].name || name == arrays[place].alias) return place;
      names.push_back(arrays[place].name);
      if (!arrays[place].alias.empty()) names.push_back(arrays[place].alias);
    }
    const auto same_letters = [&](const std::string& other) {
      return std::ranges::equal(
          name, other, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
    };
    const auto alike = std::ranges::find_if(names, same_letters);
    const auto meant = alike != names.end() ? std::optional(*alike) : nearest(name, names);
    fail(fmt::format(
        "{} is no array of this network's step{}", name,
        meant ? fmt::format(", did you mean {}?", *meant)
              : fmt::format(", expected such as {} (lockstep trace-step writes all)", names.back())));
  }

  void read(std::size_t index) {
    const npz::ArrayInfo& info = file_.arrays()[index];
    const std::size_t place = place_of(info.name);
    const StepArray& array = layout_.arrays()[place];
    if (const auto other = names_.find(place); other != names_.end())
      fail(fmt::format("has {} twice: as {} and as {}", array.name, other->second, info.name));
    names_[place] = info.name;
    const bool integers = info.type.kind() != 'f';
    if (integers && array.kind != ArrayKind::kTargets && !array.shape.empty())
      fail(fmt::format("{} holds elements of type {}, expected float32 or float64", info.name,
                       info.type.descr));
    const Shape& shape = info.type.shape;
    const bool one_hot = is_one_hot(array, shape);
    if (!one_hot && !fits(shape, array.shape) &&
        !(group_of(array) != Group::kNone && fits_transposed(shape, array.shape)))
      fail(fmt::format("{} has shape {}, expected {}", info.name, npz::shape_text(shape),
                       npz::shape_text(array.shape)));
    std::vector<double> values = file_.values(index);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i]))
        fail(fmt::format("{} has {} as its element {}, expected finite numbers", info.name, values[i], i));
    if (one_hot) values = classes_of(info.name, values, shape);
    raw_[place] = {one_hot ? array.shape : shape, std::move(values)};
  }

  // Classes as rows, or columns, of a one and zeros.
  bool is_one_hot(const StepArray& array, const Shape& shape) const {
    const Shape rows = {layout_.rows(), layout_.rules().model.outputs()};
    return array.kind == ArrayKind::kTargets && layout_.has_classes() && rows[1] > 1 &&
           (shape == rows || fits_transposed(shape, rows));
  }
  std::vector<double> classes_of(const std::string& name, std::vector<double> values,
                                 const Shape& shape) const {
    const std::size_t rows = layout_.rows(), classes = layout_.rules().model.outputs();
    if (shape[0] != rows) values = transposed(values, rows, classes);
    std::vector<double> result(rows, -1.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool one = values[i] == 1.0;
      double& found = result[i / classes];
      if ((!one && values[i] != 0.0) || (one && found >= 0.0) ||
          (!one && found < 0.0 && (i + 1) % classes == 0))
        fail(
            fmt::format("{} is not one-hot in row {}, expected a single 1 and zeros, or the classes' numbers",
                        name, i / classes));
      if (one) found = static_cast<double>(i % classes);
    }
    return result;
  }

  bool is_turned(Group group) const {
    bool straight = false, turned = false;
    for (const auto& [place, raw] : raw_) {
      const StepArray& array = layout_.arrays()[place];
      if (group_of(array) != group) continue;
      const bool as_it_is = fits(raw.shape, array.shape), other_way = fits_transposed(raw.shape, array.shape);
      straight = straight || (as_it_is && !other_way);
      turned = turned || (!as_it_is && other_way);
    }
    return turned != straight ? turned : !straight && numbers_are_turned(group);
  }

  // Where no shape tells.
  bool numbers_are_turned(Group group) const {
    const ArrayKind kind = group == Group::kWeights ? ArrayKind::kParameter : ArrayKind::kInputs;
    double straight = 0.0, turned = 0.0;
    for (const auto& [place, raw] : raw_) {
      const StepArray& array = layout_.arrays()[place];
      if (array.kind != kind || group_of(array) != group || !fits_transposed(raw.shape, array.shape))
        continue;
      const std::vector<double> expected =
          layout_.values(array, start_, train::unknown_arrays(layout_.rules()));
      const std::vector<double> other = transposed(raw.values, flat(array.shape)[0], flat(array.shape)[1]);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        straight += std::fabs(raw.values[i] - expected[i]);
        turned += std::fabs(other[i] - expected[i]);
      }
    }
    return turned < 1e-3 * straight;
  }

  StudentArray shaped(std::size_t place, Raw& raw) {
    const StepArray& array = layout_.arrays()[place];
    const std::string& name = names_.at(place);
    const npz::ArrayType& type = file_.arrays()[file_.index_of(name)].type;
    StudentArray result{.place = place, .name = name, .values = {}};
    const std::size_t size = type.kind() == 'f' ? type.item_size() : 8;
    result.digits = size == 2 ? 0x1p-11 : size == 4 ? 0x1p-24 : 0x1p-53;
    result.exact = size == 8;
    const Group group = group_of(array);
    const bool straight = fits(raw.shape, array.shape), other_way = fits_transposed(raw.shape, array.shape);
    const bool turned = group != Group::kNone && other_way && (turned_[group] || !straight);
    result.lies_transposed = turned && !turned_[group];
    const Shape two = flat(array.shape);
    result.values = turned ? transposed(raw.values, two[0], two[1]) : std::move(raw.values);
    return result;
  }

  const std::string& path_;
  npz::NpzFile& file_;
  const train::StepLayout& layout_;
  const train::StepStart& start_;
  std::map<std::size_t, std::string> names_;  // by place in the layout
  std::map<std::size_t, Raw> raw_;            // likewise
  std::map<Group, bool> turned_;
};

}  // namespace

StudentArrays student_arrays(const std::string& path, npz::NpzFile& file, const train::StepLayout& layout,
                             const train::StepStart& start) {
  return Reading(path, file, layout, start).take();
}

}  // namespace lockstep::compare
