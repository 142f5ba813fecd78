// Which kernels compute a run's products: the user's choice, or the best of the processor, for the same
// numbers.
#include <gtest/gtest.h>

#include <set>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

struct KernelChoice : testing::TestWithParam<int> {
  KernelChoice() { write_small_config(folder_.path()); }

  Outcome train(const Words& settings = {}, const std::string& of_host = "") const {
    Surroundings surroundings = in(folder_.path());
    if (!of_host.empty()) surroundings.environment = {{"LOCKSTEP_KERNELS", of_host}};
    Words words = {"train", "run.toml", "--quiet", "--overwrite", "--out", "out"};
    for (const std::string& setting : settings) words.insert(words.end(), {"--set", setting});
    return run(words, GetParam(), surroundings);
  }
  json summary() const { return read_json(folder_ / "out/summary.json"); }
  // The names that --version lists for this processor.
  Words runnable() const {
    const std::string text = run({"--version"}, GetParam(), in(folder_.path())).out,
                      label = "kernel_sets      ";
    std::string list = text.substr(text.find(label) + label.size());
    list.pop_back();  // the line's end
    Words names;
    for (std::size_t end; (end = list.find(", ")) != std::string::npos; list = list.substr(end + 2))
      names.push_back(list.substr(0, end));
    names.push_back(list);
    return names;
  }

  TemporaryFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(OneProcess, KernelChoice, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, KernelChoice, testing::Values(3));

TEST_P(KernelChoice, ChangesNoNumber) {
  ASSERT_EQ(train().code, 0);
  const json best = summary();
  const Words names = runnable();
  EXPECT_EQ(best.at("provenance").at("kernel_family"), names.front());
  EXPECT_EQ(best.at("provenance").at("kernel_choice"), "the best of this processor");
  for (const std::string& name : names) {
    for (const bool by_key : {true, false}) {
      const Outcome outcome = by_key ? train({"compute.kernels=" + name}) : train({}, name);
      ASSERT_EQ(outcome.code, 0) << outcome.err;
      const json other = summary(), provenance = other.at("provenance");
      EXPECT_EQ(other.at("weights_hash"), best.at("weights_hash")) << name;
      EXPECT_EQ(provenance.at("kernel_family"), name);
      EXPECT_EQ(provenance.at("kernel_choice"), by_key ? "compute.kernels" : "LOCKSTEP_KERNELS");
      EXPECT_EQ(provenance.at("kernels"), name);
    }
  }
}

TEST_P(KernelChoice, OfTheConfigurationComesBeforeTheEnvironments) {
  ASSERT_EQ(train({"compute.kernels=portable"}, runnable().front()).code, 0);
  EXPECT_EQ(summary().at("provenance").at("kernel_family"), "portable");
}

TEST_P(KernelChoice, IsRefusedWhereTheProcessorCannotRunIt) {
  const Words names = runnable();
  const std::set<std::string> can_run(names.begin(), names.end());
  for (const std::string name : {"avx512", "avx2", "neon"}) {
    if (can_run.contains(name)) continue;
    for (const bool by_key : {true, false}) {
      const Outcome outcome = by_key ? train({"compute.kernels=" + name}) : train({}, name);
      EXPECT_EQ(outcome.code, 2);
      const std::string source = by_key ? "compute.kernels" : "LOCKSTEP_KERNELS";
      EXPECT_TRUE(
          outcome.err.starts_with("lockstep: " + source + " is \"" + name + "\", expected one of auto, "))
          << outcome.err;
      EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
    }
  }
}

TEST_P(KernelChoice, ByAnUnknownOrAnOldNameIsRefusedWithTheNamesThatThereAre) {
  for (const std::string name : {"haswell", "skx", "generic", "AVX2"}) {
    const Outcome by_key = train({"compute.kernels=" + name});
    EXPECT_EQ(by_key.code, 2);
    for (const std::string part :
         {"compute.kernels", name.c_str(), "expected one of auto, avx512, avx2, neon, portable"})
      EXPECT_NE(by_key.err.find(part), std::string::npos) << by_key.err;
    const Outcome by_host = train({}, name);
    EXPECT_EQ(by_host.code, 2);
    EXPECT_TRUE(
        by_host.err.starts_with("lockstep: LOCKSTEP_KERNELS is \"" + name + "\", expected one of auto"))
        << by_host.err;
  }
}

TEST_P(KernelChoice, OfPortableOnesIsSaidToBeSlow) {
  const Outcome outcome = run({"train", "run.toml", "--out", "out", "--set", "compute.kernels=portable"},
                              GetParam(), in(folder_.path()));
  EXPECT_NE(outcome.out.find("with portable kernels: the same numbers, slowly\n"), std::string::npos)
      << outcome.out;
}

// A run folder's config.toml of version 0.1 says compute.allow_mixed.
TEST_P(KernelChoice, LetsAnOlderConfigurationBe) {
  const Outcome outcome = train({"compute.allow_mixed=true"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_FALSE(summary().at("config").at("compute").contains("allow_mixed"));
}

}  // namespace
}  // namespace lockstep::program
