// MNIST and its like in IDX files, plain and gzipped, good and bad.
#include "data/mnist.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>

#include "base/error.h"
#include "support.h"

namespace lockstep::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTrain = 7, kTest = 5, kImageHeight = 3, kImageWidth = 4;

std::string big_endian(std::size_t n) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(n >> shift & 255);
  return bytes;
}

std::string idx(const std::vector<std::size_t>& sizes, const std::string& elements) {
  std::string file("\0\0\x08", 3);
  file += static_cast<char>(sizes.size());
  for (const std::size_t size : sizes) file += big_endian(size);
  return file + elements;
}

// Image i is of the bytes 10 i, 10 i + 1, ...
std::string images(std::size_t n, std::size_t height = kImageHeight, std::size_t width = kImageWidth) {
  std::string pixels;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < height * width; ++j) pixels += static_cast<char>(10 * i + j);
  return idx({n, height, width}, pixels);
}

// Label i is 9 - i.
std::string labels(std::size_t n) {
  std::string bytes;
  for (std::size_t i = 0; i < n; ++i) bytes += static_cast<char>(9 - i);
  return idx({n}, bytes);
}

void write(const fs::path& path, const std::string& content) {
  if (path.extension() != ".gz") {
    std::ofstream(path, std::ios::binary) << content;
    return;
  }
  gzFile file = ::gzopen(path.c_str(), "wb");
  ASSERT_EQ(::gzwrite(file, content.data(), static_cast<unsigned>(content.size())),
            static_cast<int>(content.size()));
  ASSERT_EQ(::gzclose(file), Z_OK);
}

class MnistTest : public testing::Test {
 protected:
  MnistTest() {
    options_.dataset = "mnist";
    options_.dir = folder_.path();
    write_all("-", "");
  }
  // The four files, with names of that kind.
  void write_all(const std::string& separator, const std::string& ending) const {
    for (const auto& entry : fs::directory_iterator(folder_.path())) fs::remove(entry);
    write(file("train-images" + separator + "idx3-ubyte" + ending), images(kTrain));
    write(file("train-labels" + separator + "idx1-ubyte" + ending), labels(kTrain));
    write(file("t10k-images" + separator + "idx3-ubyte" + ending), images(kTest));
    write(file("t10k-labels" + separator + "idx1-ubyte" + ending), labels(kTest));
  }
  fs::path file(const std::string& name) const { return folder_.path() / name; }
  void refuses(std::initializer_list<std::string> parts) const {
    test::expect_line_with(test::message_of<DataError>([&] { Mnist dataset(options_); }), parts);
  }

  const test::TemporaryFolder folder_;
  DataOptions options_;
};

TEST_F(MnistTest, ReadsTheSamplesAskedForWhateverTheFilesAreCalled) {
  for (const std::string separator : {"-", "."}) {
    for (const std::string ending : {"", ".gz"}) {
      SCOPED_TRACE(separator + ending);
      write_all(separator, ending);
      const Mnist dataset(options_);
      const std::uint32_t wanted[] = {0, 2, 3, 6};
      const SampleStore store = dataset.load(Split::kTrain, wanted);
      EXPECT_EQ(store.width, kImageHeight * kImageWidth);
      EXPECT_EQ(store.targets, (std::vector<float>{9, 7, 6, 3}));
      for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < store.width; ++j)
          ASSERT_EQ(store.pixel_row(i)[j], 10 * wanted[i] + j) << "image " << wanted[i];
      const std::uint32_t last[] = {4};
      EXPECT_EQ(dataset.load(Split::kTest, last).targets[0], 5);
      EXPECT_EQ(dataset.load(Split::kTest, last).pixel_row(0)[11], 51);
      EXPECT_EQ(dataset.load(Split::kTrain, {}).size(), 0U);
      EXPECT_EQ(dataset.targets(Split::kTest), (std::vector<float>{9, 8, 7, 6, 5}));
    }
  }
}

TEST_F(MnistTest, KnowsItsSizesAndClasses) {
  const DatasetInfo digits = Mnist(options_).info();
  EXPECT_EQ(digits.name, "mnist");
  EXPECT_TRUE(digits.pixels);
  EXPECT_EQ(digits.channels, 1U);
  ASSERT_TRUE(digits.image);
  EXPECT_EQ(digits.image->channels, 1U);
  EXPECT_EQ(digits.image->height, kImageHeight);
  EXPECT_EQ(digits.image->width, kImageWidth);
  EXPECT_EQ(digits.classes, 10U);
  EXPECT_EQ(digits.class_name(7), "7");
  EXPECT_EQ(digits.train_samples, kTrain);
  EXPECT_EQ(digits.test_samples, kTest);
  options_.dataset = "fashion_mnist";
  EXPECT_EQ(Mnist(options_).info().class_name(9), "Ankle boot");
}

// The same images have the same hashes, however they are packed.
TEST_F(MnistTest, TheHashesOfFilesAreThoseOfTheSamples) {
  const auto before = Mnist(options_).files();
  ASSERT_EQ(before.size(), 4U);
  write_all(".", ".gz");
  const auto packed = Mnist(options_).files();
  for (std::size_t f = 0; f < 4; ++f) EXPECT_EQ(packed[f].hash, before[f].hash) << f;
  std::string other = images(kTrain);
  other[20] = 'x';
  write(file("train-images.idx3-ubyte.gz"), other);
  EXPECT_NE(Mnist(options_).files()[0].hash, before[0].hash);
  EXPECT_EQ(Mnist(options_).files()[1].hash, before[1].hash);
}

TEST_F(MnistTest, AMissingFolderOrFileIsAnErrorThatNamesIt) {
  fs::remove(file("t10k-labels-idx1-ubyte"));
  refuses({"t10k-labels-idx1-ubyte: no such file, also not with .gz"});
  options_.dir = file("missing");
  refuses({"missing: no such folder, expected train-images-idx3-ubyte", "launch/get-data mnist", "data.dir"});
}

TEST_F(MnistTest, AHeaderThatIsWrongIsAnErrorWithBoth) {
  const auto path = file("train-images-idx3-ubyte");
  write(path, labels(kTrain));
  refuses({"train-images-idx3-ubyte: begins with 00000801, expected 00000803: images in the IDX format"});
  write(path, std::string("\0\0\x08\x03\0\0", 6));
  refuses({"train-images-idx3-ubyte: ends within its header"});
  write(path, images(0));
  refuses({"train-images-idx3-ubyte: has the sizes 0, expected none of them to be 0"});
  write(path, idx({kTrain, 100000, 100000}, ""));
  refuses({"train-images-idx3-ubyte: has items of 100000 x 100000 bytes, expected at most"});
  fs::remove(path);
  fs::create_directory(file("train-images-idx3-ubyte"));
  refuses({"train-images-idx3-ubyte: is a folder, expected the images"});
}

TEST_F(MnistTest, FilesThatAreTooShortOrTooLongAreErrors) {
  for (const std::string ending : {"", ".gz"}) {
    write_all("-", ending);
    const auto path = file("train-images-idx3-ubyte" + ending);
    const std::string whole = images(kTrain);
    write(path, whole.substr(0, whole.size() - 13));
    refuses({path.string(), "ends after 5 of 7 images"});
    write(path, whole + "x");
    refuses({path.string(), "goes on behind its 7 images, expected it to end there"});
    write(path, whole);
    write(file("t10k-labels-idx1-ubyte" + ending), labels(kTest) + "x");
    refuses({"t10k-labels-idx1-ubyte" + ending, "goes on behind its 5 labels"});
  }
}

TEST_F(MnistTest, FilesThatDoNotFitTogetherAreErrors) {
  write(file("train-labels-idx1-ubyte"), labels(kTrain - 1));
  refuses({"train-labels-idx1-ubyte: has 6 labels, expected 7 as ", "train-images-idx3-ubyte has images"});
  std::string ten = labels(kTrain);
  ten.back() = 10;
  write(file("train-labels-idx1-ubyte"), ten);
  refuses({"train-labels-idx1-ubyte: label 6 is 10, expected 0..9"});
  write(file("train-labels-idx1-ubyte"), labels(kTrain));
  write(file("t10k-images-idx3-ubyte"), images(kTest, kImageWidth, kImageHeight));
  refuses({"t10k-images-idx3-ubyte: has images of 4 x 3 pixels, expected 3 x 4 as in "});
}

TEST_F(MnistTest, ADamagedGzipStreamIsAnError) {
  write_all("-", ".gz");
  const auto path = file("train-images-idx3-ubyte.gz");
  const auto size = fs::file_size(path);
  {
    std::fstream damaged(path, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(static_cast<std::streamoff>(size - 6));  // of the checksum
    damaged.put('x');
  }
  refuses({path.string(), "its gzip stream is damaged", "expected the images"});
  write(path, images(kTrain));
  fs::resize_file(path, fs::file_size(path) / 2);
  refuses({path.string()});
}

TEST_F(MnistTest, AFileThatChangesAfterwardsIsAnErrorThatNamesIt) {
  const Mnist dataset(options_);
  write(file("train-images-idx3-ubyte"), images(kTrain - 1));
  const std::uint32_t first[] = {0};
  test::expect_line_with(test::message_of<DataError>([&] { dataset.load(Split::kTrain, first); }),
                         {"train-images-idx3-ubyte: has changed since it was opened"});
}

}  // namespace
}  // namespace lockstep::data
