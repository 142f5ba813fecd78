// A run in a folder of its own, and the tables that lockstep eval makes of it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "files.h"
#include "process.h"

namespace lockstep::program {

class EvalTest : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  EvalTest() { write_planar_config(folder_.path()); }

  void train(const Words& settings = {}) {
    Words words = {"train", "run.toml", "--quiet", "--out", "out", "--overwrite"};
    for (const std::string& setting : settings) words.insert(words.end(), {"--set", setting});
    const Outcome outcome = run(words, kOneProcess, in(folder_.path()));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }

  Outcome eval(const Words& more, int ranks = kOneProcess) {
    Words words = {"eval", "out"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words, ranks, in(folder_.path()));
  }

  // Writes the tables on one and on three ranks and expects the same files and words.
  void expect_the_same_from_three_ranks(const Words& flags, const Words& files) {
    std::string said;
    for (const int ranks : {1, 3}) {
      Words words = flags;
      words.insert(words.end(), {"--out", std::to_string(ranks)});
      Outcome outcome = eval(words, ranks);
      ASSERT_EQ(outcome.code, 0) << outcome.err;
      const std::string last = "tables written to " + std::to_string(ranks) + "\n";
      ASSERT_TRUE(outcome.out.ends_with(last)) << outcome.out;
      outcome.out.resize(outcome.out.size() - last.size());
      if (ranks == 1) said = outcome.out;
      EXPECT_EQ(outcome.out, said);
    }
    for (const std::string& file : files)
      EXPECT_TRUE(read_text(folder_ / ("3/" + file)) == read_text(folder_ / ("1/" + file))) << file;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "1"))
      EXPECT_NE(std::find(files.begin(), files.end(), entry.path().filename()), files.end()) << entry.path();
  }

  TemporaryFolder folder_;
};

}  // namespace lockstep::program
