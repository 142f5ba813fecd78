// CIFAR-10 and CIFAR-100 in their binary versions: files of records. A record of CIFAR-10 is a label byte
// (0..9), one of CIFAR-100 two: its coarse class (0..19) and its fine one (0..99); then 1024 red, 1024 green
// and 1024 blue bytes, each 32 x 32 row by row. Source: Krizhevsky, "Learning Multiple Layers of Features
// from Tiny Images" (2009), and the sets' web page.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace lockstep::data {

// An image: three channels of 32 x 32 bytes; in CIFAR-10 of one of ten classes.
inline constexpr std::size_t kImageChannels = 3, kImageSide = 32, kImageClasses = 10;
inline constexpr std::size_t kImageChannelSize = kImageSide * kImageSide;
inline constexpr std::size_t kImageBytes = kImageChannels * kImageChannelSize;

// Where a record has its label, and how many classes there are.
struct CifarLabels {
  std::size_t bytes, at, classes;

  std::size_t record() const { return bytes + kImageBytes; }
};
inline constexpr CifarLabels kCifar10Labels = {1, 0, 10};
inline constexpr CifarLabels kCifar100Coarse = {2, 0, 20}, kCifar100Fine = {2, 1, 100};

class Cifar final : public Dataset {
 public:
  // options.dataset: "cifar10" or "cifar100". options.dir: where its .bin files are; empty: of CIFAR-10
  // $CIFAR10_DIR, else data/cifar-10-batches-bin; of CIFAR-100 data/cifar-100-binary.
  // Throws DataError where the folder or a file is missing, or a file has the wrong size.
  explicit Cifar(const DataOptions& options);

  DatasetInfo info() const override;
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override;
  std::vector<FileHash> files() const override;

 private:
  std::string name_;
  CifarLabels labels_;
  std::filesystem::path folder_;
};

// Where the files are, for options as the constructor takes them.
std::vector<std::filesystem::path> cifar_files(const DataOptions& options);

// Copies the records that are wanted of one file: sample_ids[i] - first (strictly ascending) is a record's
// place in the file, row first_row + i of `store` its destination. `name` is for messages. Throws DataError
// where the file ends before or a label is not below labels.classes.
void read_cifar_records(std::istream& file, const std::string& name, const CifarLabels& labels,
                        std::span<const std::uint32_t> sample_ids, std::size_t first, SampleStore& store,
                        std::size_t first_row);

}  // namespace lockstep::data
