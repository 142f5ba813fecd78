// A sweep over run.toml, points of the plane, in a folder of its own.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "files.h"
#include "process.h"

namespace lockstep::program {

class SweepTest : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  SweepTest() { write_planar_config(folder_.path()); }

  // Writes sweep.toml: its configuration is run.toml, the rest this text.
  void write_sweep(const std::string& text) {
    write_text(folder_ / "sweep.toml", "config = \"run.toml\"\n" + text);
  }

  Outcome sweep(int ranks, const std::string& out = "out", const Words& more = {}) {
    Words words = {"sweep", "sweep.toml", "--out", out};
    words.insert(words.end(), more.begin(), more.end());
    return run(words, ranks, in(folder_.path(), 50));
  }

  // The table of a sweep that must end well.
  Table trials_of(int ranks, const std::string& out = "out", const Words& more = {}) {
    const Outcome outcome = sweep(ranks, out, more);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return read_csv(folder_ / (out + "/trials.csv"));
  }

  // The rows of the trials in the order of their numbers.
  static Table by_number(const Table& trials) {
    Table sorted = trials;
    for (std::size_t i = 0; i < trials.rows.size(); ++i)
      sorted.rows.at(std::stoul(trials.rows[i].at("trial")) - 1) = trials.rows[i];
    return sorted;
  }

  // A metric of the last epoch of run.toml with these settings, by lockstep train.
  double trained(const std::string& metric, const Words& settings) {
    Words words = {"train", "run.toml", "--quiet", "--overwrite", "--out", "trained"};
    for (const std::string& setting : settings) words.insert(words.end(), {"--set", setting});
    const Outcome outcome = run(words, kOneProcess, in(folder_.path()));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const Table metrics = read_csv(folder_ / "trained/metrics.csv");
    return metrics.number(metrics.rows.size() - 1, metric);
  }

  TemporaryFolder folder_;
};

}  // namespace lockstep::program
