#include "run/run_place.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <system_error>

#include "base/error.h"
#include "report/tensorboard.h"
#include "train/checkpoint_folder.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;

// What a run writes, and lockstep eval after it, beside the checkpoints.
constexpr const char* kFilesOfRun[] = {
    "config.toml",   "metrics.csv", "summary.json", "model.safetensors", "last.safetensors", "steps.csv",
    "gradients.csv", "layers.csv",  "film.csv",     "events.jsonl",      "grid.csv",         "points.csv",
    "confusion.csv", "weights.ppm", "network.csv",  "predictions.csv",   "mistakes.csv",     "mistakes.ppm"};
constexpr const char* kCheckpoints = "checkpoints";
constexpr const char* kLock = ".lock";  // whoever trains in a folder leaves it there
constexpr const char* kNext = ".next";
constexpr const char* kReplacing = ".replacing";
constexpr const char* kMoving = ".moving";

FileLock lock(const fs::path& path) {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  try {
    return FileLock(path / kLock, fmt::format("process {} on {}\n", ::getpid(), host));
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::resource_unavailable_try_again) throw;
    const std::string owner = read_file(path / kLock);
    throw ConfigError(fmt::format("{}: another run writes there ({}), expected a folder of this run's own",
                                  path.string(), owner.substr(0, owner.find('\n'))));
  }
}

bool has_rows(const fs::path& table) {
  if (!fs::is_regular_file(table)) return false;
  std::ifstream file(table);
  std::string line;
  return std::getline(file, line) && std::getline(file, line);
}

// The files of a folder that are called as a run's, beside the checkpoints.
std::vector<fs::path> files_of_run(const fs::path& folder) {
  std::vector<fs::path> files = report::TensorBoardFile::files(folder);
  for (const char* name : kFilesOfRun)
    if (fs::exists(fs::symlink_status(folder / name))) files.push_back(folder / name);
  return files;
}

void delete_run(const fs::path& folder) {
  for (const fs::path& file : files_of_run(folder))  // a link is not a run's
    if (fs::symlink_status(file).type() == fs::file_type::regular) fs::remove(file);
  train::CheckpointFolder::clear(folder / kCheckpoints);
}

void finish_replacement(const fs::path& out) {
  if (fs::exists(out / kReplacing)) {
    delete_run(out);
    fs::rename(out / kReplacing, out / kMoving);
  }
  const fs::path moving = out / kMoving;
  if (!fs::exists(moving)) return;
  fs::create_directories(out / kCheckpoints);
  for (const fs::path& folder : {moving / kCheckpoints, moving}) {
    std::vector<fs::path> files;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none))
      if (!entry.is_directory()) files.push_back(entry.path());
    for (const fs::path& file : files) fs::rename(file, out / fs::relative(file, moving));
  }
  fs::remove_all(moving);
}

}  // namespace

std::optional<std::string> found_run(const fs::path& folder) {
  for (const char* name : {"summary.json", "model.safetensors"})
    if (fs::exists(folder / name)) return name;
  const auto checkpoints = train::CheckpointFolder::files(folder / kCheckpoints);
  if (!checkpoints.empty()) return fmt::format("{}/{}", kCheckpoints, checkpoints[0].filename().string());
  if (has_rows(folder / "metrics.csv")) return "metrics.csv";
  return std::nullopt;
}

void expect_replaceable(const fs::path& file, const std::string& content) {
  if (fs::exists(file.parent_path() / kLock)) return;
  std::ifstream other(file);
  std::string line;
  if (other && std::getline(other, line) && line != content.substr(0, content.find('\n')))
    throw ConfigError(fmt::format("{}: is in the way, and is another table or none, expected another --out",
                                  file.string()));
}

RunPlace::RunPlace(const PlaceOptions& options) : out_(options.out), overwrite_(options.overwrite) {
  for (const char* begun : {kReplacing, kMoving})
    if (fs::exists(out_ / begun)) {
      if (!lock_) lock_.emplace(lock(out_));
      finish_replacement(out_);
    }
  const fs::path checkpoints = out_ / kCheckpoints;
  for (const std::string& resume : options.resume) {
    if (resume != "auto") {
      resume_ = resume;
      continue;
    }
    again_ = true;
    const bool of_another = overwrite_ && (fs::exists(out_ / kNext) || fs::exists(out_ / "summary.json"));
    if (!train::CheckpointFolder::files(checkpoints).empty() && !of_another) resume_ = "latest";
  }
  std::error_code missing;
  goes_on_ = resume_ == "latest" ||
             (!resume_.empty() && fs::equivalent(fs::absolute(resume_).parent_path(), checkpoints, missing));
  if (!lock_ && fs::exists(out_ / kLock)) lock_.emplace(lock(out_));
  refuse_other_runs();
}

void RunPlace::refuse_other_runs() const {
  if (goes_on_) return;
  const std::optional<std::string> found = found_run(out_);
  if (!fs::exists(out_ / kLock)) {
    const std::vector<fs::path> files = files_of_run(out_);
    if (found || !files.empty())
      throw ConfigError(fmt::format("{}: is in the way, and not known to be of a run, expected another --out",
                                    (found ? out_ / *found : files.front()).string()));
  }
  const bool rows_alone = found == "metrics.csv";
  if (found && !overwrite_ && !(again_ && rows_alone))
    throw ConfigError(fmt::format(
        "{}: holds a run ({}), expected {}another --out, or --overwrite to replace it", out_.string(), *found,
        train::CheckpointFolder::files(out_ / kCheckpoints).empty() ? ""
                                                                    : "--resume latest to go on with it, "));
}

fs::path RunPlace::files() const { return beside_ ? out_ / kNext : out_; }

void RunPlace::begin() {
  fs::create_directories(out_);
  if (!lock_) {
    refuse_other_runs();
    lock_.emplace(lock(out_));
    refuse_other_runs();  // one may have been there between
  }
  fs::remove_all(out_ / kNext);  // of a run that came to nothing
  if (goes_on_) return;
  beside_ = found_run(out_).has_value();
  if (beside_)
    fs::create_directory(out_ / kNext);
  else
    delete_run(out_);
}

void RunPlace::replace() {
  if (fs::exists(out_ / kNext)) fs::rename(out_ / kNext, out_ / kReplacing);
  finish_replacement(out_);
  beside_ = false;
}

}  // namespace lockstep::run
