// The file format: what is written can be read, and nothing that is not well formed.
#include "nn/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "support.h"

namespace lockstep::nn {
namespace {

class SafetensorsTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "file.safetensors"; }

  // Writes a file of this header and so many bytes of data.
  void write(const std::string& header, std::size_t data_bytes) const {
    write_with_length(header.size(), header, data_bytes);
  }
  void write_with_length(std::uint64_t length, const std::string& header, std::size_t data_bytes) const {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    write_file_atomically(file(), bytes + header + std::string(data_bytes, 'd'));
  }

  const test::TemporaryFolder folder_;
};

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }
std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST_F(SafetensorsTest, WhatIsWrittenIsRead) {
  const std::string a = "twelve bytes", b = "eightbyt", none;
  const std::vector<TensorView> written = {{"weight", "F32", {3, 1}, bytes_of(a)},
                                           {"empty", "F64", {0, 5}, bytes_of(none)},
                                           {"scalar \"quoted\" \u00e4", "I64", {}, bytes_of(b)},
                                           {"bytes", "U8", {2, 2, 2}, bytes_of(b)}};
  const TensorMetadata metadata = {{"format", "pt"}, {"step", "17"}};
  write_safetensors(file(), written, metadata);
  const auto read = SafetensorsFile::read(file());
  EXPECT_EQ(read.metadata, metadata);
  ASSERT_EQ(read.tensors.size(), written.size());
  for (const TensorView& wanted : written) {
    const auto found = std::find_if(read.tensors.begin(), read.tensors.end(),
                                    [&](const TensorView& tensor) { return tensor.name == wanted.name; });
    ASSERT_NE(found, read.tensors.end()) << wanted.name;
    EXPECT_EQ(found->dtype, wanted.dtype);
    EXPECT_EQ(found->shape, wanted.shape);
    EXPECT_EQ(text_of(found->bytes), text_of(wanted.bytes));
  }
}

TEST_F(SafetensorsTest, AFileOfNoTensorsIsAFile) {
  write_safetensors(file(), {}, {});
  EXPECT_TRUE(SafetensorsFile::read(file()).tensors.empty());
}

TEST_F(SafetensorsTest, TheLayoutIsTheFormats) {
  const std::string data = "abcdefgh";
  write_safetensors(file(), std::vector<TensorView>{{"x", "F32", {2}, bytes_of(data)}}, {});
  const std::string content = read_file(file());
  std::uint64_t length = 0;
  std::memcpy(&length, content.data(), 8);
  EXPECT_EQ(length % 8, 0U);  // so that the numbers are aligned
  EXPECT_EQ(content.size(), 8 + length + data.size());
  EXPECT_EQ(content.substr(8 + length), data);
  EXPECT_EQ(content[8], '{');
}

TEST_F(SafetensorsTest, ReadsAFileThatAnotherProgramWrote) {
  write(R"({"b":{"dtype":"F16","shape":[2],"data_offsets":[4,8]},"__metadata__":{"who":"else"},)"
        R"("a":{"shape":[1],"data_offsets":[0,4],"dtype":"F32"}}   )",
        8);
  const auto read = SafetensorsFile::read(file());
  ASSERT_EQ(read.tensors.size(), 2U);
  EXPECT_EQ(read.tensors[0].name, "a");
  EXPECT_EQ(read.tensors[1].name, "b");
  EXPECT_EQ(read.metadata.at("who"), "else");
}

TEST_F(SafetensorsTest, RefusesHeadersThatAreNotWellFormed) {
  const std::string good = R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const std::pair<const char*, std::string> cases[] = {
      {"no JSON", "x"},
      {"no header", ""},
      {"cut JSON", R"({"a":{"dtype":"F32")"},
      {"two documents", R"({"a":)" + good + "}{}"},
      {"no object", "[1,2]"},
      {"a number", "7"},
      {"text that is not UTF-8", "{\"\xff\":" + good + "}"},
      {"an entry that is not an object", R"({"a":7})"},
      {"a name twice", R"({"a":)" + good + R"(,"a":)" + good + "}"},
      {"a key twice", R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})"},
      {"no dtype", R"({"a":{"shape":[2],"data_offsets":[0,8]}})"},
      {"no shape", R"({"a":{"dtype":"F32","data_offsets":[0,8]}})"},
      {"no offsets", R"({"a":{"dtype":"F32","shape":[2]}})"},
      {"an unknown dtype", R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})"},
      {"a dtype that is not text", R"({"a":{"dtype":32,"shape":[2],"data_offsets":[0,8]}})"},
      {"a negative size", R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})"},
      {"a fractional size", R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})"},
      {"a shape that is not a list", R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})"},
      {"a shape that overflows",
       R"({"a":{"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]}})"},
      {"a shape that overflows in its product",
       R"({"a":{"dtype":"F32","shape":[2147483649,2147483649,2],"data_offsets":[0,8]}})"},
      {"a size beyond 64 bits",
       R"({"a":{"dtype":"F32","shape":[36893488147419103232],"data_offsets":[0,8]}})"},
      {"a shape that does not fit its bytes", R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})"},
      {"one offset", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8]}})"},
      {"three offsets", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}})"},
      {"a negative offset", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})"},
      {"offsets the wrong way round", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})"},
      {"an offset out of range", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})"},
      {"a huge offset",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[18446744073709551608,18446744073709551615]}})"},
      {"an overlap", R"({"a":)" + good + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})"},
      {"the same place twice", R"({"a":)" + good + R"(,"b":)" + good + "}"},
      {"a gap", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})"},
      {"a gap inside", R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                       R"("b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})"},
      {"bytes after the last tensor", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})"},
      {"metadata that is not text", R"({"__metadata__":{"x":1},"a":)" + good + "}"},
  };
  for (const auto& [what, header] : cases) {
    SCOPED_TRACE(what);
    write(header, 8);
    test::expect_line_with(test::message_of<ModelError>([&] { SafetensorsFile::read(file()); }),
                           {file().string(), "safetensors"});
  }
  write(R"({"a":)" + good + "}", 8);  // all of the above are this one, with one thing wrong
  EXPECT_NO_THROW(SafetensorsFile::read(file()));
}

TEST_F(SafetensorsTest, TellsAGapFromAnOverlap) {
  write(
      R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
      8);
  test::expect_line_with(test::message_of<ModelError>([&] { SafetensorsFile::read(file()); }),
                         {"\"b\"", "gap"});
  write(
      R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
      8);
  test::expect_line_with(test::message_of<ModelError>([&] { SafetensorsFile::read(file()); }),
                         {"\"b\"", "overlap"});
}

TEST_F(SafetensorsTest, RefusesALengthThatDoesNotFitTheFile) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{5}, header.size() - 1, header.size() + 1,
                                     header.size() + 8, header.size() + 9, std::uint64_t{1} << 31,
                                     std::uint64_t{1} << 60, ~std::uint64_t{0}, ~std::uint64_t{0} - 8}) {
    SCOPED_TRACE(length);
    write_with_length(length, header, 8);
    test::expect_line_with(test::message_of<ModelError>([&] { SafetensorsFile::read(file()); }),
                           {file().string()});
  }
}

TEST_F(SafetensorsTest, RefusesAFileCutAnywhere) {
  const std::string data = "abcdefgh";
  write_safetensors(file(), std::vector<TensorView>{{"x", "F32", {2}, bytes_of(data)}}, {});
  const std::string content = read_file(file());
  for (std::size_t n = 0; n < content.size(); ++n) {
    write_file_atomically(file(), content.substr(0, n));
    EXPECT_THROW(SafetensorsFile::read(file()), ModelError) << n << " bytes";
  }
}

TEST_F(SafetensorsTest, SurvivesDeepNesting) {
  write(std::string(200000, '['), 8);
  EXPECT_THROW(SafetensorsFile::read(file()), ModelError);
  std::string nested;
  for (int i = 0; i < 50000; ++i) nested += R"({"a":)";
  write(nested, 8);
  EXPECT_THROW(SafetensorsFile::read(file()), ModelError);
}

TEST_F(SafetensorsTest, NamesAFileThatCannotBeRead) {
  for (const auto& path : {folder_.path() / "missing", folder_.path()})
    test::expect_line_with(test::message_of<ModelError>([&] { SafetensorsFile::read(path); }),
                           {path.string()});
}

}  // namespace
}  // namespace lockstep::nn
