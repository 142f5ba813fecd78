// The ranks' timelines as one file.
#include "report/trace.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

namespace lockstep::report {
namespace {

using nlohmann::json;

json events_of(const std::vector<RankTimeline>& ranks) {
  return json::parse(trace_json(ranks)).at("traceEvents");
}

// The first event with this phase and process.
json find(const json& events, const std::string& phase, int rank) {
  for (const json& event : events)
    if (event.at("ph") == phase && event.at("pid") == rank) return event;
  return nullptr;
}

TEST(Trace, IsInMicrosecondsFromTheFirstEventOn) {
  const json events = events_of({{"here", 0, {{liveness::Activity::kForward, 7, 5'000'000, 5'002'500}}}});
  const json event = find(events, "X", 0);
  EXPECT_EQ(event.at("name"), "forward");
  EXPECT_EQ(event.at("args").at("step"), 7);
  EXPECT_NEAR(event.at("ts").get<double>(), 0.0, 1e-9);
  EXPECT_NEAR(event.at("dur").get<double>(), 2.5, 1e-9);
}

TEST(Trace, PutsAllRanksOnTheFirstOnesClock) {
  const json events = events_of({{"a", 0, {{liveness::Activity::kWait, 1, 1'000'000, 1'001'000}}},
                                 {"b", 9'000'000, {{liveness::Activity::kWait, 1, 10'004'000, 10'005'000}}}});
  EXPECT_NEAR(find(events, "X", 0).at("ts").get<double>(), 0.0, 1e-9);
  EXPECT_NEAR(find(events, "X", 1).at("ts").get<double>(), 4.0, 1e-9);
}

TEST(Trace, NamesRanksAndHostsWhateverTheirNames) {
  const json events = events_of({{"a \"quoted\" host", 0, {}}});
  EXPECT_EQ(find(events, "M", 0).at("args").at("name"), "rank 0 on a \"quoted\" host");
}

TEST(Trace, ASumUnderWayBeginsAndEndsBesideTheRest) {
  const json events = events_of(
      {{"a",
        0,
        {{liveness::Activity::kBucket, 2, 0, 4'000}, {liveness::Activity::kBucket, 3, 1'000, 2'000}}}});
  int begun = 0, ended = 0;
  std::set<std::string> ids;
  for (const json& event : events) {
    if (event.at("ph") == "b") ids.insert(event.at("id").get<std::string>()), ++begun;
    if (event.at("ph") == "e") ++ended;
  }
  EXPECT_EQ(begun, 2);
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(ids.size(), 2U);
  EXPECT_EQ(find(events, "b", 0).at("name"), "bucket 2");
}

TEST(Trace, OfNothingIsATraceToo) { EXPECT_EQ(events_of({}).size(), 0U); }

}  // namespace
}  // namespace lockstep::report
