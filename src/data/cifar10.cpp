#include "data/cifar10.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

#include "base/error.h"
#include "base/hash.h"

namespace lockstep::data {
namespace {

constexpr std::size_t kRecord = 1 + kImageBytes;
constexpr std::size_t kRecordsPerFile = 10000;
constexpr std::size_t kFileSize = kRecord * kRecordsPerFile;
constexpr std::size_t kTrainFiles = 5;

std::string file_name(Split split, std::size_t index) {
  return split == Split::kTest ? "test_batch.bin" : fmt::format("data_batch_{}.bin", index + 1);
}

void check_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) throw DataError(fmt::format("{}: {}", path.string(), error.message()));
  if (size != kFileSize)
    throw DataError(fmt::format("{}: has {} bytes, expected {} (10000 CIFAR-10 records of {})", path.string(),
                                size, kFileSize, kRecord));
}

std::filesystem::path folder_of(const std::filesystem::path& chosen) {
  if (!chosen.empty()) return chosen;
  const char* variable = std::getenv("CIFAR10_DIR");
  return variable != nullptr && *variable != '\0' ? variable : "data/cifar-10-batches-bin";
}

}  // namespace

std::vector<std::filesystem::path> cifar10_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (std::size_t i = 0; i < kTrainFiles; ++i)
    files.push_back(folder_of(folder) / file_name(Split::kTrain, i));
  files.push_back(folder_of(folder) / file_name(Split::kTest, 0));
  return files;
}

void read_cifar10_records(std::istream& file, const std::string& name,
                          std::span<const std::uint32_t> sample_ids, std::size_t first, SampleStore& store,
                          std::size_t first_row) {
  if (sample_ids.empty()) return;
  const std::size_t records = sample_ids.back() - first + 1;
  constexpr std::size_t kBlockRecords = 256;
  std::vector<char> block(std::min(kBlockRecords, records) * kRecord);
  std::size_t i = 0;
  for (std::size_t begin = 0; i < sample_ids.size(); begin += kBlockRecords) {
    const std::size_t count = std::min(kBlockRecords, records - begin);
    if (!file.read(block.data(), static_cast<std::streamsize>(count * kRecord)))
      throw DataError(fmt::format("{}: cannot read records {}..{}: {}", name, begin, begin + count - 1,
                                  file.eof() ? "the file ends before" : std::strerror(errno)));
    for (; i < sample_ids.size() && sample_ids[i] - first < begin + count; ++i) {
      const char* record = block.data() + (sample_ids[i] - first - begin) * kRecord;
      const auto label = static_cast<std::uint8_t>(record[0]);
      if (label >= kImageClasses)
        throw DataError(
            fmt::format("{}: record {} has label {}, expected 0..9", name, sample_ids[i] - first, label));
      store.targets[first_row + i] = label;
      std::memcpy(store.pixel_row(first_row + i).data(), record + 1, kImageBytes);
    }
  }
}

Cifar10::Cifar10(const std::filesystem::path& folder) : folder_(folder_of(folder)) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder_, error)) {
    const bool missing = !error || error == std::errc::no_such_file_or_directory;
    throw DataError(fmt::format(
        "{}: {}, expected the CIFAR-10 binary files (launch/get-cifar10 downloads them; data.dir or "
        "CIFAR10_DIR says where they are)",
        folder_.string(), missing ? "no such folder" : error.message()));
  }
  for (std::size_t f = 0; f < kTrainFiles; ++f) check_file(folder_ / file_name(Split::kTrain, f));
  check_file(folder_ / file_name(Split::kTest, 0));
}

DatasetInfo Cifar10::info() const {
  return {.name = "cifar10",
          .channels = kImageChannels,
          .channel_size = kImageChannelSize,
          .classes = kImageClasses,
          .class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
                          "truck"},
          .channel_names = {"red", "green", "blue"},
          .train_samples = kTrainFiles * kRecordsPerFile,
          .test_samples = kRecordsPerFile,
          .function = {},
          .note = {}};
}

SampleStore Cifar10::load(Split split, std::span<const std::uint32_t> samples) const {
  SampleStore store = SampleStore::of_pixels(samples.size(), kImageBytes);
  const std::size_t files = split == Split::kTrain ? kTrainFiles : 1;
  std::size_t row = 0;
  for (std::size_t f = 0; f < files; ++f) {
    const auto end =
        std::lower_bound(samples.begin(), samples.end(), (f + 1) * kRecordsPerFile) - samples.begin();
    const auto part = samples.subspan(row, static_cast<std::size_t>(end) - row);
    const auto path = folder_ / file_name(split, f);
    std::ifstream file(path, std::ios::binary);
    read_cifar10_records(file, path.string(), part, f * kRecordsPerFile, store, row);
    row = static_cast<std::size_t>(end);
  }
  return store;
}

std::vector<FileHash> Cifar10::files() const {
  constexpr std::size_t kEvery = 500;
  std::vector<FileHash> hashes;
  for (const std::filesystem::path& path : cifar10_files(folder_)) {
    std::ifstream file(path, std::ios::binary);
    std::vector<char> records(kRecordsPerFile / kEvery * kRecord);
    for (std::size_t i = 0; i < kRecordsPerFile / kEvery; ++i)
      if (!file.seekg(static_cast<std::streamoff>(i * kEvery * kRecord)) ||
          !file.read(records.data() + i * kRecord, kRecord))
        throw DataError(fmt::format("{}: cannot read record {}: {}", path.string(), i * kEvery,
                                    file.eof() ? "the file ends before" : std::strerror(errno)));
    hashes.push_back({path, hash64(std::as_bytes(std::span(records)))});
  }
  return hashes;
}

}  // namespace lockstep::data
