// Tables of a run that goes on: the rows of before stay, those of steps that are done again go.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "file_size_limit.h"
#include "report/run_files.h"
#include "support.h"

namespace lockstep::report {
namespace {

class KeptRows : public testing::Test {
 protected:
  void write(const std::string& text) const { write_file_atomically(path_, text); }
  std::string text() const { return read_file(path_); }
  // What a run that goes on after `steps` steps keeps of the file.
  std::string kept(std::size_t steps) const {
    StepsFile(path_, steps).flush();
    return text();
  }

  const test::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "table.csv";
  const std::string header_ = "step,epoch,samples,loss,weights_hash\n";
};

TEST_F(KeptRows, OfStepsAreThoseUpToTheCheckpoint) {
  const std::string one = "1,1,32,0.5,aa\n", two = "2,1,32,0.25,bb\n", three = "3,2,32,0.125,cc\n";
  for (const auto& [steps, rows] : {std::pair(std::size_t{2}, one + two), {9, one + two + three}, {0, ""}}) {
    write(header_ + one + two + three);
    EXPECT_EQ(kept(steps), header_ + rows);
  }
}

TEST_F(KeptRows, AreWholeLinesOfNumbers) {
  write(header_ + "1,1,32,0.5,aa\n\nx,1\n-1,2\n2,1,32,0.25,b");  // the writer was killed
  EXPECT_EQ(kept(9), header_ + "1,1,32,0.5,aa\n");
  write(header_ + "1,1,32");
  EXPECT_EQ(kept(9), header_);
  write("");
  EXPECT_EQ(kept(9), header_);
  std::filesystem::remove(path_);
  EXPECT_EQ(kept(9), header_);
}

TEST_F(KeptRows, AreFollowedByTheNextSteps) {
  write(header_ + "1,1,32,0.5,aa\n2,1,32,0.25,bb\n");
  StepsFile file(path_, 1);
  file.write({.step = 2, .epoch = 1, .samples = 32, .loss = 1.0, .weights_hash = "new"});
  file.flush();
  EXPECT_TRUE(text().starts_with(header_ + "1,1,32,0.5,aa\n2,1,32,1.0")) << text();
  EXPECT_TRUE(text().ends_with(",new\n")) << text();
}

TEST_F(KeptRows, OfGradientsAreThoseOfWholeEpochs) {
  write("epoch,w,b\n1,0.5,0.25\n2,0.125,1\n3,7,8\n");
  GradientsFile file(path_, {"w", "b"}, 2);
  EXPECT_EQ(text(), "epoch,w,b\n1,0.5,0.25\n2,0.125,1\n");
  file.write(3, std::vector<double>{1.0, 2.0});
  EXPECT_EQ(text(), "epoch,w,b\n1,0.5,0.25\n2,0.125,1\n3,1,2\n");
}

TEST_F(KeptRows, OfMetricsAreWhatTheCheckpointHolds) {
  write("anything\n9,9\n");
  std::string rows;
  {
    MetricsFile first(path_);
    first.write({.epoch = 1, .train_loss = 0.5});
    rows = first.rows();
    first.write({.epoch = 2, .train_loss = 0.25});
  }
  const std::string before = text();
  MetricsFile second(path_, rows);
  EXPECT_EQ(text(), before.substr(0, before.find('\n') + 1) + rows);
  second.write({.epoch = 2, .train_loss = 0.25});
  EXPECT_EQ(text(), before);
}

TEST_F(KeptRows, OfMetricsWithoutTheLastColumnHaveNoNumberThere) {
  std::string rows;
  {
    MetricsFile old(path_);
    old.write({.epoch = 1, .train_loss = 0.5});
    rows = old.rows();
  }
  MetricsFile wider(path_, rows, true);
  wider.write({.epoch = 2, .train_loss = 0.25, .test_top5_accuracy = 0.75});
  EXPECT_NE(text().find(",transfer_seconds,test_top5_accuracy\n1,"), std::string::npos);
  EXPECT_NE(text().find(",nan\n2,"), std::string::npos);
  EXPECT_TRUE(text().ends_with(",0.75\n"));
  EXPECT_TRUE(text().ends_with(wider.rows()));
  EXPECT_EQ(row_of_epoch(wider.rows(), 2).test_top5_accuracy, 0.75);
  EXPECT_TRUE(std::isnan(row_of_epoch(rows, 1).test_top5_accuracy));
  MetricsFile again(path_, wider.rows(), true);
  EXPECT_EQ(again.rows(), wider.rows());
}

// Not even the moment of starting anew may lose what was logged.
TEST_F(KeptRows, AreNotLostWhereTheyCannotBeWritten) {
  std::string rows;
  for (int step = 1; step <= 100; ++step) rows += std::to_string(step) + ",1,32,0.5,0123456789abcdef\n";
  write(header_ + rows);
  {
    const test::FileSizeLimit limit(500);
    EXPECT_THROW(StepsFile(path_, 100), ConfigError);
    EXPECT_THROW(GradientsFile(path_, {"w"}, 100), ConfigError);
  }
  EXPECT_EQ(text(), header_ + rows);
}

TEST_F(KeptRows, MetricsThatCouldNotBeWrittenAreWrittenLater) {
  MetricsFile file(path_);
  const std::string header = text();
  {
    const test::FileSizeLimit limit(header.size() + 10);
    EXPECT_THROW(file.write({.epoch = 1, .train_loss = 0.5}), ConfigError);
    EXPECT_THROW(file.write({.epoch = 2, .train_loss = 0.25}), ConfigError);
  }
  file.write({.epoch = 3, .train_loss = 0.125});
  EXPECT_EQ(text(), header + file.rows());
  EXPECT_EQ(std::count(file.rows().begin(), file.rows().end(), '\n'), 3);
}

}  // namespace
}  // namespace lockstep::report
