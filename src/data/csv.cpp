#include "data/csv.h"

#include <csv.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace lockstep::data {
namespace {

struct Row {
  std::size_t line = 0;  // of the file, from 1
  std::vector<std::string> cells;
};

std::optional<double> number(std::string_view cell) {
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
  double value = 0.0;
  const auto [stop, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || stop != cell.data() + cell.size()) return std::nullopt;
  return value;
}

bool is_finite(const std::string& cell) {
  const auto value = number(cell);
  return value && std::isfinite(*value);
}

// The rows of a file, blank lines left out.
class Rows {
 public:
  explicit Rows(const std::filesystem::path& path) : path_(path) {
    std::string text;
    try {
      text = read_file(path);
    } catch (const std::system_error& error) {
      throw DataError(fmt::format("{}: cannot be read: {}", path.string(), error.code().message()));
    }
    hash_ = hash64(std::as_bytes(std::span(text)));
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
    if (csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
    for (std::size_t begin = 0; begin < text.size();) {  // line by line, so that rows know their lines
      const std::size_t newline = text.find('\n', begin);
      const std::size_t end = newline == std::string::npos ? text.size() : newline + 1;
      ++line_;
      if (csv_parse(&parser_, text.data() + begin, end - begin, on_cell, on_row, this) != end - begin) fail();
      begin = end;
    }
    if (csv_fini(&parser_, on_cell, on_row, this) != 0) fail();
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() { csv_free(&parser_); }

  std::vector<Row> take() { return std::move(rows_); }
  std::uint64_t hash() const { return hash_; }  // of the file's content

 private:
  static void on_cell(void* bytes, std::size_t size, void* self) {
    std::string cell(static_cast<const char*>(bytes), size);
    std::replace_if(
        cell.begin(), cell.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    static_cast<Rows*>(self)->cells_.push_back(std::move(cell));
  }
  static void on_row(int, void* self) {
    auto& rows = *static_cast<Rows*>(self);
    rows.rows_.push_back({rows.line_, std::exchange(rows.cells_, {})});
  }
  [[noreturn]] void fail() {
    csv_free(&parser_);
    throw DataError(fmt::format("{}:{}: not CSV: a quotation mark is out of place", path_.string(), line_));
  }

  const std::filesystem::path& path_;
  csv_parser parser_{};
  std::uint64_t hash_ = 0;
  std::size_t line_ = 0;
  std::vector<std::string> cells_;
  std::vector<Row> rows_;
};

// What separates the cells of another kind of file; empty where no cell looks like that.
std::string separator_hint(const std::vector<std::string>& cells) {
  for (const auto& [separator, name] : {std::pair(';', "semicolons"), std::pair('\t', "tabs")})
    for (const std::string& cell : cells)
      if (cell.find(separator) != std::string::npos)
        return fmt::format(" (the cells seem to be separated by {}, expected commas)", name);
  return "";
}

// A file's rows, and what its columns are called.
struct Table {
  std::filesystem::path path;
  std::vector<std::string> header;  // empty without one
  std::size_t header_line = 0;
  bool may_have_header = false;  // the first row is taken for samples, and that was not asked for
  std::vector<Row> rows;
  std::uint64_t hash = 0;  // of the file's content

  Table(std::filesystem::path file, Header kind) : path(std::move(file)) {
    Rows read(path);
    hash = read.hash();
    rows = read.take();
    if (rows.empty()) throw DataError(fmt::format("{}: is empty, expected rows of numbers", path.string()));
    const auto& first = rows.front().cells;
    const bool found = std::none_of(first.begin(), first.end(), is_finite);  // "nan" may be a name
    may_have_header = kind == Header::kAuto && !found;
    if (kind == Header::kYes || (kind == Header::kAuto && found)) {
      header = first;
      header_line = rows.front().line;
      rows.erase(rows.begin());
    }
    if (rows.empty())
      throw DataError(fmt::format("{}: has a header and no rows, expected rows of numbers{}", path.string(),
                                  separator_hint(header)));
    for (const Row& row : rows)
      if (row.cells.size() != columns())
        throw DataError(fmt::format("{}:{}: has {} cells, expected {} as in the first row{}", path.string(),
                                    row.line, row.cells.size(), columns(), separator_hint(row.cells)));
    if (columns() < 2)
      throw DataError(fmt::format("{}: has a single column, expected features and a target{}", path.string(),
                                  separator_hint(rows.front().cells)));
  }

  std::size_t columns() const { return header.empty() ? rows.front().cells.size() : header.size(); }
  std::string column_name(std::size_t column) const {
    return header.empty() ? std::to_string(column + 1) : fmt::format("\"{}\"", header[column]);
  }
  // Empty without a header.
  std::vector<std::string> feature_names(std::size_t target) const {
    std::vector<std::string> names = header;
    if (!names.empty()) names.erase(names.begin() + static_cast<std::ptrdiff_t>(target));
    return names;
  }
  [[noreturn]] void refuse(const Row& row, std::size_t column, const std::string& expected) const {
    std::string hint = separator_hint(row.cells);
    if (hint.empty() && may_have_header && !is_finite(rows.front().cells[column]))
      hint = fmt::format(" (if line {} is a header: data.header = \"yes\")", rows.front().line);
    throw DataError(fmt::format("{}:{}: column {} is \"{}\", expected {}{}", path.string(), row.line,
                                column_name(column), row.cells[column], expected, hint));
  }

  // Throws DataError unless the columns are those of `other`; without a header they have no names to compare.
  void expect_columns_of(const Table& other) const {
    if (columns() != other.columns())
      throw DataError(fmt::format("{}: has {} columns, expected {} as in {}", path.string(), columns(),
                                  other.columns(), other.path.string()));
    for (std::size_t column = 0; column < std::min(header.size(), other.header.size()); ++column)
      if (header[column] != other.header[column])
        throw DataError(fmt::format("{}:{}: column {} is \"{}\", expected \"{}\" as in {}", path.string(),
                                    header_line, column + 1, header[column], other.header[column],
                                    other.path.string()));
  }

  // Throws DataError unless the features are those that a network was trained on.
  void expect_features_of(const DatasetInfo& trained, std::size_t target) const {
    const std::vector<std::string> names = feature_names(target), &expected = trained.channel_names;
    const auto shown = [](const std::vector<std::string>& list) {
      return list.empty() ? "" : fmt::format(" ({})", fmt::join(list, ", "));
    };
    if (columns() - 1 != trained.channels)
      throw DataError(fmt::format("{}: has {} features{}, expected {}{} as the network was trained on",
                                  path.string(), columns() - 1, shown(names), trained.channels,
                                  shown(expected)));
    for (std::size_t j = 0; j < std::min(names.size(), expected.size()); ++j)
      if (names[j] != expected[j])
        throw DataError(
            fmt::format("{}:{}: feature {} is \"{}\", expected \"{}\" as the network was trained on",
                        path.string(), header_line, j + 1, names[j], expected[j]));
  }

  // The column that `target` names, by its header or its number from 1 on; empty: the last.
  std::size_t target_column(const std::string& target) const {
    if (target.empty()) return columns() - 1;
    const auto named = std::find(header.begin(), header.end(), target);
    if (named != header.end()) return static_cast<std::size_t>(named - header.begin());
    std::size_t counted = 0;
    const auto [stop, error] = std::from_chars(target.data(), target.data() + target.size(), counted);
    if (error == std::errc() && stop == target.data() + target.size() && counted >= 1 && counted <= columns())
      return counted - 1;
    throw ConfigError(
        fmt::format("data.target is \"{}\", expected a column of {}: {}1 to {}", target, path.string(),
                    header.empty() ? "" : fmt::format("{}, or ", fmt::join(header, ", ")), columns()));
  }
};

// Which class each text in the target column is.
class Classes {
 public:
  Classes(const Table& table, std::size_t column) {
    for (const Row& row : table.rows) {
      const std::string& cell = row.cells[column];
      const auto value = number(cell);
      if (!numbers_.empty() && !value) table.refuse(row, column, "a whole number, as in the rows before");
      if (!names_.empty() && (value || cell.empty()))
        table.refuse(row, column, "a name, as in the rows before");
      if (cell.empty()) table.refuse(row, column, "a class");
      if (value && (*value != std::floor(*value) || std::fabs(*value) > 1e15))
        table.refuse(row, column,
                     "a class: a whole number or a name (data.task = \"regression\" fits values)");
      if (value)
        numbers_.push_back(*value);
      else
        names_.push_back(cell);
    }
    unique(numbers_);
    unique(names_);
    constexpr std::size_t kMost = 1000;
    if (size() < 2 || size() > kMost)
      throw DataError(fmt::format("{}: column {} has {} class{}, expected 2 to {}", table.path.string(),
                                  table.column_name(column), size(), size() == 1 ? "" : "es", kMost));
  }

  // Those that a network was trained on.
  explicit Classes(const std::vector<std::string>& names) : names_(names) {
    for (const std::string& name : names_)
      if (const auto value = number(name)) numbers_.push_back(*value);
    if (!numbers_.empty()) names_.clear();
  }

  std::size_t size() const { return numbers_.size() + names_.size(); }

  // The class's number. Refuses a text that the training file has not.
  float operator()(const Table& table, const Row& row, std::size_t column) const {
    const std::string& cell = row.cells[column];
    std::size_t place = size();
    if (const auto value = number(cell); value && !numbers_.empty())
      place = find(numbers_, *value);
    else if (numbers_.empty())
      place = find(names_, cell);
    if (place >= size())
      table.refuse(row, column, fmt::format("one of the classes {}", fmt::join(names(), ", ")));
    return static_cast<float>(place);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names = names_;
    for (const double value : numbers_) names.push_back(fmt::format("{:.0f}", value));
    return names;
  }

  // Empty where the classes are called as they are numbered.
  std::string mapping() const {
    if (names_.empty() && numbers_.front() == 0.0 && numbers_.back() == static_cast<double>(size() - 1))
      return "";
    constexpr std::size_t kShown = 10;
    std::vector<std::string> shown = names();
    if (shown.size() > kShown) shown = {shown.begin(), shown.begin() + kShown};
    return fmt::format("labels {}{} are classes 0 to {}", fmt::join(shown, ", "),
                       size() > kShown ? ", ..." : "", size() - 1);
  }

 private:
  template <typename T>
  static void unique(std::vector<T>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
  }
  template <typename T>
  std::size_t find(const std::vector<T>& sorted, const T& value) const {
    const auto place = std::lower_bound(sorted.begin(), sorted.end(), value);
    return place != sorted.end() && *place == value ? static_cast<std::size_t>(place - sorted.begin())
                                                    : size();
  }

  std::vector<double> numbers_;     // these,
  std::vector<std::string> names_;  // or these, in order
};

// A feature, of any magnitude that the statistics of a column can be made of.
double feature(const Table& table, const Row& row, std::size_t column) {
  constexpr double kLargest = 1e300;
  const auto value = number(row.cells[column]);
  if (!value || !std::isfinite(*value)) table.refuse(row, column, "a finite number");
  if (std::fabs(*value) > kLargest || (*value != 0.0 && std::fabs(*value) < 1.0 / kLargest))
    table.refuse(row, column, "0 or a magnitude from 1e-300 to 1e300");
  return *value;
}

float target_value(const Table& table, const Row& row, std::size_t column) {
  const auto value = number(row.cells[column]);
  if (!value || !std::isfinite(static_cast<float>(*value))) table.refuse(row, column, "a finite number");
  return static_cast<float>(*value);
}

// Throws DataError where float32, which the network computes in, holds nothing of a column: data.normalize =
// mean_std and scale bring any magnitude to order 1, the others do not.
void expect_float_magnitudes(const Table& table, std::size_t column, Normalization kind) {
  constexpr double kLargest = 1e38;
  if (kind == Normalization::kMeanStd || kind == Normalization::kScale) return;
  constexpr const char* kExpected =
      R"(a column that reaches 1e-38 to 1e38, or data.normalize = "mean_std" or "scale")";
  const auto magnitude = [&](const Row& row) { return std::fabs(number(row.cells[column]).value_or(0.0)); };
  const Row& largest = *std::ranges::max_element(table.rows, {}, magnitude);
  if (magnitude(largest) > kLargest || (magnitude(largest) > 0.0 && magnitude(largest) < 1.0 / kLargest))
    table.refuse(largest, column, kExpected);
}

SampleStore samples_of(const Table& table, std::size_t target, const std::optional<Classes>& classes,
                       Normalization kind) {
  SampleStore store = SampleStore::of_numbers(table.rows.size(), table.columns() - 1);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Row& row = table.rows[i];
    auto numbers = store.number_row(i).begin();
    for (std::size_t column = 0; column < table.columns(); ++column)
      if (column != target) *numbers++ = feature(table, row, column);
    store.targets[i] = classes ? (*classes)(table, row, target) : target_value(table, row, target);
  }
  for (std::size_t column = 0; column < table.columns(); ++column)
    if (column != target) expect_float_magnitudes(table, column, kind);
  return store;
}

SampleStore rows_of(const SampleStore& all, std::span<const std::uint32_t> samples) {
  SampleStore store = SampleStore::of_numbers(samples.size(), all.width);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::ranges::copy(all.number_row(samples[i]), store.number_row(i).begin());
    store.targets[i] = all.targets[samples[i]];
  }
  return store;
}

}  // namespace

Csv::Csv(const DataOptions& options, const DatasetInfo* trained) {
  const bool test_only = options.file.empty() && trained != nullptr && !options.test_file.empty();
  if (options.file.empty() && !test_only)
    throw ConfigError("data.file is not set, expected a CSV file with data.dataset = \"csv\"");
  if (!options.test_file.empty() && options.test_fraction > 0.0)
    throw ConfigError("data.test_file and data.test_fraction are both set, expected one of them at most");
  const Table table(test_only ? options.test_file : options.file, options.header);
  const std::size_t target = table.target_column(options.target);
  if (trained != nullptr) table.expect_features_of(*trained, target);
  std::optional<Classes> classes;
  if (options.task == Task::kClassification && trained != nullptr && !trained->class_names.empty())
    classes.emplace(trained->class_names);
  else if (options.task == Task::kClassification)
    classes.emplace(table, target);
  (test_only ? test_ : train_) = samples_of(table, target, classes, options.normalize);
  files_.push_back({table.path, table.hash});
  if (!options.test_file.empty() && !test_only) {
    const Table test(options.test_file, options.header);
    test.expect_columns_of(table);
    test_ = samples_of(test, target, classes, options.normalize);
    files_.push_back({test.path, test.hash});
  }
  info_ = {.name = table.path.filename().string(),
           .pixels = false,
           .channels = table.columns() - 1,
           .channel_size = 1,
           .classes = classes ? classes->size() : 0,
           .class_names = classes ? classes->names() : std::vector<std::string>{},
           .channel_names = table.feature_names(target),
           .train_samples = train_.size(),
           .test_samples = test_.size(),
           .function = {},
           .note = classes && !classes->mapping().empty()
                       ? fmt::format("{}: {}", table.path.string(), classes->mapping())
                       : ""};
}

SampleStore Csv::load(Split split, std::span<const std::uint32_t> samples) const {
  return rows_of(split == Split::kTrain ? train_ : test_, samples);
}

}  // namespace lockstep::data
