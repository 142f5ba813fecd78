// Folders of images as a data set.
#include "data/image_folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "support.h"

namespace lockstep::data {
namespace {

namespace fs = std::filesystem;

class ImageFolderTest : public testing::Test {
 protected:
  ImageFolderTest() {
    options_.dataset = "images";
    options_.dir = folder_.path();
  }
  // A grey image of two pixels, both of this value.
  void write(const fs::path& name, char value) const {
    write_text(name, std::string("P5 2 1 255\n") + value + value);
  }
  void write_text(const fs::path& name, const std::string& content) const {
    fs::create_directories((folder_.path() / name).parent_path());
    std::ofstream(folder_.path() / name, std::ios::binary) << content;
  }
  void write_split() const {
    write("train/dog/2.pgm", 'd');
    write("train/dog/10.PGM", 'e');
    write("train/cat/x.pgm", 'c');
    write("train/cat/.hidden", 'h');
    write("test/dog/1.pgm", 't');
  }
  DatasetInfo info() const { return ImageFolder(options_, {}).info(); }
  void refuses(std::initializer_list<std::string> parts) const {
    test::expect_line_with(test::message_of<DataError>([&] { ImageFolder dataset(options_, {}); }), parts);
  }

  const test::TemporaryFolder folder_;
  DataOptions options_;
};

TEST_F(ImageFolderTest, ClassesAndFilesAreInTheOrderOfTheirNames) {
  write_split();
  const ImageFolder dataset(options_, {});
  EXPECT_EQ(dataset.info().class_names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(dataset.targets(Split::kTrain), (std::vector<float>{0, 1, 1}));
  const std::uint32_t wanted[] = {0, 1, 2};
  const SampleStore train = dataset.load(Split::kTrain, wanted);
  EXPECT_EQ(train.pixels, (std::vector<std::uint8_t>{'c', 'c', 'e', 'e', 'd', 'd'}));  // 10.PGM before 2.pgm
  EXPECT_EQ(train.targets, (std::vector<float>{0, 1, 1}));
  const SampleStore test = dataset.load(Split::kTest, std::span(wanted).first(1));
  EXPECT_EQ(test.pixels[0], 't');
  EXPECT_EQ(test.targets, std::vector<float>{1});
  ASSERT_TRUE(dataset.info().image);
  EXPECT_EQ(dataset.info().image->height, 1U);
  EXPECT_EQ(dataset.info().image->width, 2U);
  EXPECT_EQ(dataset.info().train_samples, 3U);
  EXPECT_EQ(dataset.info().test_samples, 1U);
}

TEST_F(ImageFolderTest, FoldersOfClassesAloneAreDividedAsTheOptionsSay) {
  for (const char* name : {"a/1.pgm", "a/2.pgm", "b/1.pgm", "b/2.pgm"}) write(name, 'x');
  EXPECT_EQ(info().train_samples, 4U);
  EXPECT_EQ(info().test_samples, 0U);
  options_.test_fraction = 0.5;
  options_.stratify = true;
  const auto divided = open_dataset(options_);
  EXPECT_EQ(divided->info().train_samples, 2U);
  EXPECT_EQ(divided->info().test_samples, 2U);
  const std::uint32_t both[] = {0, 1};
  EXPECT_EQ(divided->load(Split::kTest, both).targets, (std::vector<float>{0, 1}));
}

TEST_F(ImageFolderTest, TheImageSizeIsThatOfTheOptionsOrOfTheFirst) {
  write("a/1.pgm", 'x');
  write_text("b/1.ppm", "P6 2 1 255\nrgbRGB");
  const ImageFolder grey(options_, {});
  const std::uint32_t both[] = {0, 1};
  test::expect_line_with(test::message_of<DataError>([&] { grey.load(Split::kTrain, both); }),
                         {"b/1.ppm: is in colour, expected grey"});
  options_.image = {3, 1, 2};
  const ImageFolder colour(options_, {});
  EXPECT_EQ(colour.load(Split::kTrain, both).pixels,
            (std::vector<std::uint8_t>{'x', 'x', 'x', 'x', 'x', 'x', 'r', 'R', 'g', 'G', 'b', 'B'}));
  EXPECT_EQ(colour.info().channel_names.size(), 3U);
  options_.image = {3, 2, 2};
  test::expect_line_with(
      test::message_of<DataError>([&] { ImageFolder(options_, {}).load(Split::kTrain, both); }),
      {"a/1.pgm: is an image of 1 x 2 pixels, expected 2 x 2"});
  options_.image = {2, 1, 2};
  test::expect_line_with(test::message_of<ConfigError>([&] { ImageFolder dataset(options_, {}); }),
                         {"data.image = [2, 1, 2] has 2 channels, expected 1 (grey) or 3 (colour)"});
}

TEST_F(ImageFolderTest, ANetworkSeesItsOwnClasses) {
  write_split();
  const std::vector<std::string> classes = {"bird", "cat", "dog"};
  EXPECT_EQ(ImageFolder(options_, classes).targets(Split::kTrain), (std::vector<float>{1, 2, 2}));
  test::expect_line_with(test::message_of<DataError>([&] {
                           ImageFolder dataset(options_, {"bird", "cat"});
                         }),
                         {"train/dog: is none of the 2 classes, expected bird, cat"});
}

TEST_F(ImageFolderTest, TheHashOfAFolderIsOfNamesAndContent) {
  write_split();
  const auto before = ImageFolder(options_, {}).files();
  ASSERT_EQ(before.size(), 2U);
  EXPECT_EQ(before[0].path.filename(), "train");
  write("train/cat/x.pgm", 'C');
  EXPECT_NE(ImageFolder(options_, {}).files()[0].hash, before[0].hash);
  write("train/cat/x.pgm", 'c');
  EXPECT_EQ(ImageFolder(options_, {}).files()[0].hash, before[0].hash);
  fs::rename(folder_.path() / "train/dog/2.pgm", folder_.path() / "train/dog/3.pgm");
  EXPECT_NE(ImageFolder(options_, {}).files()[0].hash, before[0].hash);
  EXPECT_EQ(ImageFolder(options_, {}).files()[1].hash, before[1].hash);
  EXPECT_EQ(image_files(options_).size(), 4U);
}

TEST_F(ImageFolderTest, WhatDoesNotBelongThereIsNamed) {
  refuses({": has 0 folders, expected 2 to 1000 of them, a class each"});
  write("a/1.pgm", 'x');
  refuses({": has 1 folder, expected 2"});
  write_text("b/notes.txt", "");
  refuses({"b/notes.txt: is not a .png, .pgm or .ppm file"});
  fs::remove(folder_.path() / "b/notes.txt");
  write_text("labels.csv", "");
  refuses({"labels.csv: is beside the classes' folders, expected folders of PNG"});
  fs::remove(folder_.path() / "labels.csv");
  EXPECT_EQ(info().classes, 2U);  // one of them without images
  fs::remove(folder_.path() / "a/1.pgm");
  refuses({": has no images"});
  write("train/a/1.pgm", 'x');
  refuses({"/a: is beside train, expected test there, or nothing else"});
  options_.dir = folder_.path() / "missing";
  refuses({"missing: no such folder, expected folders of PNG, PGM or PPM images"});
}

TEST_F(ImageFolderTest, AClassOnlyToTestOnAndTwoTestSetsAreRefused) {
  write_split();
  options_.test_fraction = 0.5;
  test::expect_line_with(test::message_of<ConfigError>([&] { ImageFolder dataset(options_, {}); }),
                         {"data.test_fraction is 0.5, and ", "test is there, expected one of them at most"});
  options_.test_fraction = 0.0;
  write("test/horse/1.pgm", 'h');
  refuses({"test/horse: is none of the 2 classes, expected cat, dog"});
  options_.dir.clear();
  test::expect_line_with(test::message_of<ConfigError>([&] { ImageFolder dataset(options_, {}); }),
                         {"data.dir is not set"});
}

}  // namespace
}  // namespace lockstep::data
