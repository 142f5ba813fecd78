#include "npz/npz.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "base/error.h"
#include "base/file.h"

namespace lockstep::npz {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  Files() : path_(fs::temp_directory_path() / ("lockstep-npz-" + std::to_string(::getpid()) + ".npz")) {}
  ~Files() override { fs::remove(path_); }

  // What reading the content as a file, and all arrays of it, ends with; "" where all is well.
  std::string trouble_with(const std::string& content) const {
    std::ofstream(path_, std::ios::binary) << content;
    try {
      NpzFile file(path_);
      for (std::size_t i = 0; i < file.arrays().size(); ++i) file.values(i);
    } catch (const DataError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(path_.string() + ": ")) << error.what();
      return error.what();
    }
    return "";
  }
  std::string written(std::span<const Entry> entries) const {
    write_npz(path_, entries);
    return read_file(path_);
  }

  fs::path path_;
};

std::string header_with(const std::string& literal) {
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(literal.size()) + '\0' + literal;
}
std::string descr(const std::string& descr) {
  return header_with("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (2,), }");
}
std::string trouble_with_header(const std::string& header) {
  try {
    parse_header(header);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST_F(Files, GiveBackWhatWasWritten) {
  std::vector<float> floats(60);
  std::iota(floats.begin(), floats.end(), -7.25F);
  const std::int64_t integers[] = {-3, 1, 1LL << 40};
  const Entry entries[] = {of_text("README", "caf\xc3\xa9 \xf0\x9f\x98\x80"),
                           of_floats("a.b", {3, 4, 5}, floats), of_double("loss", 0.1),
                           of_integers("n", {3}, integers), of_floats("none", {0, 2}, {})};
  write_npz(path_, entries);
  NpzFile file(path_);
  ASSERT_EQ(file.arrays().size(), 5U);
  EXPECT_EQ(file.text(0), "caf\xc3\xa9 \xf0\x9f\x98\x80");
  EXPECT_EQ(file.arrays()[1].name, "a.b");
  EXPECT_EQ(file.arrays()[1].type.shape, (std::vector<std::size_t>{3, 4, 5}));
  EXPECT_EQ(file.values(1), std::vector<double>(floats.begin(), floats.end()));
  EXPECT_EQ(file.values(2), std::vector<double>{0.1});
  EXPECT_EQ(file.values(3), (std::vector<double>{-3, 1, 0x1p40}));
  EXPECT_TRUE(file.values(4).empty());
  EXPECT_EQ(file.index_of("loss"), 2U);
  EXPECT_EQ(file.index_of("other"), 5U);
}

TEST_F(Files, OfTheSameArraysAreTheSameBytes) {
  const Entry entries[] = {of_double("x", 1.0)};
  EXPECT_EQ(written(entries), written(entries));
}

TEST_F(Files, ThatAreNoneAreRefused) {
  EXPECT_NE(trouble_with("").find("is no zip"), std::string::npos);
  EXPECT_NE(trouble_with(std::string(1000, 'x')).find("is no zip"), std::string::npos);
  EXPECT_THROW(NpzFile(fs::temp_directory_path()), DataError);
  EXPECT_THROW(NpzFile("/no/such/file.npz"), DataError);
}

// But for the length of a comment, the zip's last two bytes, and what is before that in the same record.
TEST_F(Files, ThatAreCutBeforeTheirLastBytesAreRefused) {
  const Entry entries[] = {of_floats("a", {2}, std::vector<float>{1, 2}), of_double("b", 3)};
  const std::string content = written(entries);
  for (std::size_t length = 0; length + 3 < content.size(); ++length)
    EXPECT_NE(trouble_with(content.substr(0, length)), "") << length;
  EXPECT_EQ(trouble_with(content), "");
}

TEST_F(Files, WithAChangedNumberHaveAnotherChecksum) {
  const Entry entries[] = {of_floats("a", {2}, std::vector<float>{1, 2})};
  std::string content = written(entries);
  const float two = 2.0F;
  const std::size_t place = content.find(std::string(reinterpret_cast<const char*>(&two), sizeof two), 100);
  ASSERT_NE(place, std::string::npos);
  content[place + 2] ^= 1;
  EXPECT_NE(trouble_with(content).find("checksum"), std::string::npos);
}

TEST_F(Files, WhoseSizesAreLiesAreRefused) {
  Entry more = of_floats("a", {2}, std::vector<float>{1, 2});
  more.shape = {3};
  EXPECT_NE(trouble_with(written(std::span(&more, 1))).find("a has 8 bytes, expected 12 for its shape (3,)"),
            std::string::npos);
  more.shape = {std::size_t{1} << 40};
  EXPECT_NE(trouble_with(written(std::span(&more, 1))).find("expected 4398046511104"), std::string::npos);
  // The size that the zip's directory claims: four bytes, 24 after its signature.
  more.shape = {2};
  std::string content = written(std::span(&more, 1));
  const std::size_t place = content.find("PK\1\2");
  ASSERT_NE(place, std::string::npos);
  content[place + 26] = 1;
  EXPECT_NE(trouble_with(content), "");
}

TEST_F(Files, ThatNameAnArrayTwiceAreRefused) {
  const Entry entries[] = {of_double("a", 1), of_double("a", 2)};
  EXPECT_NE(trouble_with(written(entries)).find("holds a twice"), std::string::npos);
}

TEST(Header, IsReadAsNumpyWritesIt) {
  const ArrayType type = parse_header(header_of("<f4", {3, 1}));
  EXPECT_EQ(type.descr, "<f4");
  EXPECT_EQ(type.shape, (std::vector<std::size_t>{3, 1}));
  EXPECT_FALSE(type.fortran_order);
  EXPECT_EQ(type.header % 64, 0U);
  EXPECT_EQ(parse_header(header_of("<f8", {})).count(), 1U);
  EXPECT_TRUE(
      parse_header(header_with("{'shape': (), 'fortran_order': True, 'descr': '>i2'}")).fortran_order);
}

TEST(Header, OfOtherElementsIsRefused) {
  EXPECT_NE(trouble_with_header(descr("<c8")).find("complex numbers (<c8), expected real numbers"),
            std::string::npos);
  EXPECT_NE(trouble_with_header(descr("|O")).find("Python objects"), std::string::npos);
  EXPECT_NE(trouble_with_header(descr("<f16")).find("floats of another size"), std::string::npos);
  EXPECT_NE(trouble_with_header(descr("<M8[s]")).find("no numbers"), std::string::npos);
  EXPECT_NE(trouble_with_header(descr("f")).find("unknown type"), std::string::npos);
  EXPECT_NE(
      trouble_with_header(header_with("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"))
          .find("records"),
      std::string::npos);
}

TEST(Header, ThatCannotBeIsRefused) {
  for (const char* literal :
       {"", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': 1, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x"})
    EXPECT_NE(trouble_with_header(header_with(literal)).find("cannot be read"), std::string::npos) << literal;
  EXPECT_NE(trouble_with_header(
                header_with("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"))
                .find("overflows"),
            std::string::npos);
  EXPECT_NE(trouble_with_header("PK").find("no array of NumPy"), std::string::npos);
}

TEST(Values, AreInCOrderWhateverTheOrderOfTheFile) {
  ArrayType type = parse_header(header_of("<f4", {2, 3}));
  type.fortran_order = true;
  const float columns[] = {1, 4, 2, 5, 3, 6};
  EXPECT_EQ(values_of(type, {reinterpret_cast<const char*>(columns), sizeof columns}),
            (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

TEST(Values, AreThoseOfEveryType) {
  const auto one = [](const std::string& type, const std::string& bytes) {
    return values_of(parse_header(header_of(type, {1})), bytes).at(0);
  };
  EXPECT_EQ(one(">f4", std::string("\x3f\x80\0\0", 4)), 1.0);
  EXPECT_EQ(one("<f2", std::string("\0\x3c", 2)), 1.0);
  EXPECT_EQ(one("<f2", std::string("\1\0", 2)), 0x1p-24);
  EXPECT_TRUE(std::isinf(one("<f2", std::string("\0\x7c", 2))));
  EXPECT_EQ(one("|i1", "\xff"), -1.0);
  EXPECT_EQ(one("|u1", "\xff"), 255.0);
  EXPECT_EQ(one("|b1", "\1"), 1.0);
  EXPECT_EQ(one("<i8", std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8)), -1.0);
}

}  // namespace
}  // namespace lockstep::npz
