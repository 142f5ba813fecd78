// Whether the first row of a CSV file is a header: what data.header = "auto" decides, and what it leaves to
// the user.
#include <gtest/gtest.h>

#include "base/error.h"
#include "data/csv_files.h"

namespace lockstep::data {
namespace {

class CsvHeaderTest : public test::CsvFiles {
 protected:
  // Neither yes nor no is taken for granted; both are offered, with the line, and both work.
  void expect_doubt(const std::string& text, const std::string& shown, DataOptions options,
                    std::size_t samples) const {
    options.dataset = "csv";
    options.file = write(text);
    test::expect_line_with(test::message_of<DataError>([&] { Csv csv(options); }),
                           {"train.csv:1: ", shown, "data.header = \"yes\"", "data.header = \"no\""});
    options.header = Header::kYes;
    EXPECT_EQ(Csv(options).info().train_samples, samples);
    options.header = Header::kNo;
    EXPECT_EQ(Csv(options).info().train_samples, samples + 1);
  }
  void expect_doubt(const std::string& text, const std::string& shown, std::size_t samples) const {
    expect_doubt(text, shown, {}, samples);
  }
};

// Years as names; the target's name would be a class of one member.
TEST_F(CsvHeaderTest, OfNumbersIsNotTakenForASample) {
  expect_doubt("2019,2020,label\n0.1,1.2,yes\n-0.9,0.9,no\n1.9,0.1,yes\n",
               "the first row is \"2019,2020,label\", and no other is like it", 3);
  expect_doubt("2019,2020,2021\n1,2,0\n3,4,1\n5,6,0\n", "\"2019,2020,2021\"", 3);  // classes with numbers
  expect_doubt("2019,2020,label\n1,2,yes\n3,4,no\n5,6,yes\n7,8,rare\n", "\"2019,2020,label\"", 4);
}

TEST_F(CsvHeaderTest, WithASingleNumberIsNotTakenForASample) {
  expect_doubt("region,2020,label\nnorth,1.2,yes\nsouth,0.9,no\nnorth,0.1,yes\n", "\"region,2020,label\"", 3);
  DataOptions regression;
  regression.task = Task::kRegression;
  expect_doubt("region,2019,2020\nnorth,1.2,3\nsouth,0.9,1\nnorth,0.1,2\n", "\"region,2019,2020\"",
               regression, 3);
}

TEST_F(CsvHeaderTest, OfWholeNumbersOverOthersIsNotTakenForASample) {
  DataOptions regression;
  regression.task = Task::kRegression;
  expect_doubt("2019,2020,2021\n0.1,1.2,0.3\n-0.9,0.9,1.5\n1.9,0.1,2.5\n", "\"2019,2020,2021\"", regression,
               3);
}

TEST_F(CsvHeaderTest, IsNotSeenInASampleLikeTheOthers) {
  EXPECT_EQ(read("1,2,yes\n0.1,1.2,yes\n-0.9,0.9,no\n").info().train_samples, 3U);
  EXPECT_EQ(read("1,2,yes\n0.1,1.2,no\n").info().train_samples, 2U);     // each class has one member
  EXPECT_EQ(read("1,10\n2,2\n3,2\n4,10.0\n").info().train_samples, 4U);  // 10.0 is the class 10
  EXPECT_EQ(read("red,2,yes\nblue,1,yes\nblue,1,no\n").info().train_samples, 3U);  // a rare category alone
  DataOptions regression = options_for(write("1,2,3\n0.1,1.2,2\n-0.9,0.9,1\n"));
  regression.task = Task::kRegression;
  EXPECT_EQ(Csv(regression).info().train_samples, 3U);
}

// As programs number the columns of a table without names.
TEST_F(CsvHeaderTest, ThatCountsColumnsIsASampleAndSaidToBeOne) {
  DataOptions options = options_for(write("0,1,2\n0,3,1\n1,2,0\n1,4,2\n"));
  options.task = Task::kRegression;
  const Csv taken(options);
  EXPECT_EQ(taken.info().train_samples, 4U);
  test::expect_line_with(taken.info().note,
                         {"train.csv: line 1 is a sample", "if it is a header: data.header = \"yes\""});
  for (const Header header : {Header::kYes, Header::kNo}) {
    options.header = header;
    EXPECT_EQ(Csv(options).info().note, "");
  }
  options.header = Header::kAuto;
  for (const char* text : {"0,1,3\n0,3,1\n1,2,0\n", "1,2\n3,4\n", "1,2.0,3\n4,5,6\n"}) {
    options.file = write(text);
    EXPECT_EQ(Csv(options).info().note, "") << text;
  }
}

// Without any number, a first row whose cells recur may be a sample of categories.
TEST_F(CsvHeaderTest, OfWordsMayBeASampleOfCategories) {
  expect_doubt("p,x,yes\ne,x,no\np,y,yes\ne,y,no\n", "column 1 is \"p\", as in lines after it", 3);
  const Csv named = read("shape,size,label\np,x,yes\ne,x,no\np,y,yes\ne,y,no\n");
  EXPECT_EQ(named.info().train_samples, 4U);
  EXPECT_EQ(named.info().channel_names, (std::vector<std::string>{"shape=e", "shape=p", "size=x", "size=y"}));
}

TEST_F(CsvHeaderTest, ThatComesAgainIsNamed) {
  test::expect_line_with(test::message_of<DataError>([&] { read("a,b,label\n1,2,0\na,b,label\n3,4,1\n"); }),
                         {"train.csv:3: ", "repeats the header of line 1", "expected a sample"});
}

// A test file is short: what the training file has decides.
TEST_F(CsvHeaderTest, OfATestFileIsThatOfTheTrainingFile) {
  const auto test_samples = [&](const std::string& train, const std::string& test, Header header) {
    DataOptions options = options_for(write(train));
    options.test_file = write(test, "test.csv");
    options.header = header;
    return Csv(options).info().test_samples;
  };
  const std::string years = "2019,2020,label\n0.1,1.2,yes\n-0.9,0.9,no\n";
  EXPECT_EQ(test_samples(years, "2019,2020,label\n1,1,no\n", Header::kYes), 1U);
  const std::string words = "p,x,yes\ne,x,no\np,y,yes\n";
  EXPECT_EQ(test_samples(words, "e,y,no\n", Header::kNo), 1U);
  EXPECT_EQ(test_samples("a,b,label\n" + words, "a,b,label\ne,y,no\n", Header::kAuto), 1U);
  EXPECT_EQ(test_samples("a,b,label\n1,2,yes\n3,4,no\n", "1,2,no\n", Header::kAuto), 1U);
  EXPECT_EQ(test_samples("1,2,yes\n3,4,no\n", "a,b,label\n1,2,no\n", Header::kAuto), 1U);
}

}  // namespace
}  // namespace lockstep::data
