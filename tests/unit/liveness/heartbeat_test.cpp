// Heartbeat files: what is written is read, and nothing else is.
#include "liveness/heartbeat.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace lockstep::liveness {
namespace {

namespace fs = std::filesystem;

class HeartbeatFile : public testing::Test {
 protected:
  HeartbeatFile() { fs::create_directories(folder_); }
  ~HeartbeatFile() override { fs::remove_all(folder_); }
  fs::path file(int rank) const { return heartbeat_file(folder_, rank); }

  fs::path folder_ = fs::temp_directory_path() / ("heartbeats." + std::to_string(::getpid()));
};

const Heartbeat kFull{.beat = 12,
                      .step = 34,
                      .host = "node-1.example",
                      .phase = Activity::kGather,
                      .addresses = {"10.0.0.1", "fe80::1"},
                      .unanswered = {"10.0.0.2"},
                      .moves = 56};

void expect_same(const std::optional<Heartbeat>& found, const Heartbeat& expected) {
  ASSERT_TRUE(found);
  EXPECT_EQ(found->beat, expected.beat);
  EXPECT_EQ(found->step, expected.step);
  EXPECT_EQ(found->host, expected.host);
  EXPECT_EQ(found->phase, expected.phase);
  EXPECT_EQ(found->addresses, expected.addresses);
  EXPECT_EQ(found->unanswered, expected.unanswered);
  EXPECT_EQ(found->moves, expected.moves);
}

TEST_F(HeartbeatFile, HoldsWhatWasWrittenLast) {
  write_heartbeat(file(0), kFull);
  expect_same(read_heartbeat(file(0)), kFull);
  Heartbeat shorter;
  shorter.host = "h";
  write_heartbeat(file(0), shorter);
  expect_same(read_heartbeat(file(0)), shorter);
}

TEST_F(HeartbeatFile, BeginsWithTheLineThatTheLauncherReads) {
  write_heartbeat(file(3), kFull);
  std::ifstream in(folder_ / "rank-3");
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line, "12 34 node-1.example forward and backward");
}

TEST_F(HeartbeatFile, LeavesOutAddressesThatAreTooMany) {
  Heartbeat heartbeat = kFull;
  heartbeat.addresses.assign(100, "10.0.0.1 is twelve");
  write_heartbeat(file(0), heartbeat);
  heartbeat.addresses = heartbeat.unanswered = {};
  expect_same(read_heartbeat(file(0)), heartbeat);
}

TEST_F(HeartbeatFile, ThatIsMissingOrBrokenIsNone) {
  EXPECT_FALSE(read_heartbeat(file(0)));
  for (const char* text : {"", "1", "1 60 3 host", "1 60 3 host sleeping\n", "x 60 3 host update\n"}) {
    std::ofstream(file(0)) << text;
    EXPECT_FALSE(read_heartbeat(file(0))) << text;
  }
  write_heartbeat(file(1), kFull);
  const Heartbeats all = read_heartbeats(folder_, 3);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_FALSE(all[0]);
  expect_same(all[1], kFull);
  EXPECT_FALSE(all[2]);
}

}  // namespace
}  // namespace lockstep::liveness
