// Where a training run's files go, and what is there already; on rank 0 alone.
//
// A folder holds a run once there is a checkpoint, model.safetensors, summary.json or a row of metrics.csv.
// Such a run is never deleted unasked. One that is to be replaced stays whole while the new one is written
// beside it, in the hidden folder
// ".next", until that has a checkpoint or is done:
//   .next        is renamed .replacing: the new run can be gone on with, the old one is deleted
//   .replacing   is renamed .moving: nothing of the old run is left, the new one's files move up
//   .moving      is deleted, empty
// A kill leaves one of these names, from which the next run in the folder finishes what was begun.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"

namespace lockstep::run {

// What of a run the folder holds, such as "summary.json"; nothing where it holds none.
std::optional<std::string> found_run(const std::filesystem::path& folder);

// Throws ConfigError where writing a table would replace a file that Lockstep did not write: one with another
// first line, in a folder where no run has been.
void expect_replaceable(const std::filesystem::path& file, const std::string& content);

// What the command line says about the run folder.
struct PlaceOptions {
  std::filesystem::path out;
  std::vector<std::string> resume;  // each --resume: a file, "latest" or "auto"
  bool overwrite = false;
};

class RunPlace {
 public:
  // Decides, before anything is computed, whether the run may write there, and what it goes on from. Writes
  // nothing, but for a replacement that a kill has interrupted. Throws ConfigError where the folder holds a
  // run that this one does not go on with and must not replace, files that no run has written, or another
  // run at work.
  explicit RunPlace(const PlaceOptions& options);

  // A checkpoint's file, or "latest", the newest whole one of the folder; empty: from the start.
  const std::string& resume() const { return resume_; }
  const std::filesystem::path& out() const { return out_; }
  // Where the files are: out(), or a folder within that while it holds another run.
  std::filesystem::path files() const;
  bool beside_another() const { return beside_; }

  // Makes the folder, and deletes what a run without a checkpoint has left. Throws std::system_error, and
  // ConfigError where another run was faster.
  void begin();
  // Ends the other run: its files go, this one's take their place. Throws std::system_error.
  void replace();

 private:
  void refuse_other_runs() const;

  std::filesystem::path out_;
  std::string resume_;
  bool goes_on_ = false;    // with the run that the folder holds
  bool overwrite_ = false;  // such a run
  bool again_ = false;      // an attempt like the one before, whose rows may go
  bool beside_ = false;
  std::optional<FileLock> lock_;
};

}  // namespace lockstep::run
