// lockstep selftest, and the published weights themselves: what the program gives here is what
// results/hashes.json says, and what results/hashes.md shows.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "files.h"
#include "process.h"
#include "shipped.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Words = std::vector<std::string>;

const fs::path kResults = fs::path(LOCKSTEP_CONFIGS_FOLDER).parent_path() / "results";

json published() { return read_json(kResults / "hashes.json").at("runs"); }

// Real CIFAR-10 where this process has been told of it.
Surroundings with_cifar10(int limit_seconds) {
  Surroundings surroundings = in(".", limit_seconds);
  if (const char* folder = std::getenv("CIFAR10_DIR")) surroundings.environment = {{"CIFAR10_DIR", folder}};
  return surroundings;
}

struct Selftest : testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(OneProcess, Selftest, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, Selftest, testing::Values(3));

TEST_P(Selftest, FindsThePublishedWeightsWithEveryKindOfKernels) {
  const Outcome outcome = run({"selftest"}, GetParam(), with_cifar10(100));
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1) << outcome.out;
  EXPECT_NE(outcome.out.find(" runs gave the published weights after every step, with "), std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("portable"), std::string::npos) << outcome.out;
}

TEST_P(Selftest, NamesTheRunTheKernelsAndTheFirstStepThatDiffers) {
  const TemporaryFolder folder;
  json list = {{"runs", published()}};
  for (json& entry : list["runs"])
    if (entry["name"] == "spiral")
      for (const std::size_t step : {3, 7}) entry["step_hashes"][step] = "0123456789abcdef";
  write_text(folder / "other.json", list.dump());
  const Outcome outcome = run({"selftest", "xor", "spiral", "--hashes", (folder / "other.json").string()},
                              GetParam(), {.environment = {{"LOCKSTEP_KERNELS", "portable"}}});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "");
  std::string found;
  for (const json& entry : published())
    if (entry["name"] == "spiral") found = entry["step_hashes"][3];
  EXPECT_EQ(outcome.out, "spiral with portable kernels differs first at step 3: weights " + found +
                             ", published 0123456789abcdef; lockstep train configs/courses/spiral.toml\n");
}

TEST_P(Selftest, TrainsToTheEndIfAskedTo) {
  const TemporaryFolder folder;
  json list = {{"runs", published()}};
  for (json& entry : list["runs"]) entry["weights_hash"] = "0123456789abcdef";
  write_text(folder / "other.json", list.dump());
  Words words = {"selftest", "xor", "--hashes", (folder / "other.json").string()};
  EXPECT_EQ(run(words, GetParam()).code, 0);
  words.push_back("--whole");
  const Outcome outcome = run(words, GetParam(), in(".", 60));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.out.find(" differs after step 20, by the last: weights "), std::string::npos)
      << outcome.out;
}

TEST_P(Selftest, RefusesWhatItCannotCompareWith) {
  const TemporaryFolder folder;
  write_text(folder / "no_list.json", "{\"runs\": 3");
  write_text(
      folder / "no_hash.json",
      R"({"runs": [{"name": "a", "configuration": "b", "settings": [], "weights_hash": "12", "step_hashes": []}]})");
  write_text(folder / "no_runs.json", R"({"runs": []})");
  const auto refused = [&](const Words& words, const std::string& message) {
    const Outcome outcome = run(words, GetParam(), in(folder.path()));
    EXPECT_EQ(outcome.code, 2);
    EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
  };
  refused({"selftest", "--hashes", "no_list.json"},
          "expected a list of published runs, as results/hashes.json is");
  refused({"selftest", "--hashes", "no_hash.json"},
          "no_hash.json: a has the hash \"12\", expected 16 hex digits");
  refused({"selftest", "--hashes", "no_runs.json"}, "no_runs.json: has no runs");
  refused({"selftest", "--hashes", "nowhere.json"}, "nowhere.json: cannot be read");
  refused({"selftest", "spirals"}, "spirals is not a published run, expected some of circle, ");
}

TEST(Published, CoversEveryConfigurationThatNeedsNoDownload) {
  std::vector<std::string> whole, all;
  for (const json& entry : published()) {
    all.push_back(entry.at("configuration"));
    if (entry.at("settings").empty()) whole.push_back(entry.at("configuration"));
    EXPECT_EQ(std::string(entry.at("weights_hash")).size(), 16U) << entry.at("name");
    EXPECT_GE(entry.at("step_hashes").size(), 16U) << entry.at("name");
  }
  for (const std::string& name : shipped_configurations()) {
    const bool downloads = read_text(shipped(name)).find("\"cifar10\"") != std::string::npos;
    const std::vector<std::string>& those = downloads ? all : whole;
    EXPECT_NE(std::ranges::find(those, name), those.end())
        << name << ": add it to results/hashes.json, then launch/hashes";
  }
}

TEST(Published, IsWhatThePageShows) {
  const std::string page = read_text(kResults / "hashes.md");
  for (const json& entry : published()) {
    std::string words = "configs/" + std::string(entry.at("configuration"));
    for (const json& setting : entry.at("settings")) words += " --set " + std::string(setting);
    const std::string row = "| " + std::string(entry.at("name")) + " | `" + words + "` | `" +
                            std::string(entry.at("weights_hash")) + "` |\n";
    EXPECT_NE(page.find(row), std::string::npos) << "launch/hashes --table writes " << row;
  }
}

// As shipped, from the first step to the last, in the way that a user trains.
struct PublishedWhole : testing::TestWithParam<std::string> {};
std::vector<std::string> whole_runs() {
  std::vector<std::string> configurations;
  for (const json& entry : published())
    if (entry.at("settings").empty()) configurations.push_back(entry.at("configuration"));
  return configurations;
}
INSTANTIATE_TEST_SUITE_P(OneProcess, PublishedWhole, testing::ValuesIn(whole_runs()), name_of_shipped);

TEST_P(PublishedWhole, RunEndsWithThePublishedWeights) {
  const TemporaryFolder folder;
  const Outcome outcome = run({"train", shipped(GetParam()).string(), "--quiet", "--out", "out"}, kOneProcess,
                              in(folder.path(), 100));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const json& entry : published()) {
    if (entry.at("configuration") != GetParam() || !entry.at("settings").empty()) continue;
    EXPECT_EQ(weights_hash(folder / "out"), entry.at("weights_hash").get<std::string>());
  }
}

}  // namespace
}  // namespace lockstep::program
