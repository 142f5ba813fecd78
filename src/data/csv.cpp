#include "data/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "base/error.h"
#include "data/shard_plan.h"

namespace lockstep::data {
namespace {

// A file whose columns are known: rows that data.missing = "drop" leaves out are gone.
struct OpenFile {
  CsvTable table;
  CsvPlaces places;

  OpenFile(CsvTable rows, const CsvColumns& columns, bool labelled, const DataOptions& options)
      : table(std::move(rows)), places(places_in(table, columns, labelled)) {
    if (options.missing != Missing::kDrop) return;
    std::vector<std::size_t> used = places.features;
    if (labelled) used.push_back(places.target);
    table.drop_rows_with_missing(used);
  }
};

std::string first_of(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 10;
  return fmt::format("{}{}", fmt::join(names.begin(), names.begin() + std::min(kShown, names.size()), ", "),
                     names.size() > kShown ? ", ..." : "");
}

std::string count_of(const std::vector<std::string>& categories) {
  return fmt::format("{} categor{}", categories.size(), categories.size() == 1 ? "y" : "ies");
}

std::vector<ColumnUse> uses_of(const OpenFile& file, const CsvColumns& columns, const CsvCells& cells) {
  std::vector<ColumnUse> uses;
  for (std::size_t c = 0; c < file.table.columns(); ++c)
    uses.push_back({file.table.header.empty() ? std::to_string(c + 1) : file.table.header[c], "not used"});
  for (std::size_t j = 0; j < columns.features.size(); ++j) {
    const CsvColumn& column = columns.features[j];
    ColumnUse& use = uses[file.places.features[j]];
    use.use = column.categorical
                  ? fmt::format("{}: {}", count_of(column.categories), first_of(column.categories))
                  : "numbers";
    use.missing = cells.missing[j];
  }
  uses[file.places.target].use =
      columns.classes.empty() ? "target: values" : fmt::format("target: {} classes", columns.classes.size());
  return uses;
}

// What a user should know of the missing cells of a file.
std::vector<std::string> notes_of_missing(const CsvColumns& columns, const CsvCells& cells) {
  std::vector<std::string> notes;
  if (cells.dropped != 0)
    notes.push_back(fmt::format("{}: {} of {} rows have missing cells and are left out", cells.file,
                                cells.dropped, cells.dropped + cells.size()));
  for (std::size_t j = 0; j < cells.missing.size(); ++j)
    if (cells.missing[j] != 0)
      notes.push_back(fmt::format("{}: column {} has {} missing cell{} that take{} the mean", cells.file,
                                  columns.features[j].name, cells.missing[j],
                                  cells.missing[j] == 1 ? "" : "s", cells.missing[j] == 1 ? "s" : ""));
  return notes;
}

// What a user should know of how files were read, after `notes` of the first, from which columns were chosen.
std::string note_of(const CsvColumns& columns, const std::vector<const CsvCells*>& files,
                    std::vector<std::string> notes) {
  std::erase(notes, "");
  for (const CsvColumn& column : columns.features)
    if (column.categorical)
      notes.push_back(fmt::format("column {} has {}, a feature each: {}", column.name,
                                  count_of(column.categories), first_of(column.categories)));
  if (columns.target_mean != 0.0 || columns.target_stddev != 1.0)
    notes.push_back(fmt::format("targets are (value - {:.6g}) / {:.6g} while training", columns.target_mean,
                                columns.target_stddev));
  for (std::string& note : notes) note = fmt::format("{}: {}", files.front()->file, note);
  for (const CsvCells* cells : files) {
    const std::vector<std::string> of_file = notes_of_missing(columns, *cells);
    notes.insert(notes.end(), of_file.begin(), of_file.end());
  }
  return fmt::format("{}", fmt::join(notes, "\n"));
}

}  // namespace

Csv::Csv(const DataOptions& options, const DatasetInfo* trained) {
  const bool tested_only = trained != nullptr && options.file.empty() && !options.test_file.empty();
  if (options.file.empty() && !tested_only)
    throw ConfigError("data.file is not set, expected a CSV file with data.dataset = \"csv\"");
  if (!options.test_file.empty() && options.test_fraction > 0.0)
    throw ConfigError(
        "data.test_file and data.test_fraction are both set, expected one of them at most: "
        "data.test_fraction = 0 leaves the test file");
  const bool values = options.task == Task::kRegression;
  if (options.target_scale != TargetScale::kNone && !values)
    throw ConfigError("data.target_scale is set, expected data.task = \"regression\" with it");

  const std::filesystem::path& path = tested_only ? options.test_file : options.file;
  const CsvColumns* const fitted = trained != nullptr ? trained->csv.get() : nullptr;
  if (fitted != nullptr) expect_choice(*fitted, options);
  CsvTable table = fitted == nullptr ? CsvTable(path, options.header)
                                     : CsvTable(path, options.header, fitted->names(), fitted->has_numbers());
  CsvColumns columns = fitted == nullptr ? choose_columns(table, options) : *fitted;
  texts_.resize(columns.features.size());
  const OpenFile first(std::move(table), columns, true, options);
  std::optional<CsvClasses> classes;
  if (!values)
    classes = trained != nullptr && !trained->class_names.empty()
                  ? CsvClasses(trained->class_names)
                  : CsvClasses(first.table, first.places.target);
  if (classes) columns.classes = classes->names();
  const auto read = [&](const OpenFile& file) {
    files_.push_back({file.table.path, file.table.hash});
    return read_cells(file.table, columns, file.places, classes ? &*classes : nullptr, true, options, texts_);
  };
  (tested_only ? test_file_ : train_file_) = read(first);
  if (!tested_only && !options.test_file.empty())
    test_file_ = read(OpenFile({options.test_file, options.header, columns.names(), columns.has_numbers()},
                               columns, true, options));

  info_.name = path.filename().string();
  info_.pixels = false;
  info_.channel_size = 1;
  info_.classes = columns.classes.size();
  info_.class_names = columns.classes;
  info_.train_samples = train_file_.size();
  info_.test_samples = test_file_.size();
  const auto labels = [&] {
    return std::vector<float>(train_file_.targets.begin(), train_file_.targets.end());
  };
  division_ = divide(info_, labels, options);
  if (fitted == nullptr) {
    const Selection& fitting = tested_only ? division_.test : division_.train;
    fit(columns, cells(fitting), fitting.samples, texts_, options);
  }
  if (options.unseen_category == UnseenCategory::kRefuse)
    for (const Selection* selection : {&division_.train, &division_.test})
      CsvEncoder(columns, texts_).expect_known(cells(*selection), selection->samples);

  columns_ = std::make_shared<const CsvColumns>(std::move(columns));
  info_.csv = columns_;
  info_.train_samples = division_.train.samples.size();
  info_.test_samples = division_.test.samples.size();
  info_.channels = columns_->feature_count();
  info_.channel_names = columns_->feature_names();
  info_.target_mean = columns_->target_mean;
  info_.target_stddev = columns_->target_stddev;
  info_.columns = uses_of(first, *columns_, cells(tested_only ? division_.test : division_.train));
  std::vector<const CsvCells*> files;
  for (const CsvCells* cells : {&train_file_, &test_file_})
    if (cells->size() != 0) files.push_back(cells);
  const std::string of_header =
      first.table.first_row_counts()
          ? fmt::format("line {} is a sample; if it is a header: data.header = \"yes\"",
                        first.table.rows.front().line)
          : "";
  info_.note = note_of(*columns_, files, {of_header, classes ? classes->mapping() : ""});
}

std::vector<std::uint32_t> Csv::places(Split split, std::span<const std::uint32_t> samples) const {
  std::vector<std::uint32_t> places;
  for (const std::uint32_t sample : samples) places.push_back(selection(split).samples[sample]);
  return places;
}

SampleStore Csv::load(Split split, std::span<const std::uint32_t> samples) const {
  return CsvEncoder(*columns_, texts_).encode(cells(selection(split)), places(split, samples));
}

std::vector<std::uint32_t> Csv::file_rows(Split split, std::span<const std::uint32_t> samples) const {
  std::vector<std::uint32_t> rows = places(split, samples);
  for (std::uint32_t& row : rows) row = cells(selection(split)).rows[row];
  return rows;
}

UnlabelledSamples read_unlabelled(const std::filesystem::path& file, const CsvColumns& columns,
                                  const DataOptions& options, int rank, int world) {
  expect_choice(columns, options);
  const OpenFile open({file, options.header, columns.names(), columns.has_numbers()}, columns, false,
                      options);
  std::vector<CsvTexts> texts(columns.features.size());
  const CsvCells cells = read_cells(open.table, columns, open.places, nullptr, false, options, texts);
  std::vector<std::uint32_t> all(cells.size());
  std::iota(all.begin(), all.end(), 0U);
  const CsvEncoder encoder(columns, texts);
  if (options.unseen_category == UnseenCategory::kRefuse) encoder.expect_known(cells, all);
  const Range part = even_part(cells.size(), static_cast<std::size_t>(rank), static_cast<std::size_t>(world));
  return {encoder.encode(cells, std::span(all).subspan(part.begin, part.size())),
          {cells.rows.begin() + static_cast<std::ptrdiff_t>(part.begin),
           cells.rows.begin() + static_cast<std::ptrdiff_t>(part.end)}};
}

}  // namespace lockstep::data
