// What is read from CSV files: their header, columns, cells, classes and values.
#include "data/csv.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "data/csv_files.h"

namespace lockstep::data {
namespace {

using CsvTest = test::CsvFiles;
using Floats = std::vector<float>;
using Doubles = std::vector<double>;

// Two rows of two features and a class: what many files below hold.
void expect_two_rows(const Dataset& csv) {
  const SampleStore store = test::load_all(csv);
  EXPECT_EQ(store.width, 2U);
  EXPECT_EQ(store.values, (Doubles{1.5, -2.0, 3.0, 4.25}));
  EXPECT_EQ(store.targets, (Floats{0.0F, 1.0F}));
}

TEST_F(CsvTest, IsASetOfNumbersNamedAfterItsFile) {
  const Csv csv = read("1.5,-2,0\n3,4.25,1\n");
  const DatasetInfo info = csv.info();
  EXPECT_EQ(info.name, "train.csv");
  EXPECT_FALSE(info.pixels);
  EXPECT_EQ(info.features(), 2U);
  EXPECT_EQ(info.channels, 2U);
  EXPECT_EQ(info.classes, 2U);
  EXPECT_EQ(info.train_samples, 2U);
  EXPECT_EQ(info.test_samples, 0U);
  EXPECT_FALSE(info.function.has_value());
  EXPECT_EQ(info.note, "");
  expect_two_rows(csv);
}

TEST_F(CsvTest, LoadsTheRowsAskedFor) {
  const Csv csv = read("0,1,0\n1,1,1\n2,1,0\n3,1,1\n");
  const std::uint32_t some[] = {1, 2};
  const SampleStore store = csv.load(Split::kTrain, some);
  EXPECT_EQ(store.values, (Doubles{1, 1, 2, 1}));
  EXPECT_EQ(store.targets, (Floats{1, 0}));
}

TEST_F(CsvTest, AFirstRowWithoutAnyNumberIsAHeaderUnlessToldOtherwise) {
  expect_two_rows(read("a,b,label\n1.5,-2,0\n3,4.25,1\n"));
  DataOptions options = options_for(write("a,b,label\n1.5,-2,0\n3,4.25,1\n"));
  options.header = Header::kYes;
  expect_two_rows(Csv(options));
  options.file = write("10,20,30\n1.5,-2,0\n3,4.25,1\n");
  expect_two_rows(Csv(options));  // a header of numbers
  options.file = write("1.5,-2,0\n3,4.25,1\n");
  options.header = Header::kNo;
  expect_two_rows(Csv(options));
  expect_two_rows(read("a,nan,inf\n1.5,-2,0\n3,4.25,1\n"));  // which are not finite numbers
  // A number in the first row makes it a row of its own, whatever else it has.
  const Csv named = read("1.5,-2,cat\n3,4.25,dog\n");
  EXPECT_EQ(named.info().train_samples, 2U);
}

TEST_F(CsvTest, TheTargetIsTheColumnNamedOrNumberedElseTheLast) {
  const auto with_target = [&](const std::string& text, const std::string& target) {
    DataOptions options = options_for(write(text));
    options.target = target;
    return Csv(options);
  };
  const std::string header = "a,b,label\n";
  expect_two_rows(with_target(header + "1.5,-2,0\n3,4.25,1\n", ""));
  expect_two_rows(with_target(header + "1.5,-2,0\n3,4.25,1\n", "label"));
  expect_two_rows(with_target(header + "1.5,-2,0\n3,4.25,1\n", "3"));
  expect_two_rows(with_target("label,a,b\n0,1.5,-2\n1,3,4.25\n", "label"));
  expect_two_rows(with_target("a,label,b\n1.5,0,-2\n3,1,4.25\n", "label"));
  expect_two_rows(with_target("0,1.5,-2\n1,3,4.25\n", "1"));
  expect_two_rows(with_target("1.5,0,-2\n3,1,4.25\n", "2"));
}

TEST_F(CsvTest, CellsMayBeQuotedAndSpaced) {
  expect_two_rows(read("\"a, b\",\"say \"\"b\"\"\",label\n\"1.5\",\"-2\",\"0\"\n3,\"4.25\",1\n"));
  expect_two_rows(read("  1.5 ,\t-2, 0 \n 3,4.25 ,1\n"));
  DataOptions options = options_for(write("x,\"the, \"\"label\"\"\",y\n1.5,0,-2\n3,1,4.25\n"));
  options.target = "the, \"label\"";
  expect_two_rows(Csv(options));
}

TEST_F(CsvTest, LinesMayBeBlankOrEndLikeOthers) {
  expect_two_rows(read("\n\n1.5,-2,0\n\n   \n3,4.25,1\n\n"));
  expect_two_rows(read("a,b,label\r\n1.5,-2,0\r\n\r\n3,4.25,1\r\n"));
  expect_two_rows(read("a,b,label\n1.5,-2,0\n3,4.25,1"));  // a last line without an end
}

TEST_F(CsvTest, AByteOrderMarkIsNoPartOfTheFirstCell) {
  expect_two_rows(
      read("\xef\xbb\xbf"
           "1.5,-2,0\n3,4.25,1\n"));
  DataOptions options = options_for(write("\xef\xbb\xbflabel,a,b\n0,1.5,-2\n1,3,4.25\n"));
  options.target = "label";
  expect_two_rows(Csv(options));
}

TEST_F(CsvTest, NumbersMayHaveSignsAndExponents) {
  const Csv csv = read("+1.5e3,-2E-2,0\n1e+2,.5,1\n-0,7.,0\n");
  EXPECT_EQ(test::load_all(csv).values, (Doubles{1500.0, -0.02, 100.0, 0.5, -0.0, 7.0}));
}

TEST_F(CsvTest, ATestFileHasTheTestSamples) {
  DataOptions options = options_for(write("a,b,label\n1,2,cat\n3,4,dog\n5,6,cat\n"));
  options.test_file = write("a,b,label\n7,8,dog\n", "test.csv");
  const Csv csv(options);
  EXPECT_EQ(csv.info().name, "train.csv");
  EXPECT_EQ(csv.info().train_samples, 3U);
  EXPECT_EQ(csv.info().test_samples, 1U);
  const SampleStore test = test::load_all(csv, Split::kTest);
  EXPECT_EQ(test.values, (Doubles{7, 8}));
  EXPECT_EQ(test.targets, (Floats{1}));
  options.test_file = write("7,8,dog\n", "test.csv");  // without a header
  EXPECT_EQ(test::load_all(Csv(options), Split::kTest).targets, (Floats{1}));
  options.file = write("a,label,b\n1,cat,2\n3,dog,4\n");
  options.test_file = write("a,label,b\n7,dog,8\n", "test.csv");
  options.target = "label";
  EXPECT_EQ(test::load_all(Csv(options), Split::kTest).values, (Doubles{7, 8}));
}

TEST_F(CsvTest, NumbersThatAreNoClassNumbersBecomeClassesInTheirOrder) {
  const Csv csv = read("0,10\n0,2\n0,-1\n0,2\n0,10.0\n");
  EXPECT_EQ(csv.info().classes, 3U);
  EXPECT_EQ(csv.info().class_names, (std::vector<std::string>{"-1", "2", "10"}));
  EXPECT_EQ(test::load_all(csv).targets, (Floats{2, 1, 0, 1, 2}));
  test::expect_line_with(csv.info().note, {"train.csv", "labels -1, 2, 10", "classes 0 to 2"});

  const Csv signs = read("0,1\n0,-1\n");
  EXPECT_EQ(test::load_all(signs).targets, (Floats{1, 0}));
  test::expect_line_with(signs.info().note, {"labels -1, 1", "classes 0 to 1"});

  const Csv from_one = read("0,1\n0,2\n0,3\n");
  EXPECT_EQ(test::load_all(from_one).targets, (Floats{0, 1, 2}));
  test::expect_line_with(from_one.info().note, {"labels 1, 2, 3", "classes 0 to 2"});
}

TEST_F(CsvTest, NamesBecomeClassesInTheirOrder) {
  const Csv csv = read("size,species\n1,setosa\n2,\"big, blue\"\n3,virginica\n4,setosa\n");
  EXPECT_EQ(csv.info().class_names, (std::vector<std::string>{"big, blue", "setosa", "virginica"}));
  EXPECT_EQ(test::load_all(csv).targets, (Floats{1, 0, 2, 1}));
  test::expect_line_with(csv.info().note, {"labels big, blue, setosa, virginica", "classes 0 to 2"});
}

TEST_F(CsvTest, ALongListOfLabelsIsCutInTheNote) {
  std::string text;
  for (int label = 1; label <= 12; ++label) text += "0," + std::to_string(label) + "\n";
  test::expect_line_with(read(text).info().note, {"1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ... are classes 0 to 11"});
}

TEST_F(CsvTest, MayHaveAThousandClasses) {
  std::string text;
  for (int label = 0; label < 1000; ++label) text += "0," + std::to_string(label) + "\n";
  EXPECT_EQ(read(text).info().classes, 1000U);
}

TEST_F(CsvTest, ValuesAreReadForRegression) {
  DataOptions options = options_for(write("x,y\n0.5,1e-3\n1,-7.25\n"));
  options.task = Task::kRegression;
  options.test_file = write("x,y\n2,12345\n", "test.csv");
  const Csv csv(options);
  EXPECT_EQ(csv.info().classes, 0U);
  EXPECT_TRUE(csv.info().class_names.empty());
  EXPECT_EQ(csv.info().note, "");
  EXPECT_EQ(test::load_all(csv).targets, (Floats{1e-3F, -7.25F}));
  EXPECT_EQ(test::load_all(csv, Split::kTest).targets, (Floats{12345.0F}));
}

}  // namespace
}  // namespace lockstep::data
