#include "report/console.h"

#include <gtest/gtest.h>

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
  console.table_header();
  console.start_epoch();
  console.progress(1, 2, 10, 20, 30);
  console.epoch(example());
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
  const std::string header = printed([] { Console(true).table_header(); });
  const std::string row = printed([] { Console(true).epoch(example()); });
  EXPECT_EQ(header.size(), row.size());
  std::istringstream in(row);
  std::vector<std::string> cells;
  for (std::string cell; in >> cell;) cells.push_back(cell);
  ASSERT_GE(cells.size(), 8U);
  EXPECT_EQ(cells[0], "3");
  EXPECT_EQ(std::stod(cells[1]), 1.25);
  EXPECT_EQ(cells[2], "50.00%");
  EXPECT_EQ(std::stod(cells[3]), 1.5);
  EXPECT_EQ(cells[4], "43.75%");
  EXPECT_EQ(std::stod(cells[5]), 0.05);
}

}  // namespace
}  // namespace lockstep::report
