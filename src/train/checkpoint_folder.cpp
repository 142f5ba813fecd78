#include "train/checkpoint_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "base/file.h"

namespace lockstep::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBest = "best.safetensors";

bool is_checkpoint(const std::string& name) {
  return name.starts_with("step-") && name.ends_with(".safetensors");
}

bool is_half_written(const std::string& name) {
  return (name.starts_with("step-") || name.starts_with(kBest)) &&
         name.find(".safetensors.tmp") != std::string::npos;
}

std::vector<fs::path> files_that(const fs::path& folder, bool (*wanted)(const std::string& name)) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (wanted(entry.path().filename().string())) files.push_back(entry.path());
  return files;
}

// Of two names of checkpoints: is the first of a later step?
bool is_newer(const fs::path& a, const fs::path& b) {
  const std::string x = a.filename().string(), y = b.filename().string();
  return x.size() != y.size() ? x.size() > y.size() : x > y;
}

// Makes `to` the same file as `from`, or a copy where the file system has no links, atomically.
void replace_by_link(const fs::path& from, const fs::path& to) {
  const fs::path temporary = to.string() + ".tmp";
  fs::remove(temporary);
  std::error_code no_links;
  fs::create_hard_link(from, temporary, no_links);
  if (no_links) fs::copy_file(from, temporary);
  fs::rename(temporary, to);
}

}  // namespace

CheckpointFolder::CheckpointFolder(fs::path path, const std::vector<nn::Tensor>& tensors, std::size_t keep,
                                   OnWritten on_written)
    : path_(std::move(path)), tensors_(tensors), keep_(keep), on_written_(std::move(on_written)) {
  fs::create_directories(path_);
  for (const fs::path& file : files_that(path_, is_half_written))
    fs::remove(file);  // of a run that was killed while it wrote
}

CheckpointFolder::~CheckpointFolder() { wait(); }

void CheckpointFolder::clear(const fs::path& folder) {
  for (const fs::path& file : files(folder)) fs::remove(file);
  fs::remove(folder / kBest);
}

void CheckpointFolder::forget_after(std::size_t step) {
  for (const fs::path& file : files(path_))
    if (is_newer(file, file_of(step))) fs::remove(file);
}

template <typename Save>
std::string CheckpointFolder::write_now(std::size_t step, bool best, Save&& save) const {
  const fs::path file = file_of(step);
  try {
    save(file);
    if (best) replace_by_link(file, path_ / kBest);
    const std::vector<fs::path> all = files(path_);
    for (std::size_t i = keep_; i < all.size(); ++i) fs::remove(all[i]);
    if (on_written_) on_written_(step, file);
    return "";
  } catch (const std::system_error& error) {
    return fmt::format("{}: cannot be written: {}", file.string(), error.code().message());
  }
}

std::string CheckpointFolder::write(Checkpoint checkpoint, bool best) {
  std::string problem = wait();
  writing_ = std::async(std::launch::async, [this, best, checkpoint = std::move(checkpoint)] {
    return write_now(checkpoint.training.step, best,
                     [&](const fs::path& file) { save_checkpoint(file, tensors_, checkpoint); });
  });
  return problem;
}

std::string CheckpointFolder::write(const TrainingStateView& state, nn::TensorMetadata run, bool best) {
  constexpr std::size_t kMaxCopy = std::size_t{1} << 22;  // bytes
  if (state.parameters.size_bytes() <= kMaxCopy) return write({copy_of(state), std::move(run)}, best);
  const std::string before = wait();
  const std::string now = write_now(state.step, best, [&](const fs::path& file) {
    save_checkpoint(file, tensors_, state, std::move(run));
  });
  return now.empty() ? before : now;
}

std::string CheckpointFolder::wait() { return writing_.valid() ? writing_.get() : ""; }

fs::path CheckpointFolder::file_of(std::size_t step) const {
  return path_ / fmt::format("step-{:09}.safetensors", step);
}

std::vector<fs::path> CheckpointFolder::files(const fs::path& folder) {
  std::vector<fs::path> found = files_that(folder, is_checkpoint);
  std::sort(found.begin(), found.end(), is_newer);
  return found;
}

FoundCheckpoint find_latest(const fs::path& folder) {
  FoundCheckpoint found;
  for (const fs::path& file : CheckpointFolder::files(folder)) {
    try {
      std::string content = read_file(file);
      parse_checkpoint(nn::SafetensorsFile::parse(content, file.string()), file.string());
      found.path = file;
      found.content = std::move(content);
      return found;
    } catch (const ModelError& error) {
      found.skipped.push_back(error.what());
    } catch (const std::system_error& error) {
      found.skipped.push_back(fmt::format("{}: cannot be read: {}", file.string(), error.code().message()));
    }
  }
  throw ModelError(
      found.skipped.empty()
          ? fmt::format("{}: has no checkpoint, expected one to go on from", folder.string())
          : fmt::format("{}: has no whole checkpoint, expected one to go on from; the newest: {}",
                        folder.string(), found.skipped.front()));
}

}  // namespace lockstep::train
