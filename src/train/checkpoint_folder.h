// The checkpoints of a run: step-000001234.safetensors, the newest few, and best.safetensors.
//
// Files are written by a thread of their own while training goes on, from a copy of the state unless that is
// large. A file appears whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "train/checkpoint.h"

namespace lockstep::train {

class CheckpointFolder {
 public:
  // Called with a checkpoint that is on the disk: its step and its file. In the thread that wrote it.
  using OnWritten = std::function<void(std::size_t step, const std::filesystem::path& file)>;

  // Makes the folder. Throws std::system_error. `tensors` must outlive it, and what on_written refers to.
  CheckpointFolder(std::filesystem::path path, const std::vector<nn::Tensor>& tensors, std::size_t keep,
                   OnWritten on_written = {});
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;
  ~CheckpointFolder();

  // Deletes the checkpoints of a folder, the best one too.
  static void clear(const std::filesystem::path& folder);
  // Takes away the checkpoints of later steps, whole or broken: the run goes on from this one.
  void forget_after(std::size_t step);

  // Begins to write a checkpoint, as the best one too if `best`; waits for the one before first. Returns what
  // went wrong with that, or "".
  std::string write(Checkpoint checkpoint, bool best);
  // The same from a state that may change afterwards: a small one is copied, a large one written before this
  // returns, which is little beside its epoch. Returns what went wrong so far.
  std::string write(const TrainingStateView& state, nn::TensorMetadata run, bool best);
  // Waits until all is written. Returns what went wrong with the last, or "".
  std::string wait();

  // The file that holds the checkpoint of a step.
  std::filesystem::path file_of(std::size_t step) const;

  // The files of a folder, newest first.
  static std::vector<std::filesystem::path> files(const std::filesystem::path& folder);

 private:
  // Calls save(file) for the file of the step, then tends the folder. Returns what went wrong, or "".
  template <typename Save>
  std::string write_now(std::size_t step, bool best, Save&& save) const;

  std::filesystem::path path_;
  const std::vector<nn::Tensor>& tensors_;
  std::size_t keep_;
  OnWritten on_written_;
  std::future<std::string> writing_;
};

// The content of the newest whole checkpoint of a folder, of whatever network. skipped: a line for each newer
// one that is not whole, with the reason. Throws ModelError where there is none.
struct FoundCheckpoint {
  std::filesystem::path path;
  std::string content;
  std::vector<std::string> skipped;
};
FoundCheckpoint find_latest(const std::filesystem::path& folder);

}  // namespace lockstep::train
