#include "data/mnist.h"

#include <fmt/format.h>

#include <system_error>

#include "base/error.h"
#include "base/hash.h"
#include "data/idx_file.h"

namespace lockstep::data {
namespace {

constexpr std::size_t kDigits = 10;  // classes
constexpr const char* kFashionNames[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                         "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

std::filesystem::path idx_folder(const DataOptions& options) {
  if (!options.dir.empty()) return options.dir;
  return options.dataset == "mnist" ? "data/mnist" : "data/fashion-mnist";
}

// The first that is there of NAME, NAME.gz and the two with a dot before "idx", as some archives have it.
std::filesystem::path idx_path(const std::filesystem::path& folder, Split split, const char* kind,
                               int dimensions) {
  const std::string begin = fmt::format("{}-{}", split == Split::kTrain ? "train" : "t10k", kind);
  for (const char* separator : {"-", "."})
    for (const char* ending : {"", ".gz"}) {
      const auto path = folder / fmt::format("{}{}idx{}-ubyte{}", begin, separator, dimensions, ending);
      std::error_code ignored;
      if (std::filesystem::is_regular_file(path, ignored)) return path;
    }
  return folder / fmt::format("{}-idx{}-ubyte", begin, dimensions);
}
std::filesystem::path image_path(const std::filesystem::path& folder, Split split) {
  return idx_path(folder, split, "images", 3);
}
std::filesystem::path label_path(const std::filesystem::path& folder, Split split) {
  return idx_path(folder, split, "labels", 1);
}

void expect_there(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) return;
  throw DataError(fmt::format("{}: {}, also not with .gz", path.string(),
                              error ? error.message() : std::string("no such file")));
}

}  // namespace

std::vector<std::filesystem::path> mnist_files(const DataOptions& options) {
  const auto folder = idx_folder(options);
  return {image_path(folder, Split::kTrain), label_path(folder, Split::kTrain),
          image_path(folder, Split::kTest), label_path(folder, Split::kTest)};
}

Mnist::Mnist(const DataOptions& options) : name_(options.dataset) {
  const std::filesystem::path folder = idx_folder(options);
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    const bool missing = !error || error == std::errc::no_such_file_or_directory;
    throw DataError(fmt::format(
        "{}: {}, expected train-images-idx3-ubyte and the other three files (launch/get-data {} downloads "
        "them; data.dir says where they are)",
        folder.string(), missing ? "no such folder" : error.message(),
        name_ == "mnist" ? "mnist" : "fashion-mnist"));
  }
  train_ = read_part(folder, Split::kTrain);
  test_ = read_part(folder, Split::kTest);
  if (test_.height != train_.height || test_.width != train_.width)
    throw DataError(fmt::format("{}: has images of {} x {} pixels, expected {} x {} as in {}",
                                test_.image_file.string(), test_.height, test_.width, train_.height,
                                train_.width, train_.image_file.string()));
}

Mnist::Part Mnist::read_part(const std::filesystem::path& folder, Split split) {
  Part part{.image_file = image_path(folder, split), .label_file = label_path(folder, split)};
  expect_there(part.image_file);
  expect_there(part.label_file);
  IdxFile images(part.image_file, 3, "images"), labels(part.label_file, 1, "labels");
  const std::size_t n = images.sizes()[0];
  part.height = images.sizes()[1];
  part.width = images.sizes()[2];
  if (labels.sizes()[0] != n)
    throw DataError(fmt::format("{}: has {} labels, expected {} as {} has images", part.label_file.string(),
                                labels.sizes()[0], n, part.image_file.string()));
  constexpr std::size_t kEvery = 500;  // images that are hashed
  std::vector<std::uint8_t> image(images.item_bytes());
  for (std::size_t i = 0; i < n; ++i) {
    labels.read({&part.labels.emplace_back(), 1});
    images.read(image);
    if (part.labels[i] >= kDigits)
      throw DataError(fmt::format("{}: label {} is {}, expected 0..{}", part.label_file.string(), i,
                                  part.labels[i], kDigits - 1));
    if (i % kEvery == 0) part.image_hash = hash64(std::as_bytes(std::span(image)), part.image_hash);
  }
  labels.expect_end();
  images.expect_end();
  part.label_hash = hash64(std::as_bytes(std::span(part.labels)));
  return part;
}

DatasetInfo Mnist::info() const {
  std::vector<std::string> names;
  if (name_ != "mnist") names.assign(std::begin(kFashionNames), std::end(kFashionNames));
  return {.name = name_,
          .channels = 1,
          .channel_size = train_.height * train_.width,
          .classes = kDigits,
          .class_names = std::move(names),
          .image = ImageSize{1, train_.height, train_.width},
          .train_samples = train_.labels.size(),
          .test_samples = test_.labels.size(),
          .function = {},
          .note = {}};
}

SampleStore Mnist::load(Split split, std::span<const std::uint32_t> samples) const {
  const Part& from = part(split);
  SampleStore store = SampleStore::of_pixels(samples.size(), from.height * from.width);
  if (samples.empty()) return store;
  IdxFile images(from.image_file, 3, "images");
  if (images.sizes() != std::vector<std::size_t>{from.labels.size(), from.height, from.width})
    throw DataError(fmt::format("{}: has changed since it was opened", from.image_file.string()));
  std::size_t next = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    images.skip(samples[i] - next);
    images.read(store.pixel_row(i));
    next = samples[i] + 1;
    store.targets[i] = from.labels[samples[i]];
  }
  return store;
}

std::vector<FileHash> Mnist::files() const {
  return {{train_.image_file, train_.image_hash},
          {train_.label_file, train_.label_hash},
          {test_.image_file, test_.image_hash},
          {test_.label_file, test_.label_hash}};
}

}  // namespace lockstep::data
