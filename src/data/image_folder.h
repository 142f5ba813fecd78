// Images in folders, a folder for each class: DIR/train/CLASS/FILE and DIR/test/CLASS/FILE, or DIR/CLASS/FILE
// where all are to be trained on or data.test_fraction divides them. image_file.h says what a file may be.
//
// Classes are the folders' names in the order of their bytes; samples the files, class after class, in the
// order of theirs. Names that begin with a dot are passed over.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace lockstep::data {

class ImageFolder final : public Dataset {
 public:
  // Lists the folders; reads an image only to know their size, where options.image does not say it. classes:
  // those that there may be, of a network that was trained; empty: those of the training images.
  // Throws DataError, which names the folder or file, what was found and what was expected: where it is
  // missing, holds anything but images, or there are fewer than 2 classes, or a class only in test/. Throws
  // ConfigError on an image size that none can have.
  ImageFolder(const DataOptions& options, const std::vector<std::string>& classes);

  DatasetInfo info() const override { return info_; }
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override;
  std::vector<float> targets(Split split) const override { return part(split).targets; }
  std::vector<FileHash> files() const override;

 private:
  struct Part {
    std::filesystem::path folder;
    std::vector<std::filesystem::path> files = {};
    std::vector<float> targets = {};
  };
  // The images below a folder of classes' folders.
  static Part list(const std::filesystem::path& folder, const std::vector<std::string>& classes);
  const Part& part(Split split) const { return split == Split::kTrain ? train_ : test_; }

  Part train_, test_;
  DatasetInfo info_;
};

// All of its files, for options as the constructor takes them. Throws as it does.
std::vector<std::filesystem::path> image_files(const DataOptions& options);

}  // namespace lockstep::data
