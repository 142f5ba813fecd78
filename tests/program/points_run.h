// A small training run on points in the plane that is interrupted and goes on, and what must be equal
// afterwards.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "files.h"
#include "process.h"

namespace lockstep::program {

struct Layout {
  int ranks = kOneProcess;  // without mpirun
  int threads = 1;
};

// In a folder of its own with a configuration points.toml: 7 steps per epoch, the last of them short; a
// checkpoint every 5 steps and every epoch; everything is logged.
class PointsRun : public testing::Test {
 public:
  static constexpr std::size_t kEpochs = 20, kStepsPerEpoch = 7;

  PointsRun();

  // The words of a training run into the folder `out`; `more` are words, or settings with a '='.
  std::vector<std::string> words(const std::string& out, const std::vector<std::string>& more,
                                 const Layout& layout) const;
  Outcome train(const std::string& out, const std::vector<std::string>& more = {},
                const Layout& layout = {}) const;
  // The same, which must end with code 0.
  void finish(const std::string& out, const std::vector<std::string>& more = {},
              const Layout& layout = {}) const;

  // Starts a run and, when a checkpoint of `step` or later is there, calls `disturb` with the job's ranks.
  // Returns how it ended, when all of its ranks have.
  Outcome disturbed(const std::string& out, const std::vector<std::string>& more, const Layout& layout,
                    std::size_t step, const std::function<void(const std::vector<pid_t>&)>& disturb) const;

  // Fails unless weights and tables of two finished runs are the same, but for the time they took.
  void expect_same_run(const std::string& a, const std::string& b) const;

  std::filesystem::path checkpoints(const std::string& out) const { return folder_ / (out + "/checkpoints"); }
  std::filesystem::path checkpoint(const std::string& out, std::size_t step) const;
  std::size_t newest_step(const std::string& out) const;  // 0: none

  const TemporaryFolder& folder() const { return folder_; }

 protected:
  TemporaryFolder folder_;
};

// The rows of metrics.csv without the columns that say how long they took.
std::vector<std::map<std::string, std::string>> metrics_without_times(const std::filesystem::path& path);

// The epoch of the lowest or the highest value in a column of metrics.csv, the first of equals.
std::size_t epoch_of_lowest(const Table& metrics, const std::string& column);
std::size_t epoch_of_highest(const Table& metrics, const std::string& column);

}  // namespace lockstep::program
