// Which columns of a CSV file become which features: choice, categories, missing cells, the target's scale.
#include "data/csv_columns.h"

#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <sstream>

#include "base/error.h"
#include "data/csv_files.h"
#include "data/schema.h"

namespace lockstep::data {
namespace {

using Names = std::vector<std::string>;
using test::expect_line_with;
using test::load_all;
using test::message_of;

class CsvColumnsTest : public test::CsvFiles {
 protected:
  DataOptions of(const std::string& text) const { return options_for(write(text)); }
  static std::vector<double> numbers(const Dataset& csv, Split split = Split::kTrain) {
    const SampleStore store = load_all(csv, split);
    return {store.values.begin(), store.values.end()};
  }
  using Doubles = std::vector<double>;
};

TEST_F(CsvColumnsTest, AreThoseThatAreListedOrAllButThoseThatAreNot) {
  DataOptions options = of("id,a,b,label\n7,1,2,0\n8,3,4,1\n");
  options.columns = {"b", "2"};  // in the order of the file
  EXPECT_EQ(numbers(Csv(options)), (Doubles{1, 2, 3, 4}));
  EXPECT_EQ(Csv(options).info().channel_names, (Names{"a", "b"}));
  options.columns = {"b"};
  EXPECT_EQ(numbers(Csv(options)), (Doubles{2, 4}));
  options.columns = {};
  options.ignore = {"id"};
  EXPECT_EQ(numbers(Csv(options)), (Doubles{1, 2, 3, 4}));
  options.ignore = {"1", "b"};
  EXPECT_EQ(numbers(Csv(options)), (Doubles{1, 3}));
  options = of("7,x1,2,0\n8,y2,4,1\n");  // what is ignored may hold anything
  options.ignore = {"2"};
  EXPECT_EQ(numbers(Csv(options)), (Doubles{7, 2, 8, 4}));
}

TEST_F(CsvColumnsTest, ThatAreNotThereAreRefused) {
  const auto refuse = [&](auto change, std::initializer_list<std::string> parts) {
    DataOptions options = of("a,b,b,label\n1,2,3,0\n4,5,6,1\n");
    change(options);
    expect_line_with(message_of<ConfigError>([&] { Csv csv(options); }), parts);
  };
  refuse([](auto& o) { o.columns = {"c"}; },
         {"data.columns has \"c\"", "expected columns of ", "train.csv: a, b, b, label, or 1 to 4"});
  refuse([](auto& o) { o.ignore = {"5"}; }, {"data.ignore has \"5\"", "1 to 4"});
  refuse([](auto& o) { o.ignore = {"b"}; }, {"data.ignore: columns 2 and 3 of ", "are both called \"b\""});
  refuse([](auto& o) { o.ignore = {"label"}; }, {"data.ignore has \"label\"", "which is the target"});
  refuse([](auto& o) { o.columns = {"4"}; }, {"data.columns has \"4\"", "which is the target"});
  refuse([](auto& o) { o.columns = {"a"}, o.ignore = {"2"}; }, {"data.columns and data.ignore are both set"});
  refuse([](auto& o) { o.ignore = {"a", "2", "3"}; }, {"data.ignore leaves no column of ", "but the target"});
  refuse([](auto& o) { o.ignore = {"a"}, o.categories = {"a"}; },
         {"data.categories has column \"a\", which is not in use"});
  refuse([](auto& o) { o.target_scale = TargetScale::kMeanStd; },
         {"data.target_scale is set", "data.task = \"regression\""});
}

TEST_F(CsvColumnsTest, OfTextsBecomeAFeatureForEachCategory) {
  const Csv csv(of("colour,size,label\nred,1.5,0\nblue,2,1\ngreen,3,0\nblue,4,1\n"));
  const DatasetInfo info = csv.info();
  EXPECT_EQ(info.features(), 4U);
  EXPECT_EQ(info.channel_names, (Names{"colour=blue", "colour=green", "colour=red", "size"}));
  EXPECT_EQ(numbers(csv), (Doubles{0, 0, 1, 1.5, 1, 0, 0, 2, 0, 1, 0, 3, 1, 0, 0, 4}));
  expect_line_with(info.note, {"column colour has 3 categories, a feature each: blue, green, red"});
}

TEST_F(CsvColumnsTest, OfNumbersAreCategoriesIfAskedFor) {
  DataOptions options = of("7,1,0\n8,2,1\n7,3,1\n");
  options.categories = {"1"};
  const Csv csv(options);
  EXPECT_EQ(csv.info().channel_names, (Names{"1=7", "1=8", "2"}));
  EXPECT_EQ(numbers(csv), (Doubles{1, 0, 1, 0, 1, 2, 1, 0, 3}));
}

TEST_F(CsvColumnsTest, OfTextsThatAreNoCategoriesAreRefused) {
  std::ostringstream names;
  names << "name,label\n";
  for (int i = 0; i < 30; ++i) names << "n" << i << "," << i % 2 << "\n";
  expect_line_with(message_of<DataError>([&] { read(names.str()); }),
                   {"column \"name\" has 30 different texts in 30 rows", "data.ignore"});
  for (const std::string text : {"\"1,5\"", "1;5"})  // numbers of another kind
    expect_line_with(message_of<DataError>([&] { read("a,b,label\n" + text + ",1,0\n" + text + ",2,1\n"); }),
                     {"train.csv:2: column \"a\" is ", "expected a finite number"});
}

TEST_F(CsvColumnsTest, KnowTheCategoriesOfTheTrainingSamplesAlone) {
  DataOptions options = of("colour,label\nred,0\nblue,1\nred,1\n");
  options.test_file = write("colour,label\nblue,0\ngreen,1\n", "test.csv");
  expect_line_with(message_of<DataError>([&] { Csv csv(options); }),
                   {"test.csv:3: column \"colour\" is \"green\"",
                    "expected a category of the training samples: blue, red", "data.unseen_category"});
  options.unseen_category = UnseenCategory::kZeros;
  EXPECT_EQ(numbers(Csv(options), Split::kTest), (Doubles{1, 0, 0, 0}));

  options = of("colour,label\nred,0\nblue,1\nred,1\nblue,0\ngreen,1\nred,0\n");
  options.folds = 6;  // each sample is tested on once
  std::size_t refused = 0;
  for (options.fold = 0; options.fold < 6; ++options.fold) {
    try {
      EXPECT_EQ(Csv(options).info().features(), 3U);
    } catch (const DataError& error) {
      ++refused;
      expect_line_with(error.what(), {"train.csv:6: column \"colour\" is \"green\"", "blue, red"});
    }
  }
  EXPECT_EQ(refused, 1U);
}

TEST_F(CsvColumnsTest, WithMissingCellsAreRefusedUnlessAskedFor) {
  for (const std::string cell : {"", "?", "NA", "n/a", "NaN", "null"}) {
    expect_line_with(message_of<DataError>([&] { read("a,b,label\n1,2,0\n" + cell + ",4,1\n"); }),
                     {"train.csv:3: column \"a\" is \"" + cell + "\"", "expected a finite number",
                      "data.missing = \"mean\" or \"drop\""});
    expect_line_with(message_of<DataError>([&] { read("a,b,label\nx,2,0\n" + cell + ",4,1\n"); }),
                     {"train.csv:3: column \"a\" is \"" + cell + "\"", "expected a category"});
    expect_line_with(message_of<DataError>([&] { read("a,b,label\n1,2,x\n3,4," + cell + "\n5,6,y\n"); }),
                     {"train.csv:3: column \"label\" is \"" + cell + "\"", "expected a class", "\"drop\""});
  }
}

// A key may say again what was chosen, by name or by number; it may not ask for something else.
TEST_F(CsvColumnsTest, OfANetworkAreNotChosenAgain) {
  DataOptions options = of("id,a,b,k,label\n7,1,2,1,0\n8,3,4,2,1\n");
  options.ignore = {"id"};
  options.categories = {"k"};
  const DatasetInfo trained = Csv(options).info();
  const auto with = [&](auto change) {
    DataOptions again = options;
    again.ignore = again.categories = {};
    change(again);
    return again;
  };
  const auto refuse = [&](auto change, std::initializer_list<std::string> parts) {
    expect_line_with(message_of<ConfigError>([&] { Csv csv(with(change), &trained); }), parts);
  };
  Csv(with([](auto& o) { o.target = "5", o.columns = {"b", "2", "k"}, o.categories = {"4"}; }), &trained);
  Csv(options, &trained);
  refuse([](auto& o) { o.target = "b"; }, {"data.target is \"b\", expected \"label\" as in ", "train.csv"});
  refuse([](auto& o) { o.columns = {"a", "id"}; }, {"data.columns has \"id\", expected a, b, k as in "});
  refuse(
      [](auto& o) {
        o.columns = {"a", "k"};
      },
      {"data.columns does not have \"b\", expected a, b, k as in "});
  refuse([](auto& o) { o.ignore = {"id", "b"}; }, {"data.ignore has \"b\"", "train.csv"});
  refuse([](auto& o) { o.categories = {"k", "a"}; }, {"data.categories has \"a\", expected k as in "});
  refuse([](auto& o) { o.task = Task::kRegression, o.target_scale = TargetScale::kMeanStd; },
         {"data.target_scale is \"mean_std\", expected \"none\" as in ", "train.csv"});
}

TEST_F(CsvColumnsTest, WithMissingCellsTakeTheMeanOfTheTrainingSamples) {
  DataOptions options = of("a,colour,label\n1,red,0\nNA,blue,1\n4,?,0\n1,red,1\n");
  options.missing = Missing::kMean;
  options.test_file = write("a,colour,label\n,NA,1\n100,blue,0\n", "test.csv");
  const Csv csv(options);
  const double third = 1.0 / 3.0;
  const auto expect_near = [](const Doubles& found, const Doubles& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-7) << i;
  };
  expect_near(numbers(csv), {1, 0, 1, 2, 1, 0, 4, third, 2 * third, 1, 0, 1});
  expect_near(numbers(csv, Split::kTest), {2, third, 2 * third, 100, 1, 0});
  for (const char* part : {"train.csv: column a has 1 missing cell that takes the mean",
                           "test.csv: column colour has 1 missing cell that takes the mean"})
    EXPECT_NE(csv.info().note.find(part), std::string::npos) << csv.info().note;

  options = of("a,label\n,0\n,1\n");
  options.missing = Missing::kMean;
  expect_line_with(message_of<DataError>([&] { Csv none(options); }),
                   {"column \"a\" is missing in all training samples"});
  options = of("a,label\n1,0\n2,\n3,1\n");
  options.missing = Missing::kMean;
  expect_line_with(message_of<DataError>([&] { Csv target(options); }),
                   {"train.csv:3: column \"label\" is \"\"", "data.missing = \"drop\""});
}

TEST_F(CsvColumnsTest, WithMissingCellsMayLoseTheirRows) {
  DataOptions options = of("id,a,label\n,1,x\n2,NA,x\n3,3,y\n4,4,?\n5,5,x\n6,,z\n");
  options.missing = Missing::kDrop;
  options.ignore = {"id"};  // in which a missing cell does not matter
  options.test_file = write("id,a,label\n1,,x\n2,6,y\n", "test.csv");
  const Csv csv(options);
  EXPECT_EQ(numbers(csv), (Doubles{1, 3, 5}));
  EXPECT_EQ(csv.info().class_names, (Names{"x", "y"}));  // z went with its row
  EXPECT_EQ(numbers(csv, Split::kTest), (Doubles{6}));
  const std::uint32_t all[] = {0, 1, 2};
  EXPECT_EQ(csv.file_rows(Split::kTrain, all), (std::vector<std::uint32_t>{1, 3, 5}));
  EXPECT_EQ(csv.file_rows(Split::kTest, std::span(all).first(1)), (std::vector<std::uint32_t>{2}));
  EXPECT_TRUE(std::regex_search(csv.info().note,
                                std::regex("train.csv: 3 of 6 rows have missing cells and are left out\n.*"
                                           "test.csv: 1 of 2 rows have missing cells and are left out$")))
      << csv.info().note;
  options = of("a,label\n1,?\n,1\n");
  options.missing = Missing::kDrop;
  expect_line_with(message_of<DataError>([&] { Csv none(options); }), {"each of 2 rows has a missing cell"});
}

TEST_F(CsvColumnsTest, OfAnotherFileAreFoundByNameOrElseByPlace) {
  DataOptions options = of("a,b,label\n1,2,x\n3,4,y\n");
  options.test_file = write("label,c,b,a\ny,0,6,5\n", "test.csv");
  EXPECT_EQ(numbers(Csv(options), Split::kTest), (Doubles{5, 6}));
  options.test_file = write("5,6,y\n", "test.csv");
  EXPECT_EQ(numbers(Csv(options), Split::kTest), (Doubles{5, 6}));
  options.file = write("a,a,label\n1,2,x\n3,4,y\n");
  options.test_file = write("a,a,label\n5,6,y\n", "test.csv");  // two of one name keep their places
  EXPECT_EQ(numbers(Csv(options), Split::kTest), (Doubles{5, 6}));
}

// Mean 20 and deviation 10 of the training samples alone.
TEST_F(CsvColumnsTest, OfTargetsMayBeStandardised) {
  DataOptions options = of("a,y\n1,10\n2,30\n");
  options.task = Task::kRegression;
  options.target_scale = TargetScale::kMeanStd;
  options.test_file = write("a,y\n1,60\n", "test.csv");
  const Csv csv(options);
  EXPECT_EQ(load_all(csv).targets, (std::vector<float>{-1, 1}));
  EXPECT_EQ(load_all(csv, Split::kTest).targets, (std::vector<float>{4}));
  EXPECT_EQ(csv.info().target_mean, 20.0);
  EXPECT_EQ(csv.info().target_stddev, 10.0);
  options.file = write("a,y\n1,1e200\n2,1\n");
  expect_line_with(message_of<DataError>([&] { Csv large(options); }),
                   {"train.csv:2: column \"y\" is \"1e200\"", "1e150"});
  options.file = write("a,y\n1,1700000000\n2,1700000001\n");  // which float32 cannot tell apart
  EXPECT_EQ(load_all(Csv(options)).targets, (std::vector<float>{-1, 1}));
}

// Another file has a category less, another mean, another class and another order of columns.
TEST_F(CsvColumnsTest, OfATrainedNetworkAreNotFittedAgain) {
  DataOptions options = of("a,colour,kind\n1,red,x\n3,blue,y\n2,red,z\n");
  options.missing = Missing::kMean;
  const DatasetInfo trained = Csv(options).info();
  options.file = write("kind,colour,a\nz,red,\ny,red,40\n", "other.csv");
  const Csv other(options, &trained);
  EXPECT_EQ(numbers(other), (Doubles{2, 0, 1, 40, 0, 1}));
  EXPECT_EQ(load_all(other).targets, (std::vector<float>{2, 1}));
  EXPECT_EQ(other.info().class_names, (Names{"x", "y", "z"}));
  EXPECT_EQ(other.info().channel_names, trained.channel_names);

  options.test_file = options.file;  // nothing to train on is needed
  options.file.clear();
  const Csv tested(options, &trained);
  EXPECT_EQ(tested.info().train_samples, 0U);
  EXPECT_EQ(numbers(tested, Split::kTest), (Doubles{2, 0, 1, 40, 0, 1}));
  options.test_file = write("kind,colour,a\nz,green,1\n", "green.csv");
  expect_line_with(message_of<DataError>([&] { Csv unseen(options, &trained); }),
                   {"green.csv:2: column \"colour\" is \"green\"", "blue, red"});
  options.test_file = write("kind,colour,b\nz,red,1\n", "b.csv");
  expect_line_with(message_of<DataError>([&] { Csv unseen(options, &trained); }),
                   {"b.csv:1: has no column \"a\"", "train.csv"});
}

TEST_F(CsvColumnsTest, OfATrainedNetworkKeepTheScaleOfItsTargets) {
  DataOptions options = of("a,y\n1,10\n2,30\n");
  options.task = Task::kRegression;
  options.target_scale = TargetScale::kMeanStd;
  const DatasetInfo trained = Csv(options).info();
  options.file = write("a,y\n1,20\n2,50\n", "other.csv");
  const Csv other(options, &trained);
  EXPECT_EQ(load_all(other).targets, (std::vector<float>{0, 3}));
  EXPECT_EQ(other.info().target_stddev, 10.0);
}

// The columns as another process reads them from a model's metadata make the same features.
TEST_F(CsvColumnsTest, GoWithTheNetwork) {
  DataOptions options = of("id,a,colour,y\n1,1,caf\xe9,10\n2,3,\"x, \"\"y\"\"\",30\n3,0.1,caf\xe9,20\n");
  options.ignore = {"id"};
  options.missing = Missing::kMean;
  options.task = Task::kRegression;
  options.target_scale = TargetScale::kMeanStd;
  const DatasetInfo info = Csv(options).info();
  const Schema schema{info, Normalizer(Normalization::kNone, info, load_all(Csv(options)), {}), {}};
  const std::string text = schema.to_json();
  const DatasetInfo read = Schema::parse(text, "model.safetensors").info;
  ASSERT_NE(read.csv, nullptr);
  EXPECT_EQ(read.csv->feature_names(), info.csv->feature_names());
  EXPECT_EQ(read.target_mean, info.target_mean);
  EXPECT_EQ(read.target_stddev, info.target_stddev);
  options.test_file = write("y,colour,a,id\n15,caf\xe9,,1\n16,?,7,2\n", "other.csv");
  options.file.clear();
  EXPECT_EQ(numbers(Csv(options, &read), Split::kTest), numbers(Csv(options, &info), Split::kTest));
  EXPECT_EQ(load_all(Csv(options, &read), Split::kTest).targets,
            load_all(Csv(options, &info), Split::kTest).targets);

  const auto refuse = [&](const std::string& from, const std::string& to, const std::string& says) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    expect_line_with(message_of<ModelError>([&] { Schema::parse(changed, "model.safetensors"); }),
                     {"model.safetensors: ", "not readable", says});
  };
  refuse("\"width\":4", "\"width\":3", "expected 3 of 3 columns");
  refuse("\"deviation\":", "\"deviation\":-", "columns of 3 features");
  refuse("\"means\":[", "\"means\":[1,", "2 statistics of its features, expected 1");
}

TEST_F(CsvColumnsTest, AreSaidInWords) {
  DataOptions options = of("id,a,colour,y\n1,1,red,5\n2,,blue,6\n3,3,red,7\n");
  options.task = Task::kRegression;
  options.ignore = {"id"};
  options.missing = Missing::kMean;
  const auto columns = Csv(options).info().columns;
  ASSERT_EQ(columns.size(), 4U);
  EXPECT_EQ(columns[0].use, "not used");
  EXPECT_EQ(columns[1].use, "numbers");
  EXPECT_EQ(columns[1].missing, 1U);
  EXPECT_EQ(columns[2].name, "colour");
  EXPECT_EQ(columns[2].use, "2 categories: blue, red");
  EXPECT_EQ(columns[3].use, "target: values");
}

class UnlabelledTest : public CsvColumnsTest {
 protected:
  static UnlabelledSamples read_all(const std::filesystem::path& file, const Csv& csv,
                                    const DataOptions& options) {
    return read_unlabelled(file, *csv.info().csv, options, 0, 1);
  }
};

TEST_F(UnlabelledTest, SamplesAreMadeAsThoseThatAreTrainedOn) {
  DataOptions options = of("label,a,colour\nx,1,red\ny,3,blue\n");
  options.target = "label";
  options.missing = Missing::kMean;
  const Csv csv(options);
  const auto expect = [&](const std::string& text, const Doubles& numbers) {
    const auto [store, rows] = read_all(write(text, "new.csv"), csv, options);
    EXPECT_EQ(Doubles(store.values.begin(), store.values.end()), numbers) << text;
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i], i + 1);
  };
  expect("a,colour\n5,red\n,blue\n", {5, 0, 1, 2, 1, 0});
  expect("colour,other,a\nred,?,5\n", {5, 0, 1});
  expect("label,a,colour\nnew,5,red\n", {5, 0, 1});  // a target is not looked at
  expect("5,red\n", {5, 0, 1});
  expect("?,5,red\n", {5, 0, 1});
}

TEST_F(UnlabelledTest, SamplesAreDividedAmongRanks) {
  const Csv csv(of("a,label\n1,x\n3,y\n"));
  const auto file = write("a\n5\n6\n\n7\n", "new.csv");
  Doubles numbers;
  std::vector<std::uint32_t> all;
  for (int rank = 0; rank < 5; ++rank) {
    const auto [store, rows] = read_unlabelled(file, *csv.info().csv, {}, rank, 5);
    numbers.insert(numbers.end(), store.values.begin(), store.values.end());
    all.insert(all.end(), rows.begin(), rows.end());
  }
  EXPECT_EQ(numbers, (Doubles{5, 6, 7}));
  EXPECT_EQ(all, (std::vector<std::uint32_t>{1, 2, 3}));
}

TEST_F(UnlabelledTest, SamplesOfOtherColumnsAreRefused) {
  const DataOptions options = of("a,colour,label\n1,red,x\n3,blue,y\n");
  const Csv csv(options);
  const auto refuse = [&](const std::string& text, std::initializer_list<std::string> parts) {
    expect_line_with(message_of<DataError>([&] { read_all(write(text, "new.csv"), csv, options); }), parts);
  };
  refuse("a,shape\n1,red\n", {"new.csv:1: has no column \"colour\"", "train.csv"});
  refuse("1\n2\n", {"new.csv: has 1 column, expected 3, or 2 without the target as in "});
  refuse("a,colour\n1,green\n", {"new.csv:2: column \"colour\" is \"green\"", "blue, red"});
  refuse("a,colour\nx,red\n", {"new.csv:2: column \"a\" is \"x\"", "a finite number"});
  refuse("a,colour\n?,red\n", {"new.csv:2: column \"a\" is \"?\"", "data.missing"});
}

}  // namespace
}  // namespace lockstep::data
