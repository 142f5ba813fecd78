// CIFAR-10 in its binary version: five training files and a test file of 10,000 records each; a record is one
// label byte (0..9), then 1024 red, 1024 green and 1024 blue bytes, each 32 x 32 row by row. Source:
// Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009), and the set's web page.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace lockstep::data {

// An image: three channels of 32 x 32 bytes, of one of ten classes.
inline constexpr std::size_t kImageChannels = 3, kImageSide = 32, kImageClasses = 10;
inline constexpr std::size_t kImageChannelSize = kImageSide * kImageSide;
inline constexpr std::size_t kImageBytes = kImageChannels * kImageChannelSize;

class Cifar10 final : public Dataset {
 public:
  // folder: where the six .bin files are; empty: $CIFAR10_DIR, else data/cifar-10-batches-bin.
  // Throws DataError where the folder or a file is missing, or a file has the wrong size.
  explicit Cifar10(const std::filesystem::path& folder);

  DatasetInfo info() const override;
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override;
  std::vector<FileHash> files() const override;

 private:
  std::filesystem::path folder_;
};

// Where the six files are, for a folder as the constructor takes it.
std::vector<std::filesystem::path> cifar10_files(const std::filesystem::path& folder);

// Copies the records that are wanted of one file: sample_ids[i] - first (strictly ascending) is a record's
// place in the file, row first_row + i of `store` its destination. `name` is for messages. Throws DataError
// where the file ends before or a label is above 9.
void read_cifar10_records(std::istream& file, const std::string& name,
                          std::span<const std::uint32_t> sample_ids, std::size_t first, SampleStore& store,
                          std::size_t first_row);

}  // namespace lockstep::data
