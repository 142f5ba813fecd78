#include "data/image_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/image_file.h"

namespace lockstep::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLayout =
    "folders of PNG, PGM or PPM images, one for each class, or train and test with such folders";

// What is in a folder, but for names that begin with a dot, in the order of their bytes.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (!entry->path().filename().string().starts_with('.')) entries.push_back(entry->path());
  if (error) throw DataError(fmt::format("{}: {}, expected {}", folder.string(), error.message(), kLayout));
  std::sort(entries.begin(), entries.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return entries;
}

bool has_image_ending(const fs::path& file) {
  std::string ending = file.extension().string();
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return ending == ".png" || ending == ".pgm" || ending == ".ppm";
}

// The names of a folder's folders; nothing else may be in it.
std::vector<std::string> class_folders(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path& entry : entries_of(folder)) {
    if (!fs::is_directory(entry))
      throw DataError(
          fmt::format("{}: is beside the classes' folders, expected {}", entry.string(), kLayout));
    names.push_back(entry.filename().string());
  }
  return names;
}

std::string content_of(const fs::path& file) {
  try {
    return read_file(file);
  } catch (const std::system_error& error) {
    throw DataError(fmt::format("{}: cannot be read: {}", file.string(), error.code().message()));
  }
}

// The folder that has the training images, and the one that has the test images, if any.
struct SplitFolders {
  fs::path train, test;
};
SplitFolders split_folders(const fs::path& folder) {
  if (!fs::is_directory(folder / "train")) return {folder, {}};
  if (fs::is_directory(folder / "test")) return {folder / "train", folder / "test"};
  for (const fs::path& other : entries_of(folder))
    if (other.filename() != "train")
      throw DataError(
          fmt::format("{}: is beside train, expected test there, or nothing else", other.string()));
  return {folder / "train", {}};
}

}  // namespace

std::vector<fs::path> image_files(const DataOptions& options) {
  const SplitFolders folders = split_folders(options.dir);
  std::vector<fs::path> files;
  for (const fs::path& folder : {folders.train, folders.test}) {
    if (folder.empty()) continue;
    for (const std::string& name : class_folders(folder))
      std::ranges::copy(entries_of(folder / name), std::back_inserter(files));
  }
  return files;
}

ImageFolder::Part ImageFolder::list(const fs::path& folder, const std::vector<std::string>& classes) {
  Part part{.folder = folder};
  for (const std::string& name : class_folders(folder)) {
    const auto found = std::ranges::find(classes, name);
    if (found == classes.end())
      throw DataError(fmt::format(
          "{}: is none of the {} classes, expected {}{}", (folder / name).string(), classes.size(),
          fmt::join(std::span(classes).first(std::min<std::size_t>(classes.size(), 10)), ", "),
          classes.size() > 10 ? ", ..." : ""));
    for (const fs::path& file : entries_of(folder / name)) {
      if (!has_image_ending(file) || !fs::is_regular_file(file))
        throw DataError(fmt::format(
            "{}: is not a .png, .pgm or .ppm file, expected only those in a class's folder", file.string()));
      part.files.push_back(file);
      part.targets.push_back(static_cast<float>(found - classes.begin()));
    }
  }
  return part;
}

ImageFolder::ImageFolder(const DataOptions& options, const std::vector<std::string>& classes) {
  if (options.dir.empty())
    throw ConfigError(
        fmt::format("data.dir is not set, expected a folder with data.dataset = \"images\": {}", kLayout));
  std::error_code error;
  if (!fs::is_directory(options.dir, error)) {
    const bool missing = !error || error == std::errc::no_such_file_or_directory;
    throw DataError(fmt::format("{}: {}, expected {}", options.dir.string(),
                                missing ? "no such folder" : error.message(), kLayout));
  }
  const SplitFolders folders = split_folders(options.dir);
  if (!folders.test.empty() && options.test_fraction > 0.0)
    throw ConfigError(fmt::format("data.test_fraction is {}, and {} is there, expected one of them at most",
                                  options.test_fraction, folders.test.string()));
  std::optional<ImageSize> size;
  if (!options.image.empty()) {
    size = {options.image[0], options.image[1], options.image[2]};
    if (size->channels != 1 && size->channels != 3)
      throw ConfigError(fmt::format("data.image = [{}] has {} channels, expected 1 (grey) or 3 (colour)",
                                    fmt::join(options.image, ", "), size->channels));
  }
  info_.name = "images";
  info_.class_names = classes.empty() ? class_folders(folders.train) : classes;
  info_.classes = info_.class_names.size();
  constexpr std::size_t kMaxClasses = 1000;
  if (info_.classes < 2 || info_.classes > kMaxClasses)
    throw DataError(fmt::format("{}: has {} folder{}, expected 2 to {} of them, a class each",
                                folders.train.string(), info_.classes, info_.classes == 1 ? "" : "s",
                                kMaxClasses));
  train_ = list(folders.train, info_.class_names);
  if (!folders.test.empty()) test_ = list(folders.test, info_.class_names);
  if (train_.files.empty())
    throw DataError(fmt::format("{}: has no images, expected {}", folders.train.string(), kLayout));
  if (!size) {
    const std::string name = train_.files.front().string();
    size = decode_image(content_of(name), name).size;
  }
  info_.channels = size->channels;
  info_.channel_size = size->height * size->width;
  info_.image = size;
  if (size->channels == 3) info_.channel_names = {"red", "green", "blue"};
  info_.train_samples = train_.files.size();
  info_.test_samples = test_.files.size();
}

SampleStore ImageFolder::load(Split split, std::span<const std::uint32_t> samples) const {
  const Part& from = part(split);
  SampleStore store = SampleStore::of_pixels(samples.size(), info_.features());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const fs::path& file = from.files[samples[i]];
    const DecodedImage image = decode_image(content_of(file), file.string(), info_.image);
    std::ranges::copy(image.pixels, store.pixel_row(i).begin());
    store.targets[i] = from.targets[samples[i]];
  }
  return store;
}

std::vector<FileHash> ImageFolder::files() const {
  constexpr std::size_t kEvery = 500;  // files whose content is hashed
  std::vector<FileHash> hashes;
  for (const Part* part : {&train_, &test_}) {
    if (part->files.empty()) continue;
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < part->files.size(); ++i) {
      const std::string text = part->files[i].lexically_relative(part->folder).string() +
                               (i % kEvery == 0 ? content_of(part->files[i]) : "");
      hash = hash64(std::as_bytes(std::span(text)), hash);
    }
    hashes.push_back({part->folder, hash});
  }
  return hashes;
}

}  // namespace lockstep::data
