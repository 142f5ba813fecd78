// Which of BLIS's kernel families a run takes: the user's, or the fastest, by what was measured once and is
// remembered.
#include <gtest/gtest.h>

#include <map>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using nlohmann::json;

struct KernelChoice : testing::TestWithParam<int> {
  KernelChoice() { write_small_config(folder_.path()); }

  Outcome train(const std::pair<std::string, std::string>& variable) const {
    Surroundings surroundings = in(folder_.path());
    surroundings.environment = {variable};
    return run({"train", "run.toml", "--quiet", "--overwrite", "--out", "out"}, GetParam(), surroundings);
  }
  // What the summary of a run with this cache says of its kernels.
  json provenance_with_cache() const {
    const Outcome outcome = train({"XDG_CACHE_HOME", cache_});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return read_json(folder_ / "out/summary.json").at("provenance");
  }
  std::vector<std::filesystem::path> remembered() const {
    std::vector<std::filesystem::path> files;
    if (!std::filesystem::exists(cache_ + "/lockstep")) return files;
    for (const auto& entry : std::filesystem::directory_iterator(cache_ + "/lockstep"))
      files.push_back(entry.path());
    return files;
  }

  TemporaryFolder folder_;
  std::string cache_ = folder_ / "cache";
};
INSTANTIATE_TEST_SUITE_P(OneProcess, KernelChoice, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, KernelChoice, testing::Values(3));

TEST_P(KernelChoice, IsTheEnvironmentsOrItIsRefused) {
  for (const char* wrong : {"abc", "99", "-1", ""}) {
    const Outcome outcome = train({"BLIS_ARCH_TYPE", wrong});
    EXPECT_EQ(outcome.code, 2) << wrong;
    EXPECT_TRUE(
        outcome.err.starts_with("lockstep: BLIS_ARCH_TYPE is \"" + std::string(wrong) + "\", expected"))
        << outcome.err;
  }
  constexpr const char* kHaswell = "3";  // BLIS's number of it
  ASSERT_EQ(train({"BLIS_ARCH_TYPE", kHaswell}).code, 0);
  const json provenance = read_json(folder_ / "out/summary.json").at("provenance");
  EXPECT_EQ(provenance.at("kernel_family"), "haswell");
  EXPECT_EQ(provenance.at("kernel_choice"), "BLIS_ARCH_TYPE");
}

TEST_P(KernelChoice, IsMeasuredOnceAndThenFollowsWhatIsRemembered) {
  const std::string first = provenance_with_cache().at("kernel_choice");
  if (first == "the latest that the processor can run") {  // one family is left: there is nothing to measure
    EXPECT_TRUE(remembered().empty());
    return;
  }
  ASSERT_TRUE(first.starts_with("measured: ")) << first;
  ASSERT_EQ(remembered().size(), 1U);
  const std::filesystem::path file = remembered().front();
  const std::string again = provenance_with_cache().at("kernel_choice");
  EXPECT_EQ(again, "measured before" + first.substr(std::string("measured").size()));

  for (const auto& [family, other] :
       std::map<std::string, std::string>{{"haswell", "skx"}, {"skx", "haswell"}}) {
    write_text(file, json{{"gflops", {{family, 2.0}, {other, 1.0}}}}.dump());
    EXPECT_EQ(provenance_with_cache().at("kernel_family"), family);
  }
}

TEST_P(KernelChoice, IsMeasuredAgainWhereNothingUsableIsRemembered) {
  if (!provenance_with_cache().at("kernel_choice").get<std::string>().starts_with("measured")) return;
  const std::filesystem::path file = remembered().at(0);
  for (const char* damaged : {"", "{\"gflops\": {", "{\"gflops\": {\"haswell\": 80.0}}",
                              "{\"gflops\": {\"haswell\": \"fast\", \"skx\": 1.0}}",
                              "{\"gflops\": {\"haswell\": 0.0, \"skx\": 1.0}}", "[]"}) {
    write_text(file, damaged);
    const std::string choice = provenance_with_cache().at("kernel_choice");
    EXPECT_TRUE(choice.starts_with("measured: ")) << choice << " after " << damaged;
    EXPECT_EQ(remembered().size(), 1U);
    EXPECT_GT(read_json(file).at("gflops").at("haswell").get<double>(), 0.0) << damaged;
  }
}

TEST_P(KernelChoice, NeedsNoPlaceToRemember) {
  for (const char* place : {"/dev/null/cache", "relative"}) {
    Surroundings surroundings = in(folder_.path());
    surroundings.environment = {{"XDG_CACHE_HOME", place}, {"HOME", "/dev/null"}};
    const Outcome outcome =
        run({"train", "run.toml", "--quiet", "--overwrite", "--out", "out"}, GetParam(), surroundings);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "relative"));
  }
}

}  // namespace
}  // namespace lockstep::program
