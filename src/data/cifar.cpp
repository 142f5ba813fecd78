#include "data/cifar.h"

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

struct RecordFile {
  const char* name;
  std::size_t records;
};
constexpr RecordFile kFilesOf10[] = {{"data_batch_1.bin", 10000}, {"data_batch_2.bin", 10000},
                                     {"data_batch_3.bin", 10000}, {"data_batch_4.bin", 10000},
                                     {"data_batch_5.bin", 10000}, {"test_batch.bin", 10000}};
constexpr RecordFile kFilesOf100[] = {{"train.bin", 50000}, {"test.bin", 10000}};

constexpr const char* kNamesOf10[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                      "dog",      "frog",       "horse", "ship", "truck"};
constexpr const char* kCoarseNames[] = {"aquatic_mammals",
                                        "fish",
                                        "flowers",
                                        "food_containers",
                                        "fruit_and_vegetables",
                                        "household_electrical_devices",
                                        "household_furniture",
                                        "insects",
                                        "large_carnivores",
                                        "large_man-made_outdoor_things",
                                        "large_natural_outdoor_scenes",
                                        "large_omnivores_and_herbivores",
                                        "medium_mammals",
                                        "non-insect_invertebrates",
                                        "people",
                                        "reptiles",
                                        "small_mammals",
                                        "trees",
                                        "vehicles_1",
                                        "vehicles_2"};
constexpr const char* kFineNames[] = {
    "apple",      "aquarium_fish", "baby",         "bear",       "beaver",      "bed",         "bee",
    "beetle",     "bicycle",       "bottle",       "bowl",       "boy",         "bridge",      "bus",
    "butterfly",  "camel",         "can",          "castle",     "caterpillar", "cattle",      "chair",
    "chimpanzee", "clock",         "cloud",        "cockroach",  "couch",       "crab",        "crocodile",
    "cup",        "dinosaur",      "dolphin",      "elephant",   "flatfish",    "forest",      "fox",
    "girl",       "hamster",       "house",        "kangaroo",   "keyboard",    "lamp",        "lawn_mower",
    "leopard",    "lion",          "lizard",       "lobster",    "man",         "maple_tree",  "motorcycle",
    "mountain",   "mouse",         "mushroom",     "oak_tree",   "orange",      "orchid",      "otter",
    "palm_tree",  "pear",          "pickup_truck", "pine_tree",  "plain",       "plate",       "poppy",
    "porcupine",  "possum",        "rabbit",       "raccoon",    "ray",         "road",        "rocket",
    "rose",       "sea",           "seal",         "shark",      "shrew",       "skunk",       "skyscraper",
    "snail",      "snake",         "spider",       "squirrel",   "streetcar",   "sunflower",   "sweet_pepper",
    "table",      "tank",          "telephone",    "television", "tiger",       "tractor",     "train",
    "trout",      "tulip",         "turtle",       "wardrobe",   "whale",       "willow_tree", "wolf",
    "woman",      "worm"};
static_assert(std::size(kCoarseNames) == kCifar100Coarse.classes);
static_assert(std::size(kFineNames) == kCifar100Fine.classes);

bool is_cifar10(const std::string& name) { return name == "cifar10"; }
const char* title(const std::string& name) { return is_cifar10(name) ? "CIFAR-10" : "CIFAR-100"; }

std::span<const RecordFile> all_files(const std::string& name) {
  return is_cifar10(name) ? std::span<const RecordFile>(kFilesOf10)
                          : std::span<const RecordFile>(kFilesOf100);
}
// The last file is the test set's.
std::span<const RecordFile> files_of_split(const std::string& name, Split split) {
  const auto files = all_files(name);
  return split == Split::kTest ? files.last(1) : files.first(files.size() - 1);
}

std::span<const char* const> class_names(const CifarLabels& labels) {
  if (labels.classes == std::size(kNamesOf10)) return kNamesOf10;
  return labels.classes == std::size(kFineNames) ? std::span<const char* const>(kFineNames)
                                                 : std::span<const char* const>(kCoarseNames);
}

CifarLabels labels_of(const DataOptions& options) {
  if (is_cifar10(options.dataset)) return kCifar10Labels;
  return options.labels == Labels::kFine ? kCifar100Fine : kCifar100Coarse;
}

std::filesystem::path folder_of(const DataOptions& options) {
  if (!options.dir.empty()) return options.dir;
  if (!is_cifar10(options.dataset)) return "data/cifar-100-binary";
  const char* variable = std::getenv("CIFAR10_DIR");
  return variable != nullptr && *variable != '\0' ? variable : "data/cifar-10-batches-bin";
}

}  // namespace

std::vector<std::filesystem::path> cifar_files(const DataOptions& options) {
  std::vector<std::filesystem::path> files;
  for (const RecordFile& file : all_files(options.dataset)) files.push_back(folder_of(options) / file.name);
  return files;
}

void read_cifar_records(std::istream& file, const std::string& name, const CifarLabels& labels,
                        std::span<const std::uint32_t> sample_ids, std::size_t first, SampleStore& store,
                        std::size_t first_row) {
  if (sample_ids.empty()) return;
  const std::size_t records = sample_ids.back() - first + 1, size = labels.record();
  constexpr std::size_t kBlockRecords = 256;
  std::vector<char> block(std::min(kBlockRecords, records) * size);
  std::size_t i = 0;
  for (std::size_t begin = 0; i < sample_ids.size(); begin += kBlockRecords) {
    const std::size_t count = std::min(kBlockRecords, records - begin);
    if (!file.read(block.data(), static_cast<std::streamsize>(count * size)))
      throw DataError(fmt::format("{}: cannot read records {}..{}: {}", name, begin, begin + count - 1,
                                  file.eof() ? "the file ends before" : std::strerror(errno)));
    for (; i < sample_ids.size() && sample_ids[i] - first < begin + count; ++i) {
      const char* record = block.data() + (sample_ids[i] - first - begin) * size;
      const auto label = static_cast<std::uint8_t>(record[labels.at]);
      if (label >= labels.classes)
        throw DataError(fmt::format("{}: record {} has label {}, expected 0..{}", name, sample_ids[i] - first,
                                    label, labels.classes - 1));
      store.targets[first_row + i] = label;
      std::memcpy(store.pixel_row(first_row + i).data(), record + labels.bytes, kImageBytes);
    }
  }
}

Cifar::Cifar(const DataOptions& options)
    : name_(options.dataset), labels_(labels_of(options)), folder_(folder_of(options)) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder_, error)) {
    const bool missing = !error || error == std::errc::no_such_file_or_directory;
    throw DataError(
        fmt::format("{}: {}, expected the {} binary files ({} downloads them; {} says where they are)",
                    folder_.string(), missing ? "no such folder" : error.message(), title(name_),
                    is_cifar10(name_) ? "launch/get-cifar10" : "launch/get-data cifar100",
                    is_cifar10(name_) ? "data.dir or CIFAR10_DIR" : "data.dir"));
  }
  for (const RecordFile& file : all_files(name_)) {
    const std::filesystem::path path = folder_ / file.name;
    const auto size = std::filesystem::file_size(path, error);
    if (error) throw DataError(fmt::format("{}: {}", path.string(), error.message()));
    if (size != file.records * labels_.record())
      throw DataError(fmt::format("{}: has {} bytes, expected {} ({} {} records of {})", path.string(), size,
                                  file.records * labels_.record(), file.records, title(name_),
                                  labels_.record()));
  }
}

DatasetInfo Cifar::info() const {
  const auto samples = [&](Split split) {
    std::size_t records = 0;
    for (const RecordFile& file : files_of_split(name_, split)) records += file.records;
    return records;
  };
  const auto names = class_names(labels_);
  return {.name = name_,
          .channels = kImageChannels,
          .channel_size = kImageChannelSize,
          .classes = labels_.classes,
          .class_names = {names.begin(), names.end()},
          .image = ImageSize{kImageChannels, kImageSide, kImageSide},
          .channel_names = {"red", "green", "blue"},
          .train_samples = samples(Split::kTrain),
          .test_samples = samples(Split::kTest),
          .function = {},
          .note = {}};
}

SampleStore Cifar::load(Split split, std::span<const std::uint32_t> samples) const {
  SampleStore store = SampleStore::of_pixels(samples.size(), kImageBytes);
  std::size_t row = 0, first = 0;
  for (const RecordFile& records : files_of_split(name_, split)) {
    const auto end = std::lower_bound(samples.begin(), samples.end(), first + records.records);
    const auto part = samples.subspan(row, static_cast<std::size_t>(end - samples.begin()) - row);
    const auto path = folder_ / records.name;
    std::ifstream file(path, std::ios::binary);
    read_cifar_records(file, path.string(), labels_, part, first, store, row);
    row += part.size();
    first += records.records;
  }
  return store;
}

std::vector<FileHash> Cifar::files() const {
  constexpr std::size_t kEvery = 500;
  const std::size_t size = labels_.record();
  std::vector<FileHash> hashes;
  for (const RecordFile& records : all_files(name_)) {
    const auto path = folder_ / records.name;
    std::ifstream file(path, std::ios::binary);
    std::vector<char> bytes(records.records / kEvery * size);
    for (std::size_t i = 0; i < records.records / kEvery; ++i)
      if (!file.seekg(static_cast<std::streamoff>(i * kEvery * size)) ||
          !file.read(bytes.data() + i * size, static_cast<std::streamsize>(size)))
        throw DataError(fmt::format("{}: cannot read record {}: {}", path.string(), i * kEvery,
                                    file.eof() ? "the file ends before" : std::strerror(errno)));
    hashes.push_back({path, hash64(std::as_bytes(std::span(bytes)))});
  }
  return hashes;
}

}  // namespace lockstep::data
