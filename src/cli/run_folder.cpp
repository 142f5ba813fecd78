#include "cli/run_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>
#include <vector>

#include "base/error.h"

namespace lockstep::cli {
namespace {

namespace fs = std::filesystem;

// What an earlier run, and lockstep eval after it, may have left, beside what every run writes anew.
constexpr const char* kFilesOfRun[] = {"summary.json",  "model.safetensors", "steps.csv",
                                       "gradients.csv", "grid.csv",          "points.csv",
                                       "confusion.csv", "predictions.csv",   "weights.ppm"};

FileLock lock(const fs::path& path) {
  try {
    return FileLock(path / ".lock", fmt::format("process {} on {}\n", ::getpid(), comm::host_name()));
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::resource_unavailable_try_again) throw;
    const std::string owner = read_file(path / ".lock");
    throw ConfigError(fmt::format("{}: another run writes there ({}), expected a folder of this run's own",
                                  path.string(), owner.substr(0, owner.find('\n'))));
  }
}

}  // namespace

RunFolder::RunFolder(const fs::path& path, const LoadedConfig& loaded, const Experiment& experiment,
                     const SavedRun* resumed, std::size_t step)
    : path_(path) {
  const std::vector<nn::Tensor>& tensors = experiment.model().tensors();
  const std::size_t epochs = step / experiment.plan().steps_per_epoch();
  writing(path, [&] {
    fs::create_directories(path);
    lock_.emplace(lock(path));
    checkpoints_.emplace(path / "checkpoints", tensors, loaded.run.checkpoint.keep);
    if (resumed == nullptr) {
      for (const char* old : kFilesOfRun) fs::remove(path / old);
      checkpoints_->clear();
    } else {
      checkpoints_->forget_after(step);
    }
    write_file_atomically(path / "config.toml", config::to_toml(loaded.resolved));
  });
  metrics_.emplace(path / "metrics.csv", resumed == nullptr ? "" : resumed->metrics);
  if (loaded.run.log.steps) steps_.emplace(path / "steps.csv", step);
  if (loaded.run.log.gradients) {
    std::vector<std::string> names;
    for (const nn::Tensor& tensor : tensors) names.push_back(tensor.name);
    gradients_.emplace(path / "gradients.csv", names, epochs);
  }
}

}  // namespace lockstep::cli
