// Events as lines of JSON: what they hold, what a run that goes on keeps, and a disk that is full.
#include "report/event_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "file_size_limit.h"
#include "support.h"

namespace lockstep::report {
namespace {

using Json = nlohmann::ordered_json;

class EventLogTest : public testing::Test {
 protected:
  // "EVENT STEP" of each line of the file, all of which must be whole.
  std::vector<std::string> events() const {
    const std::string text = read_file(path_);
    EXPECT_TRUE(text.empty() || text.ends_with('\n'));
    std::vector<std::string> events;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const Json event = Json::parse(line);
      events.push_back(event.at("event").get<std::string>() + " " + event.at("step").dump());
    }
    return events;
  }
  static std::vector<std::string> list(std::initializer_list<const char*> events) {
    return {events.begin(), events.end()};
  }

  const test::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "events.jsonl";
};

TEST_F(EventLogTest, AnEventSaysWhatWhenAndWhereAndThenItsFields) {
  EventLog log(false);
  log.reached(7, 1);
  log.begin(path_, "start", {{"ranks", 3}, {"loss", std::nan("")}, {"name", "\xff is no letter"}});
  const std::string line = read_file(path_);
  EXPECT_TRUE(std::regex_match(
      line,
      std::regex(R"(\{"event":"start","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","step":7,"epoch":1,)"
                 R"("ranks":3,"loss":null,"name":".* is no letter"\}\n)")))
      << line;
}

TEST_F(EventLogTest, WhatIsAddedBeforeItBeginsFollowsTheFirst) {
  EventLog log(false);
  log.add("warning", {{"message", "early"}});
  log.reached(14, 2);
  log.begin(path_, "resume", {});
  EXPECT_EQ(events(), list({"resume 14", "warning 14"}));
}

TEST_F(EventLogTest, FieldsMaySayAnotherStep) {
  EventLog log(false);
  log.reached(14, 2);
  log.begin(path_, "start", {});
  log.add("checkpoint", {{"step", 7}, {"epoch", 1}});
  EXPECT_EQ(events(), list({"start 14", "checkpoint 7"}));
}

TEST_F(EventLogTest, ARunThatGoesOnKeepsWholeLinesOfTheStepsBefore) {
  {
    EventLog log(false);
    log.begin(path_, "start", {});
    for (const std::size_t step : {7, 14, 21}) {
      log.reached(step, step / 7);
      log.add("epoch", {});
    }
  }
  write_file_atomically(path_, read_file(path_) + "no JSON\n{\"event\":\"epoch\",\"step\":1");  // was killed
  EventLog log(false);
  log.reached(14, 2);
  log.begin(path_, "resume", {});
  EXPECT_EQ(events(), list({"start 0", "epoch 7", "epoch 14", "resume 14"}));
}

TEST_F(EventLogTest, StandardOutputGetsWhatTheFileGets) {
  testing::internal::CaptureStdout();
  EventLog log(true);
  log.begin(path_, "start", {{"ranks", 1}});
  log.add("end", {{"reason", "done"}});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), read_file(path_));
}

TEST_F(EventLogTest, WhatCouldNotBeWrittenIsWrittenLater) {
  EventLog log(false);
  log.begin(path_, "start", {});
  {
    const test::FileSizeLimit limit(read_file(path_).size() + 10);
    log.add("epoch", {});
    EXPECT_THROW(log.flush(), ConfigError);
    EXPECT_EQ(events(), list({"start 0"}));
  }
  log.flush();
  EXPECT_EQ(events(), list({"start 0", "epoch 0"}));
}

// Other programs may take one for the other.
TEST(ColumnsOf, AreThoseOfMetricsWithItsDigits) {
  const EpochRow row{.epoch = 3,
                     .train_loss = 1.0 / 3.0,
                     .train_accuracy = 1.0,
                     .test_loss = std::nan(""),
                     .test_accuracy = std::nan(""),
                     .learning_rate = 0.05,
                     .seconds = 1.25,
                     .test_top5_accuracy = 0.875};
  for (const bool with_top5 : {false, true}) {
    const test::TemporaryFolder folder;
    MetricsFile(folder.path() / "metrics.csv", "", with_top5).write(row);
    std::istringstream file(read_file(folder.path() / "metrics.csv"));
    std::string header, cells;
    std::getline(file, header);
    std::getline(file, cells);
    const Json columns = columns_of(row, with_top5);
    std::istringstream names(header), values(cells);
    auto column = columns.items().begin();
    for (std::string name, value; std::getline(names, name, ',') && std::getline(values, value, ',');
         ++column) {
      EXPECT_EQ(column.key(), name);
      if (value == "nan")
        EXPECT_TRUE(column.value().is_null()) << name;
      else
        EXPECT_EQ(column.value().get<double>(), std::stod(value)) << name;
    }
    EXPECT_EQ(column, columns.items().end());
    EXPECT_TRUE(columns.at("epoch").is_number_integer());
    EXPECT_EQ(columns.contains("test_top5_accuracy"), with_top5);
  }
}

}  // namespace
}  // namespace lockstep::report
