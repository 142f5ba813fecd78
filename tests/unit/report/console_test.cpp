#include "report/console.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace lockstep::report {
namespace {

// What `print` writes to the standard output.
template <typename Print>
std::string printed(Print&& print) {
  testing::internal::CaptureStdout();
  print();
  return testing::internal::GetCapturedStdout();
}

std::vector<std::string> cells_of(const std::string& row) {
  std::istringstream in(row);
  std::vector<std::string> cells;
  for (std::string cell; in >> cell;) cells.push_back(cell);
  return cells;
}

EpochRow example() {
  EpochRow row;
  row.epoch = 3;
  row.train_loss = 1.25;
  row.train_accuracy = 0.5;
  row.test_loss = 1.5;
  row.test_accuracy = 0.4375;
  row.learning_rate = 0.05;
  row.seconds = 2.5;
  row.samples_per_second = 20000.0;
  return row;
}

void print_everything(Console& console) {
  console.line("a line");
  console.start_table(3);
  console.start_epoch();
  console.progress(1, 2, 10, 20, 30);
  console.epoch(example());
}

// However large a loss is, its column does not touch the next.
TEST(Console, LossesOfAnySizeFitIntoTheirColumns) {
  EpochRow row = example();
  for (const double loss : {9999.99999, 123456.789, 1e6, 1.5e12, 3e300}) {
    row.train_loss = row.test_loss = loss;
    const std::string text = printed([&] {
      Console console(true);
      console.start_table(3);
      console.epoch(row);
    });
    const std::vector<std::string> cells = cells_of(text.substr(text.find('\n')));
    ASSERT_EQ(cells.size(), 8U) << text;
    EXPECT_NEAR(std::stod(cells[1]), loss, 1e-3 * loss);
    EXPECT_EQ(cells[1], cells[3]);
    EXPECT_EQ(text.find('\n'), text.size() - text.find('\n') - 2) << text;  // as wide as the names
  }
}

TEST(Console, PrintsNothingWhereItIsNotEnabled) {
  EXPECT_EQ(printed([] {
              Console console(false);
              print_everything(console);
            }),
            "");
}

TEST(Console, PrintsLinesOnlyWhereTheOutputIsNoTerminal) {
  const std::string text = printed([] {
    Console console(true);
    print_everything(console);
  });
  EXPECT_TRUE(text.starts_with("a line\n")) << text;
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(Console, ColumnsStandBelowTheirNames) {
  const std::string header = printed([] { Console(true).start_table(3); });
  const std::string row = printed([] { Console(true).epoch(example()); });
  EXPECT_EQ(header.size(), row.size());
  const auto cells = cells_of(row);
  ASSERT_GE(cells.size(), 8U);
  EXPECT_EQ(cells[0], "3");
  EXPECT_EQ(std::stod(cells[1]), 1.25);
  EXPECT_EQ(cells[2], "50.00%");
  EXPECT_EQ(std::stod(cells[3]), 1.5);
  EXPECT_EQ(cells[4], "43.75%");
  EXPECT_EQ(std::stod(cells[5]), 0.05);
}

// The epochs that a table of so many shows.
std::vector<std::size_t> shown_of(std::size_t epochs) {
  std::istringstream in(printed([&] {
    Console console(true);
    console.start_table(epochs);
    for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
      EpochRow row = example();
      row.epoch = epoch;
      console.epoch(row);
    }
  }));
  std::vector<std::size_t> shown;
  std::string line;
  std::getline(in, line);  // the header
  while (std::getline(in, line)) shown.push_back(std::stoul(line));
  return shown;
}

TEST(Console, ShowsEveryEpochOfAHundred) {
  for (const std::size_t epochs : {1, 2, 50, 99, 100}) {
    const auto shown = shown_of(epochs);
    ASSERT_EQ(shown.size(), epochs);
    for (std::size_t i = 0; i < epochs; ++i) EXPECT_EQ(shown[i], i + 1);
  }
}

TEST(Console, ShowsAtMostFiftyEvenlySpacedEpochsOfMoreAndTheLast) {
  for (const std::size_t epochs : {101, 149, 150, 151, 500, 1000, 1001, 12345}) {
    const auto shown = shown_of(epochs);
    EXPECT_EQ(shown.back(), epochs);
    EXPECT_GE(shown.size(), 33U);
    EXPECT_LE(shown.size(), 50U);
    for (std::size_t i = 0; i + 1 < shown.size(); ++i) EXPECT_EQ(shown[i], (i + 1) * shown[0]);
  }
}

TEST(Console, ADashStandsForWhatIsNotThere) {
  EpochRow row = example();
  row.train_accuracy = row.test_loss = row.test_accuracy = std::nan("");
  const std::string text = printed([&] { Console(true).epoch(row); });
  const auto cells = cells_of(text);
  ASSERT_EQ(cells.size(), 8U);
  EXPECT_EQ(std::stod(cells[1]), 1.25);
  for (const std::size_t i : {2, 3, 4}) EXPECT_EQ(cells[i], "-");
  EXPECT_EQ(text.size(), printed([] { Console(true).epoch(example()); }).size());
}

}  // namespace
}  // namespace lockstep::report
