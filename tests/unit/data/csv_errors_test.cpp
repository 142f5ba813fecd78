// Bad CSV files: one line each that names the file, the line, the column, what was found and what was
// expected.
#include <gtest/gtest.h>

#include "base/error.h"
#include "data/csv_files.h"

namespace lockstep::data {
namespace {

class CsvErrorsTest : public test::CsvFiles {
 protected:
  template <typename E>
  static void expect_error(const DataOptions& options, std::initializer_list<std::string> parts) {
    test::expect_line_with(test::message_of<E>([&] { Csv csv(options); }), parts);
  }

  // Reading train.csv of this text.
  void expect_refused(const std::string& text, std::initializer_list<std::string> parts) const {
    expect_refused(options_for(write(text)), parts);
  }
  static void expect_refused(const DataOptions& options, std::initializer_list<std::string> parts) {
    expect_error<DataError>(options, parts);
    expect_error<DataError>(options, {options.file.parent_path().string() + "/"});
  }

  // The same for the test file of a good training file of the classes cat and dog, or 4 and 7.
  void expect_test_file_refused(const std::string& text, std::initializer_list<std::string> parts,
                                const std::string& train = "a,b,label\n1,2,cat\n3,4,dog\n") const {
    DataOptions options = options_for(write(train));
    options.test_file = write(text, "test.csv");
    expect_refused(options, parts);
  }
};

TEST_F(CsvErrorsTest, ACellThatIsNoNumber) {
  expect_refused("a,b,label\n1,2,0\n3,four,1\n",
                 {"train.csv:3: ", "column \"b\" is \"four\"", "expected a finite number"});
  expect_refused("1,2,0\n\n3,four,1\n",
                 {"train.csv:3: ", "column 2 is \"four\"", "expected a finite number"});
  expect_refused("1,2,0\r\n3,4x,1\r\n", {"train.csv:2: ", "column 2 is \"4x\"", "expected a finite number"});
  for (const char* cell : {"1,5", "0x10", "1e", "--1", "+-1", "++1", "-+1", "1 2", "e5", "."})
    expect_refused(
        "1,2,0\n3,\"" + std::string(cell) + "\",1\n",
        {"train.csv:2: ", "column 2 is \"" + std::string(cell) + "\"", "expected a finite number"});
}

// Years are numbers: such a first row is not taken for a header.
TEST_F(CsvErrorsTest, AHeaderThatHasANumber) {
  const std::string hint = "(if line 1 is a header: data.header = \"yes\")";
  expect_refused("region,1990,1991\n1,2,0\n2,3,1\n",
                 {"train.csv:1: ", "column 1 is \"region\", expected a finite number", hint});
  expect_refused("1990,1991,rainy\n1,2,0\n2,3,1\n",
                 {"train.csv:2: ", "column 3 is \"0\", expected a name, as in the rows before", hint});
  DataOptions options = options_for(write("1990,1991,rainy\n1,2,0\n2,3,1\n"));
  options.header = Header::kYes;
  EXPECT_EQ(Csv(options).info().train_samples, 2U);
  const auto message =
      test::message_of<DataError>([&] { Csv csv(options_for(write("region,rainy\n1,0\nx,1\n"))); });
  EXPECT_EQ(message.find("data.header"), std::string::npos) << message;  // it has one already
  const auto of_second =
      test::message_of<DataError>([&] { Csv csv(options_for(write("1,2,cat\n3,four,dog\n"))); });
  EXPECT_EQ(of_second.find("data.header"), std::string::npos) << of_second;  // no column's name is 2
}

TEST_F(CsvErrorsTest, CellsThatAreNotSeparatedByCommas) {
  const std::string semicolons = "(the cells seem to be separated by semicolons, expected commas)";
  expect_refused("a;b;c\n1;2;0\n3;4;1\n", {"train.csv: has a single column", semicolons});
  expect_refused("1;2;0\n3;4;1\n", {"train.csv: has a single column", semicolons});
  expect_refused("1,5;2,0;0\n3,5;4,0;1\n", {"train.csv:1: ", "column 2 is \"5;2\"", semicolons});
  expect_refused("a;b;c\n1,5;2,0;0\n", {"train.csv:2: ", "has 3 cells, expected 1", semicolons});
  expect_refused("1\t2\t0\n", {"train.csv: has a header and no rows", "by tabs, expected commas"});
}

TEST_F(CsvErrorsTest, AnEmptyCell) {
  expect_refused("a,b,label\n1,2,0\n3,,1\n",
                 {"train.csv:3: ", "column \"b\" is \"\"", "expected a finite number"});
  expect_refused("1,2,0\n 3 , ,1\n", {"train.csv:2: ", "column 2 is \"\"", "expected a finite number"});
  expect_refused("1,2,\n3,4,1\n", {"train.csv:1: ", "column 3 is \"\"", "expected a class"});
  expect_refused("1,2,1\n3,4,\n", {"train.csv:2: ", "column 3 is \"\"", "expected a class"});
  expect_refused("1,2,cat\n3,4,\n", {"train.csv:2: ", "column 3 is \"\"", "expected a class"});
}

TEST_F(CsvErrorsTest, ANumberThatIsNotFinite) {
  for (const std::string cell : {"nan", "NaN", "inf", "-inf", "Infinity", "1e400"}) {
    expect_refused("a,b,label\n1,2,0\n3," + cell + ",1\n",
                   {"train.csv:3: ", "column \"b\" is \"" + cell + "\"", "expected a finite number"});
    DataOptions options = options_for(write("a,y\n1,2\n3," + cell + "\n"));
    options.task = Task::kRegression;
    expect_refused(options,
                   {"train.csv:3: ", "column \"y\" is \"" + cell + "\"", "expected a finite number"});
  }
}

TEST_F(CsvErrorsTest, ATargetThatFloat32CannotHold) {
  DataOptions options = options_for(write("a,y\n1,2\n3,1e39\n"));
  options.task = Task::kRegression;
  expect_refused(options, {"train.csv:3: ", "column \"y\" is \"1e39\"", "expected a finite number"});
}

TEST_F(CsvErrorsTest, AMagnitudeThatNothingCanBeComputedOf) {
  for (const std::string cell : {"1e301", "-2e300", "1e-301", "-3e-310"})
    expect_refused("a,b,label\n1,2,0\n3," + cell + ",1\n",
                   {"train.csv:3: ", "column \"b\" is \"" + cell + "\"", "a magnitude from 1e-300 to 1e300"});
}

// What other normalizations than to order 1 would make infinite, or zero throughout.
TEST_F(CsvErrorsTest, AColumnThatFloat32HoldsNothingOf) {
  for (const std::string cell : {"1e300", "-1e39", "1e-300", "3e-39"})
    for (const Normalization kind :
         {Normalization::kNone, Normalization::kMean, Normalization::kMeanStd, Normalization::kScale}) {
      DataOptions options = options_for(write("a,b,label\n1,0,0\n3," + cell + ",1\n"));
      options.normalize = kind;
      if (kind == Normalization::kNone || kind == Normalization::kMean)
        expect_refused(options, {"train.csv:3: ", "column \"b\" is \"" + cell + "\"",
                                 "a column that reaches 1e-38 to 1e38", "data.normalize = \"mean_std\""});
      else
        EXPECT_EQ(test::load_all(Csv(options)).value_row(1)[1], std::stod(cell));
    }
  EXPECT_EQ(test::load_all(read("1e-300,0\n1,1\n")).values.front(), 1e-300);  // beside a larger number
}

TEST_F(CsvErrorsTest, ARowOfAnotherLength) {
  expect_refused("a,b,label\n1,2,0\n3,1\n", {"train.csv:3: ", "has 2 cells", "expected 3"});
  expect_refused("a,b,label\n1,2,0\n3,4,1,\n", {"train.csv:3: ", "has 4 cells", "expected 3"});
  expect_refused("1,2,0\n\n\n3,1\n", {"train.csv:4: ", "has 2 cells", "expected 3"});
}

TEST_F(CsvErrorsTest, AFileWithoutRows) {
  for (const char* text : {"", "\n\n", "  \r\n", "\xef\xbb\xbf"})
    expect_refused(text, {"train.csv: ", "is empty", "expected rows of numbers"});
  expect_refused("a,b,label\n", {"train.csv: ", "has a header and no rows", "expected rows of numbers"});
  DataOptions options = options_for(write("1,2,0\n"));
  options.header = Header::kYes;
  expect_refused(options, {"train.csv: ", "has a header and no rows"});
}

TEST_F(CsvErrorsTest, AFileThatIsNotThere) {
  const auto missing = folder_.path() / "missing.csv";
  expect_refused(options_for(missing), {missing.string(), "cannot be read", "No such file"});
  DataOptions options = options_for(write("1,2,0\n3,4,1\n"));
  options.test_file = missing;
  expect_refused(options, {missing.string(), "cannot be read", "No such file"});
}

TEST_F(CsvErrorsTest, ASingleColumn) {
  expect_refused("1\n2\n", {"train.csv: ", "single column", "expected features and a target"});
}

TEST_F(CsvErrorsTest, AQuotationMarkOutOfPlace) {
  expect_refused("1,2,0\n3,4\"5,1\n5,6,0\n", {"train.csv:2: ", "quotation mark"});
  expect_refused("1,2,0\n3,\"4\"5,1\n5,6,0\n", {"train.csv:2: ", "quotation mark"});
  expect_refused("1,2,0\n3,4,\"1\n", {"train.csv:", "quotation mark"});  // never closed
}

TEST_F(CsvErrorsTest, ACellOfSeveralLinesIsShownOnOne) {
  expect_refused("1,2,0\n3,\"four\nlines\",1\n", {"column 2 is \"four", "expected a finite number"});
  expect_refused("\"a\nb\",label\n1,0\nx,1\n", {"train.csv:4: ", "is \"x\"", "expected a finite number"});
}

TEST_F(CsvErrorsTest, TargetsOfOneClassOnly) {
  expect_refused("a,label\n1,3\n2,3\n",
                 {"train.csv: ", "column \"label\" has 1 class,", "expected 2 to 1000"});
  expect_refused("1,cat\n2,cat\n", {"train.csv: ", "column 2 has 1 class,", "expected 2 to 1000"});
}

TEST_F(CsvErrorsTest, TargetsOfTooManyClasses) {
  std::string text;
  for (int label = 0; label < 1001; ++label) text += "0," + std::to_string(label) + "\n";
  expect_refused(text, {"train.csv: ", "column 2 has 1001 classes", "expected 2 to 1000"});
}

TEST_F(CsvErrorsTest, ClassesThatAreNoWholeNumbers) {
  for (const std::string label : {"0.5", "1e-3", "inf", "1e16"})
    expect_refused("a,label\n1,0\n2," + label + "\n",
                   {"train.csv:3: ", "column \"label\" is \"" + label + "\"", "expected a class",
                    "data.task = \"regression\""});
}

TEST_F(CsvErrorsTest, NamesAndNumbersAsClassesOfOneFile) {
  expect_refused("1,0\n2,cat\n", {"train.csv:2: ", "column 2 is \"cat\"", "expected a whole number, as in"});
  expect_refused("1,cat\n2,0\n", {"train.csv:2: ", "column 2 is \"0\"", "expected a name, as in"});
}

TEST_F(CsvErrorsTest, ATargetThatIsNoColumn) {
  DataOptions options = options_for(write("a,b,label\n1,2,0\n3,4,1\n"));
  for (const std::string target : {"species", "0", "4", "-1", "1.5", "2x", "A"}) {
    options.target = target;
    expect_error<ConfigError>(options,
                              {"data.target is \"" + target + "\"", "train.csv", "a, b, label", "1 to 3"});
  }
  options = options_for(write("1,2,0\n3,4,1\n"));
  options.target = "label";
  expect_error<ConfigError>(options, {"data.target is \"label\"", "train.csv", "1 to 3"});
}

TEST_F(CsvErrorsTest, ValuesThatAreNoNumbers) {
  DataOptions options = options_for(write("a,y\n1,2\n3,cat\n"));
  options.task = Task::kRegression;
  expect_refused(options, {"train.csv:3: ", "column \"y\" is \"cat\"", "expected a finite number"});
}

TEST_F(CsvErrorsTest, ATestFileOfOtherColumns) {
  expect_test_file_refused("a,c,label\n1,2,cat\n",
                           {"test.csv:1: ", "has no column \"b\"", "expected the columns of", "train.csv"});
  expect_test_file_refused("a,b\n1,2\n", {"test.csv:1: ", "has no column \"label\"", "train.csv"});
  expect_test_file_refused("1,2,3,cat\n", {"test.csv: ", "has 4 columns", "expected 3", "train.csv"});
}

TEST_F(CsvErrorsTest, ATestFileOfAClassThatTheTrainingFileHasNot) {
  expect_test_file_refused("a,b,label\n1,2,cat\n1,2,cow\n",
                           {"test.csv:3: ", "column \"label\" is \"cow\"", "one of the classes cat, dog"});
  expect_test_file_refused("a,b,label\n1,2,1\n",
                           {"test.csv:2: ", "column \"label\" is \"1\"", "one of the classes cat, dog"});
  const std::string numbers = "1,2,4\n3,4,7\n";
  for (const std::string label : {"5", "8", "cat", "", "4.5", "nan"})
    expect_test_file_refused("1,2,7\n1,2," + label + "\n",
                             {"test.csv:2: ", "column 3 is \"" + label + "\"", "one of the classes 4, 7"},
                             numbers);
}

TEST_F(CsvErrorsTest, ATestFileIsReadAsStrictly) {
  expect_test_file_refused("a,b,label\n1,x,cat\n",
                           {"test.csv:2: ", "column \"b\" is \"x\"", "a finite number"});
  expect_test_file_refused("a,b,label\n1,cat\n", {"test.csv:2: ", "has 2 cells"});
  expect_test_file_refused("", {"test.csv: ", "is empty"});
}

TEST_F(CsvErrorsTest, OptionsThatNameNoFileOrTwoTestSets) {
  DataOptions options = options_for("");
  expect_error<ConfigError>(options, {"data.file is not set", "expected a CSV file"});
  options = options_for(write("1,2,0\n3,4,1\n"));
  options.test_file = options.file;
  options.test_fraction = 0.5;
  expect_error<ConfigError>(options, {"data.test_file", "data.test_fraction", "one of them"});
}

}  // namespace
}  // namespace lockstep::data
