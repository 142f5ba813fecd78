// Arrays of NumPy as a data set: where samples, images and classes are in them.
#include "data/numpy_set.h"

#include <gtest/gtest.h>
#include <minizip/zip.h>
#include <zlib.h>

#include <bit>
#include <cmath>
#include <fstream>

#include "base/error.h"
#include "support.h"

namespace lockstep::data {
namespace {

namespace fs = std::filesystem;

struct Array {
  std::string name, descr;
  std::vector<std::size_t> shape;
  std::string bytes;
  bool fortran_order = false;

  std::string npy() const {
    std::string file = npz::header_of(descr, shape) + bytes;
    if (fortran_order) file.replace(file.find("False"), 5, "True ");
    return file;
  }
};

template <typename T>
Array array(std::string name, std::string descr, std::vector<std::size_t> shape,
            const std::vector<T>& values) {
  return {std::move(name),
          std::move(descr),
          std::move(shape),
          {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)}};
}
Array labels(const std::string& name, const std::vector<std::int64_t>& values) {
  return array(name, "<i8", {values.size()}, values);
}
// Bytes 0, 1, 2, ...
Array counting(const std::string& name, const std::vector<std::size_t>& shape) {
  std::size_t count = 1;
  for (const std::size_t n : shape) count *= n;
  std::vector<std::uint8_t> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::uint8_t>(i);
  return array(name, "|u1", shape, values);
}

void write_npz(const fs::path& path, const std::vector<Array>& arrays, int method) {
  const zipFile zip = ::zipOpen64(path.c_str(), APPEND_STATUS_CREATE);
  for (const Array& each : arrays) {
    const zip_fileinfo info{};
    const std::string content = each.npy();
    ::zipOpenNewFileInZip(zip, (each.name + ".npy").c_str(), &info, nullptr, 0, nullptr, 0, nullptr, method,
                          6);
    ::zipWriteInFileInZip(zip, content.data(), static_cast<unsigned>(content.size()));
    ::zipCloseFileInZip(zip);
  }
  ASSERT_EQ(::zipClose(zip, nullptr), ZIP_OK);
}

class NumpySetTest : public testing::Test {
 protected:
  NumpySetTest() {
    options_.dataset = "numpy";
    options_.file = folder_.path() / "data.npz";
  }
  void write(const std::vector<Array>& arrays) const { write_npz(options_.file, arrays, Z_DEFLATED); }
  NumpySet open() const { return {options_, nullptr}; }
  template <typename E>
  void refuses(std::initializer_list<std::string> parts) const {
    test::expect_line_with(test::message_of<E>([&] { open(); }), parts);
  }
  SampleStore load(std::vector<std::uint32_t> samples, Split split = Split::kTrain) const {
    return open().load(split, samples);
  }

  const test::TemporaryFolder folder_;
  DataOptions options_;
};

using Bytes = std::vector<std::uint8_t>;

TEST_F(NumpySetTest, ReadsTheRowsAskedForHoweverTheyArePacked) {
  const std::vector<Array> arrays = {counting("x_train", {4, 2, 3}), labels("y_train", {0, 1, 1, 0}),
                                     counting("x_test", {2, 2, 3}), labels("y_test", {1, 0})};
  const auto expect_read = [&] {
    const NumpySet dataset = open();
    EXPECT_EQ(dataset.info().train_samples, 4U);
    EXPECT_EQ(dataset.info().test_samples, 2U);
    const SampleStore train = load({1, 3});
    EXPECT_EQ(train.pixels, (Bytes{6, 7, 8, 9, 10, 11, 18, 19, 20, 21, 22, 23}));
    EXPECT_EQ(train.targets, (std::vector<float>{1, 0}));
    EXPECT_EQ(load({1}, Split::kTest).pixels, (Bytes{6, 7, 8, 9, 10, 11}));
    EXPECT_EQ(dataset.targets(Split::kTest), (std::vector<float>{1, 0}));
    EXPECT_EQ(load({}).size(), 0U);
  };
  for (const int method : {0, Z_DEFLATED}) {
    write_npz(options_.file, arrays, method);
    expect_read();
  }
  options_.file = folder_.path() / "folder";
  fs::create_directory(options_.file);
  for (const Array& each : arrays)
    std::ofstream(options_.file / (each.name + ".npy"), std::ios::binary) << each.npy();
  expect_read();
}

TEST_F(NumpySetTest, ImagesLieChannelByChannelWhateverTheArraysOrder) {
  const auto expect_pixels = [&](const std::vector<std::size_t>& image, const Bytes& second) {
    const DatasetInfo info = open().info();
    ASSERT_TRUE(info.image);
    EXPECT_EQ((std::vector<std::size_t>{info.image->channels, info.image->height, info.image->width}), image);
    EXPECT_EQ(info.channels, image[0]);
    EXPECT_TRUE(info.pixels);
    EXPECT_EQ(load({1}).pixels, second);
  };
  const Array y = labels("y", {0, 1});
  write({counting("x", {2, 3, 1, 5}), y});  // few channels at one end alone
  expect_pixels({3, 1, 5}, {15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29});
  write({counting("x", {2, 1, 5, 3}), y});
  refuses<ConfigError>({"data.npz: x has shape (2, 1, 5, 3), which may be channels first or last",
                        "expected data.image = [channels, height, width]"});
  options_.image = {3, 1, 5};
  expect_pixels({3, 1, 5}, {15, 18, 21, 24, 27, 16, 19, 22, 25, 28, 17, 20, 23, 26, 29});
  options_.image = {1, 5, 3};
  expect_pixels({1, 5, 3}, {15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29});
  options_.image = {5, 1, 3};
  refuses<ConfigError>({"data.image = [5, 1, 3] and ", "data.npz: x of shape (2, 1, 5, 3)"});
  options_.image = {};
  write({counting("x", {2, 5, 6, 2}), y});
  expect_pixels({2, 5, 6}, [] {
    Bytes bytes;
    for (std::uint8_t c = 0; c < 2; ++c)
      for (std::uint8_t p = 0; p < 30; ++p) bytes.push_back(static_cast<std::uint8_t>(60 + 2 * p + c));
    return bytes;
  }());
  write({counting("x", {2, 6}), y});
  EXPECT_FALSE(open().info().image);
  EXPECT_FALSE(open().info().pixels);
  options_.image = {1, 2, 3};
  expect_pixels({1, 2, 3}, {6, 7, 8, 9, 10, 11});
}

TEST_F(NumpySetTest, FortranOrderIsTheSameSamples) {
  // x[i, j, k] = 6 i + 3 j + k, the first index running fastest.
  Array x{"x", "|u1", {4, 2, 3}, "", true};
  for (int k = 0; k < 3; ++k)
    for (int j = 0; j < 2; ++j)
      for (int i = 0; i < 4; ++i) x.bytes += static_cast<char>(6 * i + 3 * j + k);
  write({x, labels("y", {0, 1, 1, 0})});
  EXPECT_EQ(load({0, 2}).pixels, (Bytes{0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17}));
  x.shape = {4, 6};
  x.bytes.clear();
  for (int j = 0; j < 6; ++j)
    for (int i = 0; i < 4; ++i) x.bytes += static_cast<char>(6 * i + j);
  write({x, labels("y", {0, 1, 1, 0})});
  EXPECT_EQ(load({3}).values, (std::vector<double>{18, 19, 20, 21, 22, 23}));
}

TEST_F(NumpySetTest, EveryTypeOfNumbersIsRead) {
  const Array y = labels("y", {0, 1});
  const auto expect_values = [&](const Array& x, const std::vector<double>& values) {
    SCOPED_TRACE(x.descr);
    write({x, y});
    EXPECT_FALSE(open().info().pixels);
    EXPECT_EQ(open().info().channels, 2U);
    EXPECT_EQ(load({0, 1}).values, values);
  };
  const std::vector<double> values = {0, 1, 2, 3};
  expect_values(array<std::uint8_t>("x", "|u1", {2, 2}, {0, 1, 2, 3}), values);
  expect_values(array<std::int8_t>("x", "|i1", {2, 2}, {0, -1, 2, 3}), {0, -1, 2, 3});
  expect_values(array<std::uint8_t>("x", "|b1", {2, 2}, {0, 1, 1, 0}), {0, 1, 1, 0});
  expect_values(array<std::int32_t>("x", "<i4", {2, 2}, {0, 1, 2, 3}), values);
  expect_values(array<std::uint16_t>("x", ">u2", {2, 2}, {0, 0x100, 0x200, 0x300}), values);
  expect_values(array<std::uint16_t>("x", "<f2", {2, 2}, {0, 0x3c00, 0x4000, 0x4200}), values);
  expect_values(array<float>("x", "<f4", {2, 2}, {0, 1, 2, 3}), values);
  expect_values(array<double>("x", "<f8", {2, 2}, {0, 1, 2, 3}), values);
}

TEST_F(NumpySetTest, DistinctLabelsAreClassesInOrder) {
  const Array x = counting("x", {4, 2});
  write({x, array<double>("y", "<f8", {4, 1}, {7, -1, 7, 3})});
  EXPECT_EQ(open().info().class_names, (std::vector<std::string>{"-1", "3", "7"}));
  EXPECT_EQ(open().targets(Split::kTrain), (std::vector<float>{2, 0, 2, 1}));
  EXPECT_EQ(open().info().note, options_.file.string() + ": labels -1, 3, 7 are classes 0 to 2");
  write({x, labels("y", {0, 1, 2, 1})});
  EXPECT_TRUE(open().info().class_names.empty());  // they are called as they are numbered
  EXPECT_EQ(open().info().note, "");
  DatasetInfo trained = open().info();
  write({x, labels("y", {2, 2, 2, 2})});
  EXPECT_EQ(NumpySet(options_, &trained).info().classes, 3U);
  EXPECT_EQ(NumpySet(options_, &trained).targets(Split::kTrain), (std::vector<float>{2, 2, 2, 2}));
  trained.class_names = {"2", "5", "9"};
  EXPECT_EQ(NumpySet(options_, &trained).targets(Split::kTrain), (std::vector<float>{0, 0, 0, 0}));
  refuses<DataError>({"data.npz: y has 1 class, expected 2 to 1000"});
}

TEST_F(NumpySetTest, RegressionTakesAnyNumbers) {
  options_.task = Task::kRegression;
  write({counting("x", {2, 2}), array<float>("y", "<f4", {2}, {0.5F, -2.0F})});
  EXPECT_EQ(open().info().classes, 0U);
  EXPECT_EQ(load({0, 1}).targets, (std::vector<float>{0.5F, -2.0F}));
  options_.task = Task::kClassification;
  refuses<DataError>({"data.npz: y[0] is 0.5, expected a class: a whole number", "regression"});
}

TEST_F(NumpySetTest, KeysNameArrays) {
  write({counting("a", {2, 2}), labels("b", {1, 0}), counting("c", {3, 2}), labels("d", {0, 0, 1})});
  refuses<ConfigError>({"data.npz: has no arrays with usual names", "data.features and data.target",
                        "a (2, 2) |u1, b (2,) <i8, c (3, 2) |u1, d (3,) <i8"});
  options_.features = "a";
  refuses<ConfigError>({"data.target is \"\", expected one of the arrays of", "a (2, 2)"});
  options_.target = "b";
  EXPECT_EQ(open().info().train_samples, 2U);
  EXPECT_EQ(open().info().test_samples, 0U);
  options_.test_features = "c";
  options_.test_target = "d";
  EXPECT_EQ(open().info().test_samples, 3U);
  options_.test_fraction = 0.5;
  refuses<ConfigError>({"data.test_fraction is 0.5, and c of ", "expected one of them at most"});
}

TEST_F(NumpySetTest, ATestFileHasArraysOfItsOwn) {
  write({counting("x", {2, 2}), labels("y", {0, 1})});
  options_.test_file = folder_.path() / "test.npz";
  write_npz(options_.test_file, {counting("X", {3, 2}), labels("y", {1, 1, 0})}, 0);
  EXPECT_EQ(load({1}, Split::kTest).values, (std::vector<double>{2, 3}));
  EXPECT_EQ(open().targets(Split::kTest), (std::vector<float>{1, 1, 0}));
  const auto files = open().files();
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[1].path, options_.test_file);
  write_npz(options_.test_file, {counting("X", {3, 2}), labels("y", {1, 0, 0})}, 0);
  EXPECT_NE(open().files()[1].hash, files[1].hash);
  write_npz(options_.test_file, {counting("a", {3, 2})}, 0);
  refuses<ConfigError>({"test.npz: has no arrays with usual names, expected data.test_features"});
}

TEST_F(NumpySetTest, WhatDoesNotFitIsNamed) {
  const Array x = counting("x", {3, 2}), y = labels("y", {0, 1, 0});
  write({x, labels("y", {0, 1})});
  refuses<DataError>({"data.npz: y has 2 targets, expected 3 as x has samples"});
  write({x, array<float>("y", "<f4", {3, 2}, {0, 1, 0, 1, 1, 0})});
  refuses<DataError>({"data.npz: y has shape (3, 2) of <f4", "numpy.argmax(y, axis=1)"});
  write({array<std::uint8_t>("x", "|u1", {3, 0}, {}), y});
  refuses<DataError>({"data.npz: x has shape (3, 0)", "expected numbers: (samples, features)"});
  write({array<float>("x", "<f4", {3}, {1, NAN, 2}), y});
  const std::vector<std::uint32_t> second = {1};
  test::expect_line_with(test::message_of<DataError>([&] { load(second); }),
                         {"data.npz: x has nan in sample 1, expected finite numbers"});
  write({x, y, counting("x_test", {1, 3}), labels("y_test", {0})});
  refuses<DataError>(
      {"data.npz: x_test has samples of shape (1, 3) of |u1, expected them as in x (3, 2) of |u1"});
  write({x, y, counting("x_test", {1, 2}), labels("y_test", {4})});
  refuses<DataError>({"data.npz: y_test[0] is 4, expected one of the classes 0, 1"});
  options_.file.clear();
  refuses<ConfigError>({"data.file is not set, expected an .npz file or a folder of .npy files"});
}

TEST_F(NumpySetTest, FilesThatAreNotWholeAreErrors) {
  write({counting("x", {300, 20}), labels("y", std::vector<std::int64_t>(300, 1))});
  fs::resize_file(options_.file, fs::file_size(options_.file) / 2);
  refuses<DataError>({"data.npz: "});
  options_.file = folder_.path() / "folder";
  fs::create_directory(options_.file);
  refuses<DataError>({"folder: has no .npy files"});
  const std::string x = counting("x", {3, 2}).npy();
  std::ofstream(options_.file / "y.npy", std::ios::binary) << labels("y", {0, 1, 0}).npy();
  for (const bool longer : {true, false}) {
    std::ofstream(options_.file / "x.npy", std::ios::binary)
        << (longer ? x + "more" : x.substr(0, x.size() - 1));
    const std::vector<std::uint32_t> first = {0};
    test::expect_line_with(
        test::message_of<DataError>([&] { load(first); }),
        {"x.npy: has " + std::string(longer ? "more than" : "only"), "for its shape (3, 2)"});
  }
  std::ofstream(options_.file / "x.npy", std::ios::binary) << "text";
  refuses<DataError>({"x.npy: is no array of NumPy"});
}

}  // namespace
}  // namespace lockstep::data
