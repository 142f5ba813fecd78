// Messages in the wire format of Protocol Buffers, to be written:
// https://protobuf.dev/programming-guides/encoding/. Fields have numbers, which the format at hand gives; a
// repeated field is added several times.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep {

class ProtobufMessage {
 public:
  ProtobufMessage& integer(unsigned field, std::uint64_t value);
  ProtobufMessage& number(unsigned field, float value);
  ProtobufMessage& number(unsigned field, double value);
  ProtobufMessage& text(unsigned field, std::string_view value);  // or bytes
  ProtobufMessage& message(unsigned field, const ProtobufMessage& value) {
    return text(field, value.content_);
  }

  const std::string& content() const { return content_; }

 private:
  void varint(std::uint64_t value);
  void tag(unsigned field, unsigned wire_type);

  std::string content_;
};

}  // namespace lockstep
