// Messages against the examples of https://protobuf.dev/programming-guides/encoding/, and numbers of every
// length.
#include "base/protobuf.h"

#include <gtest/gtest.h>

#include <limits>

namespace lockstep {
namespace {

using namespace std::string_literals;

TEST(Protobuf, WritesTheExamplesOfItsDocumentation) {
  EXPECT_EQ(ProtobufMessage().integer(1, 150).content(), "\x08\x96\x01");
  EXPECT_EQ(ProtobufMessage().text(2, "testing").content(), "\x12\x07testing");
  EXPECT_EQ(ProtobufMessage().message(3, ProtobufMessage().integer(1, 150)).content(),
            "\x1a\x03\x08\x96\x01");
}

TEST(Protobuf, WritesNumbersOfEveryLength) {
  EXPECT_EQ(ProtobufMessage().integer(1, 0).content(), "\x08\0"s);
  EXPECT_EQ(ProtobufMessage().integer(1, 127).content(), "\x08\x7f");
  EXPECT_EQ(ProtobufMessage().integer(1, 128).content(), "\x08\x80\x01");
  EXPECT_EQ(ProtobufMessage().integer(16, 1).content(), "\x80\x01\x01");  // a field of two bytes
  EXPECT_EQ(ProtobufMessage().integer(1, std::numeric_limits<std::uint64_t>::max()).content(),
            "\x08" + std::string(9, '\xff') + "\x01");
  EXPECT_EQ(ProtobufMessage().number(2, -1.5F).content(), "\x15\0\0\xc0\xbf"s);
  EXPECT_EQ(ProtobufMessage().number(1, -1.5).content(), "\x09\0\0\0\0\0\0\xf8\xbf"s);
}

TEST(Protobuf, WritesFieldsInTheirOrder) {
  EXPECT_EQ(ProtobufMessage().text(1, "b").text(1, "").text(1, "a"s + '\0').content(),
            "\x0a\x01"s + "b\x0a\0\x0a\x02"s + "a\0"s);
}

}  // namespace
}  // namespace lockstep
