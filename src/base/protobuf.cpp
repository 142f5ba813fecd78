#include "base/protobuf.h"

#include <bit>

namespace lockstep {
namespace {

constexpr unsigned kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5;  // wire types

}  // namespace

// Seven bits a byte, the lowest first; the top bit says that more follow.
void ProtobufMessage::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) content_ += static_cast<char>(value | 0x80);
  content_ += static_cast<char>(value);
}

void ProtobufMessage::tag(unsigned field, unsigned wire_type) { varint(field << 3 | wire_type); }

ProtobufMessage& ProtobufMessage::integer(unsigned field, std::uint64_t value) {
  tag(field, kVarint);
  varint(value);
  return *this;
}

ProtobufMessage& ProtobufMessage::number(unsigned field, float value) {
  tag(field, kFixed32);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) content_ += static_cast<char>(bits >> shift);
  return *this;
}

ProtobufMessage& ProtobufMessage::number(unsigned field, double value) {
  tag(field, kFixed64);
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 0; shift < 64; shift += 8) content_ += static_cast<char>(bits >> shift);
  return *this;
}

ProtobufMessage& ProtobufMessage::text(unsigned field, std::string_view value) {
  tag(field, kLengthDelimited);
  varint(value.size());
  content_ += value;
  return *this;
}

}  // namespace lockstep
